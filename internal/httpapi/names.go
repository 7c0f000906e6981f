package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RestoreNames gives back how the callers call scopes and people.
func (a *api) RestoreNames(ctx context.Context, r gen.RestoreNamesRequestObject) (gen.RestoreNamesResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.RestoreNames(ctx, x.call, vault.NamesRequest{
		ScopeRefs: value(r.Body.ScopeRefs), SubjectRefs: value(r.Body.SubjectRefs), Reason: reasonGiven(&r.Body.Reason),
	})
	if err != nil {
		return nil, err
	}
	x.reason = r.Body.Reason.Code
	return ok(gen.NamesAnswer{
		Scopes: result.Scopes, Subjects: result.Subjects, Audit: receipt(result.Audit), RequestId: x.requestID,
	}), nil
}

func reasonGiven(r *gen.Reason) vault.ReasonGiven {
	if r == nil {
		return vault.ReasonGiven{}
	}
	return vault.ReasonGiven{Code: r.Code, Reference: value(r.Reference), Note: value(r.Note)}
}
