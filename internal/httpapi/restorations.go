package httpapi

import (
	"context"
	"net/http"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RequestRestoration asks that others approve a restoration.
func (a *api) RequestRestoration(ctx context.Context, r gen.RequestRestorationRequestObject) (gen.RequestRestorationResponseObject, error) {
	ctx, x := begin(ctx)
	b := r.Body
	result, err := a.service.RequestRestoration(ctx, x.call, vault.DetokenizeRequest{
		Scope: b.Scope, Recipient: value(b.Recipient), OnRefused: vault.RefusedKeep,
		Text: b.Text, Tokens: value(b.Tokens), Payload: x.payload, Shape: string(value(b.Shape)),
		ReadScopes: value(b.ReadScopes), Reason: reasonGiven(b.Reason),
	})
	if err != nil {
		return nil, err
	}
	x.reason = result.Approval.Reason
	return reply{http.StatusAccepted, restorationAnswer(&result, x)}, nil
}

// Restorations lists the restorations that were asked for.
func (a *api) Restorations(ctx context.Context, r gen.RestorationsRequestObject) (gen.RestorationsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Restorations(ctx, x.call, vault.ApprovalListRequest{
		Status: vault.ApprovalStatus(value(r.Params.Status)), Limit: int(value(r.Params.Limit)), Cursor: value(r.Params.Cursor),
	})
	if err != nil {
		return nil, err
	}
	return ok(gen.RestorationPage{
		Restorations: each(page.Approvals, restoration), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// Restoration shows one restoration that was asked for.
func (a *api) Restoration(ctx context.Context, r gen.RestorationRequestObject) (gen.RestorationResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.Restoration(ctx, x.call, r.RestorationId)
	if err != nil {
		return nil, err
	}
	return ok(restorationAnswer(&vault.ApprovalResult{Approval: info}, x)), nil
}

// DecideRestoration approves or rejects a restoration.
func (a *api) DecideRestoration(ctx context.Context, r gen.DecideRestorationRequestObject) (gen.DecideRestorationResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.DecideRestoration(ctx, x.call, r.RestorationId, decisionGiven(r.Body))
	if err != nil {
		return nil, err
	}
	return ok(restorationAnswer(&result, x)), nil
}

// RedeemRestoration restores what was approved.
func (a *api) RedeemRestoration(ctx context.Context, r gen.RedeemRestorationRequestObject) (gen.RedeemRestorationResponseObject, error) {
	ctx, x := begin(ctx)
	req := detokenizeRequest(r.Body)
	req.Payload = x.payload
	result, err := a.service.RedeemRestoration(ctx, x.call, r.RestorationId, req)
	if err != nil {
		return nil, err
	}
	x.restored(req.Reason.Code, result.Results)
	return answer(detokenizeAnswer(result, x.requestID), result.Payload), nil
}

func restorationAnswer(r *vault.ApprovalResult, x *exchange) gen.Restoration {
	out := restoration(&r.Approval)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func restoration(i *vault.ApprovalInfo) gen.Restoration {
	return gen.Restoration{
		Id: i.ID, Status: gen.ApprovalStatus(i.Status), Reason: i.Reason, Reference: optional(i.Reference),
		Tokens: int64(i.Tokens), Entities: counts(i.Entities), ScopeRefs: list(i.ScopeRefs),
		Requester: i.Requester, ApprovalsRequired: int64(i.Required), Decisions: each(i.Decisions, approvalDecision),
		RequestedAt: i.RequestedAt, ExpiresAt: i.ExpiresAt, ClosedAt: moment(i.ClosedAt),
	}
}
