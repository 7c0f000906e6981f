package vault

import (
	"context"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// What became of a prompt at its vendor.
var dispatchStatuses = []string{"ok", "error", "refused", "timeout", "cancelled"}

// What a vendor counts of a prompt and its answer, in tokens of the model.
var dispatchUsage = []string{"input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "total_tokens"}

// DispatchRequest says what a vendor did with a prompt.
type DispatchRequest struct {
	RequestID       string // of the request that tokenized the prompt
	Destination     string // where it went
	Model           string
	VendorRequestID string
	Status          string
	LatencyMS       int64
	Usage           map[string]int64
}

// DispatchResult proves that it was written down.
type DispatchResult struct{ Audit *audit.Receipt }

// Dispatch writes down what a vendor did with a prompt that the caller's client had
// tokenized, so that the record of the prompt ends with it: the entry has the
// request id of the prompt. A prompt of another client is as if it were not there.
func (s *Service) Dispatch(ctx context.Context, call Call, d DispatchRequest) (DispatchResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionDispatch, audit.KindDispatch)
	if err != nil {
		return DispatchResult{}, err
	}
	if err := s.checkDispatch(&d); err != nil {
		return DispatchResult{}, err
	}
	tenant := call.Caller.Tenant
	prompt, err := s.ledger.Entries(ctx, tenant, EntryQuery{
		RequestID: d.RequestID, Kind: string(audit.KindTokenize), Client: call.Caller.Client, Limit: 1,
	})
	if err != nil {
		return DispatchResult{}, public(err)
	}
	if len(prompt) == 0 {
		return DispatchResult{}, Errorf(CodeNotFound, "there is no prompt of that request id")
	}
	entry.RequestID, entry.Destination, entry.Model = d.RequestID, d.Destination, d.Model
	entry.Reference, entry.Code = d.VendorRequestID, d.Status
	entry.Counts = map[string]int{"latency_ms": int(d.LatencyMS)}
	for name, n := range d.Usage {
		entry.Counts[name] = int(n)
	}
	claim := s.newClaiming(call, keys)
	if err := claim.read(ctx, s, tenant, &entry); err != nil {
		return DispatchResult{}, public(err)
	}
	if entry.ReplayOf != "" {
		receipt, err := s.proofAfter(ctx, tenant, keys, entry.ReplayOf, nil)
		return DispatchResult{Audit: receipt}, err
	}
	committed, err := s.commitClaiming(ctx, tenant, Record{}, entry, &claim)
	if err != nil {
		return DispatchResult{}, public(err)
	}
	receipt, err := s.receipt(keys, committed)
	return DispatchResult{Audit: receipt}, err
}

func (s *Service) checkDispatch(d *DispatchRequest) error {
	for _, required := range []struct{ field, value string }{
		{"/request_id", d.RequestID}, {"/destination", d.Destination}, {"/status", d.Status},
	} {
		if required.value == "" {
			return Invalid(required.field, "is required")
		}
	}
	for _, name := range []struct{ field, value string }{
		{"/request_id", d.RequestID}, {"/model", d.Model}, {"/vendor_request_id", d.VendorRequestID},
	} {
		if name.value != "" && !audit.IsIdentifier(name.value) {
			return Invalid(name.field, "must be an identifier")
		}
	}
	if _, err := s.rules().Route([]string{d.Destination}, s.moment()); err != nil {
		return Invalid("/destination", "is not in the list of destinations")
	}
	if !slices.Contains(dispatchStatuses, d.Status) {
		return Invalid("/status", "must be ok, error, refused, timeout or cancelled")
	}
	if d.LatencyMS < 0 || d.LatencyMS > MaxDispatchLatencyMS {
		return tooLarge("/latency_ms", "dispatch_latency_ms", MaxDispatchLatencyMS)
	}
	for name, n := range d.Usage {
		if !slices.Contains(dispatchUsage, name) {
			return Invalid("/usage", "has a name that is not in the list")
		}
		if n < 0 || n > MaxDispatchTokens {
			return tooLarge("/usage/"+name, "dispatch_tokens", MaxDispatchTokens)
		}
	}
	return nil
}

const (
	// MaxDispatchLatencyMS is a day: batches of vendors take so long.
	MaxDispatchLatencyMS = 24 * 60 * 60 * 1000
	// MaxDispatchTokens is a thousand times the context of the largest models.
	MaxDispatchTokens = 1_000_000_000
)
