package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// IdentifyRequest says that the person is the one who asks.
func (a *api) IdentifyRequest(ctx context.Context, r gen.IdentifyRequestRequestObject) (gen.IdentifyRequestResponseObject, error) {
	ctx, x := begin(ctx)
	identity, err := identityCheck(&r.Body.Identity)
	if err != nil {
		return nil, err
	}
	return stepped(a.service.IdentifyRequest(ctx, x.call, r.RequestId, vault.IdentifyRequest{
		Identity: *identity, Subject: value(r.Body.Subject), Identifiers: identifiers(r.Body.Identifiers),
	}))
}

// AssignRequest says who works on a request.
func (a *api) AssignRequest(ctx context.Context, r gen.AssignRequestRequestObject) (gen.AssignRequestResponseObject, error) {
	ctx, x := begin(ctx)
	return stepped(a.service.AssignRequest(ctx, x.call, r.RequestId, value(r.Body.Assignee)))
}

// ExtendRequest extends the time for an answer.
func (a *api) ExtendRequest(ctx context.Context, r gen.ExtendRequestRequestObject) (gen.ExtendRequestResponseObject, error) {
	ctx, x := begin(ctx)
	return stepped(a.service.ExtendRequest(ctx, x.call, r.RequestId, r.Body.Reference))
}

// RefuseRequest closes a request that is refused.
func (a *api) RefuseRequest(ctx context.Context, r gen.RefuseRequestRequestObject) (gen.RefuseRequestResponseObject, error) {
	ctx, x := begin(ctx)
	return stepped(a.service.RefuseRequest(ctx, x.call, r.RequestId, vault.RefusalCode(r.Body.RefusalCode)))
}

// WithdrawRequest closes a request that the person withdrew.
func (a *api) WithdrawRequest(ctx context.Context, r gen.WithdrawRequestRequestObject) (gen.WithdrawRequestResponseObject, error) {
	ctx, x := begin(ctx)
	return stepped(a.service.WithdrawRequest(ctx, x.call, r.RequestId))
}

// CompleteRequest closes a request that was answered.
func (a *api) CompleteRequest(ctx context.Context, r gen.CompleteRequestRequestObject) (gen.CompleteRequestResponseObject, error) {
	ctx, x := begin(ctx)
	return stepped(a.service.CompleteRequest(ctx, x.call, r.RequestId, value(r.Body.Partial)))
}

// LiftRestriction ends a restriction.
func (a *api) LiftRestriction(ctx context.Context, r gen.LiftRestrictionRequestObject) (gen.LiftRestrictionResponseObject, error) {
	ctx, x := begin(ctx)
	return counted(a.service.LiftRestriction(ctx, x.call, r.RequestId))
}

// stepped answers with the request as it stands after a step.
func stepped(result vault.RequestResult, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return ok(requestStep(&result)), nil
}

// counted is stepped for what restricts or lifts: there zero is an answer, too.
func counted(result vault.RequestResult, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	answer := requestStep(&result)
	answer.Restricted, answer.Shared = pointer(int64(result.Restricted)), pointer(int64(result.Shared))
	return ok(answer), nil
}
