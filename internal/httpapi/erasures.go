package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// SubjectRequests lists the requests of persons.
func (a *api) SubjectRequests(ctx context.Context, r gen.SubjectRequestsRequestObject) (gen.SubjectRequestsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Erasures(ctx, x.call, vault.ErasureListRequest{
		State: vault.ErasureState(value(r.Params.State)), Limit: int(value(r.Params.Limit)), Cursor: value(r.Params.Cursor),
	})
	if err != nil {
		return nil, err
	}
	answer := gen.SubjectRequestPage{
		Requests: make([]gen.SubjectRequest, 0, len(page.Erasures)), NextCursor: optional(page.Next),
	}
	for i := range page.Erasures {
		answer.Requests = append(answer.Requests, subjectRequest(&page.Erasures[i]))
	}
	return ok(answer), nil
}

// SubjectRequest shows one request.
func (a *api) SubjectRequest(ctx context.Context, r gen.SubjectRequestRequestObject) (gen.SubjectRequestResponseObject, error) {
	ctx, x := begin(ctx)
	erasure, err := a.service.Erasure(ctx, x.call, r.RequestId)
	if err != nil {
		return nil, err
	}
	return ok(gen.SubjectRequestAnswer{Request: subjectRequest(&erasure)}), nil
}

// ErasureReceipt gives the receipt of an erasure, in the copy that was asked
// for.
func (a *api) ErasureReceipt(ctx context.Context, r gen.ErasureReceiptRequestObject) (gen.ErasureReceiptResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.ErasureReceipt(ctx, x.call, r.RequestId)
	if err != nil {
		return nil, err
	}
	answer := subjectCopy(&result, x.started)
	if r.Params.Audience == gen.AudienceInternal {
		erasure := &result.Erasure
		answer.Audience, answer.Counts = gen.AudienceInternal, allCounts(erasure.Counts)
		answer.Reference, answer.Identity = pointer(erasure.Reference), pointer(identityInfo(erasure.Identity))
		answer.Entry = pointer(string(result.Leaf))
	}
	return ok(answer), nil
}

// subjectCopy is what a person may be told. The other copy has more, so that
// what is forgotten there is missing, and what is forgotten here is not told.
func subjectCopy(r *vault.ErasureReceiptResult, issued time.Time) gen.ErasureReceipt {
	e := &r.Erasure
	answer := gen.ErasureReceipt{
		Audience: gen.AudienceSubject, RequestId: e.ID, Kind: gen.Erasure, Regime: gen.Regime(e.Regime),
		State: gen.ErasureState(e.State), ErasedAt: e.ErasedAt, CompletedAt: moment(e.CompletedAt),
		Counts: toldCounts(e.Counts), Methods: methods(e.Counts), Proof: *receipt(&r.Proof),
		IssuedAt: issued.UTC().Truncate(time.Microsecond),
	}
	if e.State == vault.ErasureDeferred {
		answer.DeferredFor = pointer(gen.LegalObligation)
	}
	return answer
}

func methods(c vault.ErasureCounts) []gen.ErasureMethod {
	how := make([]gen.ErasureMethod, 0, 2)
	if c.Keys > 0 {
		how = append(how, gen.KeyDestroyed)
	}
	if c.Rekeyed > 0 {
		how = append(how, gen.Rekeyed)
	}
	return how
}

func subjectRequest(e *vault.ErasureInfo) gen.SubjectRequest {
	return gen.SubjectRequest{
		RequestId: e.ID, Kind: gen.Erasure, Regime: gen.Regime(e.Regime), Reference: e.Reference,
		State: gen.ErasureState(e.State), ErasedAt: e.ErasedAt, CompletedAt: moment(e.CompletedAt), DueAt: e.DueAt,
		Identity: identityInfo(e.Identity), Counts: allCounts(e.Counts),
	}
}

func identityInfo(check vault.IdentityCheck) gen.IdentityInfo {
	return gen.IdentityInfo{
		Method: check.Method, Reference: check.Reference, VerifiedBy: check.VerifiedBy, At: check.At,
	}
}

// toldCounts are about the person alone.
func toldCounts(c vault.ErasureCounts) gen.ErasureCounts {
	return gen.ErasureCounts{Erased: int64(c.Erased), Deferred: int64(c.Deferred), Shared: int64(c.Shared)}
}

func allCounts(c vault.ErasureCounts) gen.ErasureCounts {
	all := toldCounts(c)
	all.Keys, all.Rekeyed = pointer(int64(c.Keys)), pointer(int64(c.Rekeyed))
	return all
}
