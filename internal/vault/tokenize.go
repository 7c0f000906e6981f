package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/token"
)

// Tokenize puts tokens in place of personal data. When it answers, the tokens
// are durable and so is the entry that names them; when it fails, nothing was
// written but, where the policy refused, the entry of the refusal.
func (s *Service) Tokenize(ctx context.Context, call Call, req TokenizeRequest) (TokenizeResult, error) {
	s = s.under(call)
	if err := checkTokenize(&req); err != nil {
		return TokenizeResult{}, err
	}
	keys, err := s.begin(ctx, call)
	if err != nil {
		return TokenizeResult{}, public(err)
	}
	job := &tokenizeJob{s: s, call: call, req: req, keys: keys, entry: s.entry(call, audit.KindTokenize, keys)}
	if err := job.authorise(ctx); err != nil {
		return TokenizeResult{}, err
	}
	if job.doc, job.parts, err = readParts(req.Text, req.Payload, req.Shape, job.route.Payload().Unknown); err != nil {
		return TokenizeResult{}, public(err)
	}
	if job.granting, err = s.newGranting(ctx, call, &req); err != nil {
		return TokenizeResult{}, err
	}
	job.claim = s.newClaiming(call, keys)
	for range MaxAttempts {
		result, err := job.attempt(ctx)
		if err == nil {
			return result, nil
		}
		if errors.Is(err, ErrExhausted) {
			return TokenizeResult{}, job.granting.exhausted(ctx, job)
		}
		if errors.Is(err, ErrSuppressed) {
			job.suppressing = true
			continue
		}
		if !plannable(err) {
			return TokenizeResult{}, s.settle(ctx, call.Caller.Tenant, job.entry, err)
		}
	}
	return TokenizeResult{}, public(ErrConflict)
}

// tokenizeJob is one request on its way. What an attempt decides anew after a
// commit met a changed world is set by attempt, the rest once.
type tokenizeJob struct {
	s     *Service
	call  Call
	req   TokenizeRequest
	keys  *keySet
	entry audit.Entry
	claim claiming
	route access.Route

	// suppressing is set once a commit was refused since a value was erased and
	// is kept out: from then on they are looked for. Nobody else pays for it.
	suppressing bool

	doc   *payload.Document
	parts []part

	scope    Scope
	newScope bool
	// readScopes are those that the caller may read, and elsewhere what lives in them
	// of what the text holds, by token id.
	readScopes []Scope
	elsewhere  map[string]Mapping
	granting   *granting

	found    []finding
	coverage payload.Manifest // of the payload, once it was searched
	slots    []slot
	// unanalyzed counts the texts that an external analyzer did not see, and need not.
	unanalyzed atomic.Int64
}

// authorise decides whether the caller may tokenize at all, and for where.
func (j *tokenizeJob) authorise(ctx context.Context) error {
	caller := j.call.Caller
	decision := j.s.rules().Decide(j.s.plainRequest(caller, access.ActionTokenize))
	j.entry.RuleIDs = decision.RuleIDs
	if !decision.Allow {
		return j.s.deny(ctx, caller.Tenant, j.entry, Errorf(CodeDenied, "the policy does not allow this"))
	}
	names := j.req.Destinations
	if j.req.Destination != "" {
		names = []string{j.req.Destination}
	}
	route, err := j.s.rules().Route(names, j.s.moment())
	if unknown := (*access.RouteError)(nil); errors.As(err, &unknown) {
		field := "/destination"
		if j.req.Destination == "" {
			field = "/destinations/" + strconv.Itoa(unknown.Index)
		}
		return Invalid(field, "is not in the list of destinations")
	}
	if err != nil {
		return public(err)
	}
	j.route, j.entry.Destination = route, route.Names()[0]
	if len(route.Names()) > 1 {
		for _, name := range route.Names() {
			j.entry.Obligations = append(j.entry.Obligations, audit.ObligationDestination+name)
		}
	}
	return nil
}

// attempt plans the change against the world as it is read now, and commits.
func (j *tokenizeJob) attempt(ctx context.Context) (TokenizeResult, error) {
	if err := j.claim.read(ctx, j.s, j.call.Caller.Tenant, &j.entry); err != nil {
		return TokenizeResult{}, err
	}
	if err := j.readScope(ctx); err != nil {
		return TokenizeResult{}, err
	}
	if err := j.find(ctx); err != nil {
		return TokenizeResult{}, err
	}
	if err := j.blocked(ctx); err != nil {
		return TokenizeResult{}, err
	}
	if err := j.suppress(ctx); err != nil {
		return TokenizeResult{}, err
	}
	if err := j.fillSlots(); err != nil {
		return TokenizeResult{}, err
	}
	if j.req.DryRun {
		return j.result(Outcome{}, nil)
	}
	entry := j.describe()
	if len(j.slots) == 0 && !j.keeps() && (j.granting == nil || !j.carries()) {
		committed, err := j.s.commitClaiming(ctx, j.call.Caller.Tenant, Record{}, entry, &j.claim)
		if err != nil {
			return TokenizeResult{}, err
		}
		return j.result(Outcome{}, &committed)
	}
	plan, err := j.seal(ctx)
	if err != nil {
		return TokenizeResult{}, err
	}
	entry.ScopeRefs = []string{j.scope.ID}
	entry.SubjectRefs = plan.subjectRefs()
	committed, rider, err := j.commit(ctx, plan.effect(j), entry)
	if err != nil {
		j.s.refused(j.call.Caller.Tenant, err, plan.keys)
		return TokenizeResult{}, err
	}
	for _, fresh := range plan.fresh {
		j.s.keys.Put(fresh)
	}
	if rider == nil {
		return j.result(committed.Outcome, &committed)
	}
	grant, err := j.granting.granted(j.s, j.keys, rider, &committed)
	if err != nil {
		return TokenizeResult{}, err
	}
	committed.Count -= 1 // what the tokens have is proved by the entry before it
	result, err := j.result(committed.Outcome, &committed)
	result.Grant = grant
	return result, err
}

