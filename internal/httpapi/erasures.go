package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

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
	info := erasureInfo(e)
	answer := gen.ErasureReceipt{
		Audience: gen.AudienceSubject, RequestId: e.ID, Kind: gen.Erasure, Regime: gen.Regime(e.Regime),
		Status: gen.ErasureState(e.State), ErasedAt: e.ErasedAt, CompletedAt: info.CompletedAt,
		ExpectedFinalAt: info.ExpectedFinalAt, FinalAt: info.FinalAt,
		SuppressUntil: info.SuppressUntil, SuppressedForever: info.SuppressedForever, Destinations: info.Destinations,
		Counts: toldCounts(e.Counts), Methods: methods(e.Counts), Proof: *receipt(&r.Proof),
		IssuedAt: issued.UTC().Truncate(time.Microsecond),
	}
	if e.State == vault.ErasureDeferred {
		answer.DeferredFor = pointer(gen.ErasureReceiptDeferredForLegalObligation)
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

func erasureInfo(e *vault.ErasureInfo) gen.ErasureInfo {
	info := gen.ErasureInfo{
		ErasedAt: e.ErasedAt, CompletedAt: moment(e.CompletedAt),
		ExpectedFinalAt: moment(e.ExpectedFinalAt), FinalAt: moment(e.FinalAt),
		SuppressedForever: e.SuppressUntil.Equal(vault.SuppressForever), Counts: allCounts(e.Counts),
		Destinations: make([]gen.ErasedDestination, 0, len(e.Destinations)),
	}
	if !info.SuppressedForever {
		info.SuppressUntil = moment(e.SuppressUntil)
	}
	for _, d := range e.Destinations {
		info.Destinations = append(info.Destinations, gen.ErasedDestination{
			Destination: d.Destination, Mappings: int64(d.Mappings), FirstSent: d.First, LastSent: d.Last,
			Vendor: optional(d.Vendor), Region: optional(d.Region),
		})
	}
	return info
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
