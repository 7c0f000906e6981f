package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// LinkSubject ties values to a person, or takes such ties back.
func (a *api) LinkSubject(ctx context.Context, r gen.LinkSubjectRequestObject) (gen.LinkSubjectResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.LinkSubject(ctx, x.call, vault.LinkRequest{
		Subject: r.Body.Subject, Identifiers: identifiers(&r.Body.Identifiers), Undo: value(r.Body.Undo),
	})
	if err != nil {
		return nil, err
	}
	return ok(gen.LinkAnswer{
		SubjectRef: result.SubjectRef, Changed: int64(result.Changed),
		Audit: receipt(result.Audit), RequestId: x.requestID,
	}), nil
}