// commit writes what a plan makes, and the grant that rides along.
func (j *tokenizeJob) commit(ctx context.Context, effect Tokenize, entry audit.Entry) (Committed, *GrantRider, error) {
	change, err := NewChange(j.call.Caller.Tenant, effect, entry)
	if err != nil {
		return Committed{}, nil, fmt.Errorf("vault: %w", err)
	}
	if j.granting != nil {
		if change, err = j.granting.ride(j, change); err != nil {
			return Committed{}, nil, err
		}
	}
	ctx, end := stage.Start(ctx, stage.Commit)
	defer end()
	committed, err := j.s.write(ctx, j.call.Caller.Tenant, j.claim.on(change))
	return committed, change.Grant(), err
}

// readScope finds the scope, or proposes one that is made at this first use.
// A caller that does not match the binding of a scope that stands is told
// that there is none: the same answer as for one that never existed would be
// to make it, and a second scope of one name cannot be.
func (j *tokenizeJob) readScope(ctx context.Context) error {
	ctx, end := stage.Start(ctx, stage.Read)
	defer end()
	caller := j.call.Caller
	digest := Digest(j.keys.index.Scope(j.req.Scope))
	scope, err := j.s.store.Scope(ctx, caller.Tenant, digest)
	switch {
	case errors.Is(err, ErrNotFound):
		j.newScope = true
		j.scope = j.s.proposeScope(j.keys, caller, OpenScopeRequest{
			Scope: j.req.Scope, Kind: ScopeConversation, EndUser: caller.EndUser,
		})
		return nil
	case err != nil:
		return err
	}
	j.scope, j.newScope = scope, false
	request := j.s.plainRequest(caller, access.ActionTokenize)
	request.SameClient, request.EndUser = binding(scope, caller, j.keys)
	if !j.s.rules().Decide(request).Allow && !j.s.faults.ignoreBinding {
		entry := j.entry
		entry.ScopeRefs = []string{scope.ID}
		return j.s.deny(ctx, caller.Tenant, entry, Errorf(CodeNotFound, "there is no such scope for this caller"))
	}
	return nil
}

// describe completes the entry: what was found and what became of it, as
// counts, never as values. The commit adds the token ids.
func (j *tokenizeJob) describe() audit.Entry {
	entry := j.entry
	entry.Decision = audit.Allow
	entry.Entities = make(map[string]int)
	entry.Results = make(map[string]int)
	for _, f := range j.found {
		entry.Entities[f.entity.Name]++
		entry.Results[f.become()]++
	}
	if j.req.SourceRef != "" {
		entry.SourceDigest = hexDigest(j.keys.index.Source(j.req.SourceRef))
	}
	if j.doc != nil {
		entry.CoverageDigest = j.coverage.Digest()
	}
	if n := j.unanalyzed.Load(); n > 0 {
		entry.Counts = map[string]int{audit.CountUnanalyzed: int(n)}
	}
	return entry
}

// keeps tells whether the text holds living tokens of the scope.
func (j *tokenizeJob) keeps() bool {
	for _, f := range j.found {
		if f.kept != nil && !f.read {
			return true
		}
	}
	return false
}

// ttl is how long an unused mapping of the request lives: callers may only
// shorten what the scope says.
func (j *tokenizeJob) ttl() time.Duration {
	if j.req.TTL > 0 {
		return min(j.req.TTL, j.scope.IdleTTL)
	}
	return j.scope.IdleTTL
}

// format is the form of an entity's token: what the request asks for, else
// what the catalogue says.
func (j *tokenizeJob) format(e access.Entity) token.Format {
	if j.req.Format == "" {
		return token.Format(e.Format)
	}
	return token.Format(j.req.Format)
}

func checkTokenize(req *TokenizeRequest) error {
	if err := checkScopeNames(req.Scope, req.ReadScopes); err != nil {
		return err
	}
	if err := checkName("/subject", req.Subject, false); err != nil {
		return err
	}
	if err := checkName("/source_ref", req.SourceRef, false); err != nil {
		return err
	}
	if err := checkTTL("/ttl", req.TTL); err != nil {
		return err
	}
	switch {
	case req.Destination != "" && len(req.Destinations) > 0:
		return Invalid("/destinations", "go without destination")
	case len(req.Destinations) > MaxDestinations:
		return tooLarge("/destinations", "destinations", MaxDestinations)
	case len(unique(slices.Clone(req.Destinations))) != len(req.Destinations):
		return Invalid("/destinations", "must differ")
	case req.Format != "" && req.Format != string(token.FormatLabel) && req.Format != string(token.FormatOpaque):
		return Invalid("/format", "must be label or opaque")
	case req.Existing != "" && req.Existing != ExistingKeep && req.Existing != ExistingWrap:
		return Invalid("/existing_tokens", "must be keep or wrap")
	case rank(req.Text != nil)+rank(len(req.Values) > 0)+rank(req.Payload != nil) != 1:
		return Invalid("/", "exactly one of text, values and payload is required")
	case req.Payload == nil && req.Shape != "":
		return Invalid("/shape", "goes with payload only")
	case req.Text == nil && len(req.Spans) > 0:
		return Invalid("/spans", "go with text only")
	case len(req.Values) > MaxFindings:
		return tooLarge("/values", "findings", MaxFindings)
	case len(req.Spans) > MaxFindings:
		return tooLarge("/spans", "findings", MaxFindings)
	}
	if req.Text != nil {
		return checkText("/text", *req.Text)
	}
	return nil
}
