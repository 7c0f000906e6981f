package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RequestErasure erases what there is of a person, or says what would be.
func (a *api) RequestErasure(ctx context.Context, r gen.RequestErasureRequestObject) (gen.RequestErasureResponseObject, error) {
	ctx, x := begin(ctx)
	checkedAt, err := instant("/identity/at", &r.Body.Identity.At)
	if err != nil {
		return nil, err
	}
	result, err := a.service.EraseSubject(ctx, x.call, vault.ErasureRequest{
		Regime: string(r.Body.Regime), Subject: r.Body.Subject, ConfirmSubject: value(r.Body.ConfirmSubject),
		Reference: r.Body.Reference,
		Identity: vault.IdentityCheck{
			Method: r.Body.Identity.Method, Reference: r.Body.Identity.Reference,
			VerifiedBy: r.Body.Identity.VerifiedBy, At: checkedAt,
		},
		PreviewID: value(r.Body.PreviewId), DryRun: value(r.Body.DryRun),
	})
	if err != nil {
		return nil, err
	}
	answer := gen.ErasureAnswer{Parts: make([]gen.ErasurePart, 0, len(result.Parts)), Audit: receipt(result.Audit)}
	var sum gen.ErasureCounts
	for _, p := range result.Parts {
		part := gen.ErasurePart{
			ScopeRef: p.ScopeID, Erased: int64(p.Erased), Deferred: int64(p.Deferred), Shared: int64(p.Shared),
		}
		answer.Parts = append(answer.Parts, part)
		sum.Erased, sum.Deferred, sum.Shared = sum.Erased+part.Erased, sum.Deferred+part.Deferred, sum.Shared+part.Shared
	}
	if result.Erasure == nil {
		answer.PreviewId, answer.Counts = pointer(result.PreviewID), &sum
		return ok(answer), nil
	}
	answer.Request = pointer(subjectRequest(result.Erasure))
	return created(answer), nil
}
