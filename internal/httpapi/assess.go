package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// AssessIncident says who was exposed.
func (a *api) AssessIncident(ctx context.Context, r gen.AssessIncidentRequestObject) (gen.AssessIncidentResponseObject, error) {
	ctx, x := begin(ctx)
	b := r.Body
	from, errFrom := instant("/from", &b.From)
	to, errTo := instant("/to", &b.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	found, err := a.service.AssessIncident(ctx, x.call, vault.AssessRequest{
		From: from, To: to, Actor: value(b.Actor), Client: value(b.Client), Reason: value(b.Reason), Entity: value(b.Entity),
		Destination: value(b.Destination), Scope: value(b.Scope), SubjectRef: value(b.SubjectRef), Tokenized: value(b.Tokenized),
	})
	if err != nil {
		return nil, err
	}
	return ok(gen.Assessment{
		Entries: int64(found.Entries), Tokens: int64(found.Tokens), Entities: counts(found.Entities), Actors: counts(found.Actors),
		SubjectRefs: list(found.Subjects), ScopeRefs: list(found.Scopes), TokenIds: list(found.TokenIDs),
		Truncated: found.Truncated, Audit: receipt(found.Audit), RequestId: x.requestID,
	}), nil
}
