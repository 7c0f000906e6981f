package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RequestApproval asks that others approve an operation.
func (a *api) RequestApproval(ctx context.Context, r gen.RequestApprovalRequestObject) (gen.RequestApprovalResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.RequestApproval(ctx, x.call, vault.ApprovalRequest{
		Operation: string(r.Body.Operation), Target: r.Body.Target, Reference: r.Body.Reference,
	})
	if err != nil {
		return nil, err
	}
	return created(approvalAnswer(&result, x)), nil
}

// Approvals lists the approvals that were asked for.
func (a *api) Approvals(ctx context.Context, r gen.ApprovalsRequestObject) (gen.ApprovalsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Approvals(ctx, x.call, vault.ApprovalListRequest{
		Status: vault.ApprovalStatus(value(r.Params.Status)), Limit: int(value(r.Params.Limit)), Cursor: value(r.Params.Cursor),
	})
	if err != nil {
		return nil, err
	}
	return ok(gen.ApprovalPage{
		Approvals: each(page.Approvals, approval), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// Approval shows one approval that was asked for.
func (a *api) Approval(ctx context.Context, r gen.ApprovalRequestObject) (gen.ApprovalResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.Approval(ctx, x.call, r.ApprovalId)
	if err != nil {
		return nil, err
	}
	return ok(approvalAnswer(&vault.ApprovalResult{Approval: info}, x)), nil
}

// DecideApproval approves or rejects an operation.
func (a *api) DecideApproval(ctx context.Context, r gen.DecideApprovalRequestObject) (gen.DecideApprovalResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.DecideApproval(ctx, x.call, r.ApprovalId, decisionGiven(r.Body))
	if err != nil {
		return nil, err
	}
	return ok(approvalAnswer(&result, x)), nil
}

func decisionGiven(b *gen.DecisionRequest) vault.DecisionGiven {
	return vault.DecisionGiven{Decision: string(b.Decision), Note: value(b.Note)}
}

func approvalAnswer(r *vault.ApprovalResult, x *exchange) gen.Approval {
	out := approval(&r.Approval)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func approval(i *vault.ApprovalInfo) gen.Approval {
	return gen.Approval{
		Id: i.ID, Status: gen.ApprovalStatus(i.Status), Operation: gen.ApprovalOperation(i.Operation),
		Target: i.Target, Reference: optional(i.Reference),
		Requester: i.Requester, ApprovalsRequired: int64(i.Required), Decisions: each(i.Decisions, approvalDecision),
		RequestedAt: i.RequestedAt, ExpiresAt: i.ExpiresAt, ClosedAt: moment(i.ClosedAt),
	}
}

func approvalDecision(d *vault.ApprovalDecision) gen.ApprovalDecision {
	return gen.ApprovalDecision{
		By: d.By, Decision: gen.ApprovalVerdict(d.Decision), NoteDigest: optional(d.NoteDigest), At: d.At,
	}
}
