package httpapi

import (
	"context"
	"encoding/base64"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ReloadPolicy reads the policy of this replica again.
func (a *api) ReloadPolicy(ctx context.Context, _ gen.ReloadPolicyRequestObject) (gen.ReloadPolicyResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.ReloadPolicy(ctx, x.call)
	if err != nil {
		return nil, err
	}
	return ok(gen.ReloadAnswer{
		Version: result.Version, Before: result.Before, Changed: result.Changed,
		Audit: receipt(result.Audit), RequestId: x.requestID,
	}), nil
}

// ProposePolicy proposes a policy.
func (a *api) ProposePolicy(ctx context.Context, r gen.ProposePolicyRequestObject) (gen.ProposePolicyResponseObject, error) {
	ctx, x := begin(ctx)
	// Strict: of one bundle there is one text.
	bundle, err := base64.StdEncoding.Strict().DecodeString(r.Body.Bundle)
	if err != nil {
		return nil, vault.Invalid("/bundle", "must be base64 with padding")
	}
	req := vault.ProposeRequest{Bundle: bundle, Tenants: value(r.Body.Tenants)}
	if c := r.Body.Change; c != nil {
		req.Change = access.Change{PR: value(c.Pr), Commit: value(c.Commit), TestsDigest: value(c.TestsDigest), Notes: value(c.Notes)}
	}
	result, err := a.service.ProposePolicy(ctx, x.call, req)
	if err != nil {
		return nil, err
	}
	return created(proposalAnswer(&result, x)), nil
}

// Proposals lists the policies that were proposed.
func (a *api) Proposals(ctx context.Context, r gen.ProposalsRequestObject) (gen.ProposalsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Proposals(ctx, x.call, proceedingList(r.Params.Open, r.Params.Limit, r.Params.Cursor))
	if err != nil {
		return nil, err
	}
	return ok(gen.ProposalPage{
		Proposals: each(page.Proposals, proposal), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// PromotePolicy puts a proposed policy in force.
func (a *api) PromotePolicy(ctx context.Context, r gen.PromotePolicyRequestObject) (gen.PromotePolicyResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.PromotePolicy(ctx, x.call, r.ProposalId, r.Body.Reference, value(r.Body.ApprovalId))
	if err != nil {
		return nil, err
	}
	return ok(proposalAnswer(&result, x)), nil
}

// DropPolicy drops a proposed policy.
func (a *api) DropPolicy(ctx context.Context, r gen.DropPolicyRequestObject) (gen.DropPolicyResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.DropPolicy(ctx, x.call, r.ProposalId, r.Body.Reference)
	if err != nil {
		return nil, err
	}
	return ok(proposalAnswer(&result, x)), nil
}

// RollbackPolicy goes back to the policy before.
func (a *api) RollbackPolicy(ctx context.Context, r gen.RollbackPolicyRequestObject) (gen.RollbackPolicyResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.RollbackPolicy(ctx, x.call, r.Body.Reference)
	if err != nil {
		return nil, err
	}
	return ok(proposalAnswer(&result, x)), nil
}

func proposalAnswer(r *vault.ProposalResult, x *exchange) gen.Proposal {
	out := proposal(&r.Proposal)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func proposal(i *vault.ProposalInfo) gen.Proposal {
	return gen.Proposal{
		Id: i.ID, Version: i.Version, Status: gen.ProposalStatus(i.Status), ProposedBy: i.ProposedBy, Tenants: list(i.Tenants),
		Change: gen.PolicyChange{
			Pr: optional(i.Change.PR), Commit: optional(i.Change.Commit),
			TestsDigest: optional(i.Change.TestsDigest), Notes: optional(i.Change.Notes),
		},
		ProposedAt: i.ProposedAt, ClosedAt: moment(i.ClosedAt),
	}
}
