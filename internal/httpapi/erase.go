package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// eraseAtOnce takes a request for an erasure in and carries it out, or says what
// would be erased.
func (a *api) eraseAtOnce(ctx context.Context, b *gen.SubjectRequestIntake) (gen.OpenSubjectRequestResponseObject, error) {
	ctx, x := begin(ctx)
	switch {
	case b.Assignee != nil:
		return nil, vault.Invalid("/assignee", "goes with a request that is not carried out at once")
	case b.ReceivedAt != nil:
		return nil, vault.Invalid("/received_at", "goes with a request that is not carried out at once")
	case b.Identity == nil:
		return nil, vault.Invalid("/identity", "is required")
	}
	identity, err := identityCheck(b.Identity)
	if err != nil {
		return nil, err
	}
	result, err := a.service.EraseSubject(ctx, x.call, vault.ErasureRequest{
		Regime: string(b.Regime), Subject: value(b.Subject), ConfirmSubject: value(b.ConfirmSubject),
		Identifiers: identifiers(b.Identifiers), Reference: b.Reference, Identity: *identity,
		PreviewID: value(b.PreviewId), DryRun: value(b.DryRun), Suppress: string(value(b.Suppress)),
		ApprovalID: value(b.ApprovalId),
	})
	if err != nil {
		return nil, err
	}
	answer := erasureStep(&result)
	if result.Request == nil {
		return ok(answer), nil
	}
	return created(answer), nil
}

// ExecuteRequest does what an open request asks for.
func (a *api) ExecuteRequest(ctx context.Context, r gen.ExecuteRequestRequestObject) (gen.ExecuteRequestResponseObject, error) {
	ctx, x := begin(ctx)
	req := vault.ExecuteRequest{
		ConfirmSubject: value(r.Body.ConfirmSubject), PreviewID: value(r.Body.PreviewId),
		DryRun: value(r.Body.DryRun), Suppress: string(value(r.Body.Suppress)), ApprovalID: value(r.Body.ApprovalId),
	}
	// What a request asks for never changes, so that it may be read before.
	info, err := a.service.SubjectRequest(ctx, x.call, r.RequestId)
	if err != nil {
		return nil, err
	}
	if info.Kind != vault.RequestErasure {
		switch {
		case r.Body.Suppress != nil:
			return nil, vault.Invalid("/suppress", "goes with an erasure only")
		case r.Body.ApprovalId != nil:
			return nil, vault.Invalid("/approval_id", "goes with an erasure only")
		}
		return counted(a.service.RestrictSubject(ctx, x.call, r.RequestId, req))
	}
	result, err := a.service.ExecuteErasure(ctx, x.call, r.RequestId, req)
	if err != nil {
		return nil, err
	}
	return ok(erasureStep(&result)), nil
}

// erasureStep answers an erasure, or what one would do.
func erasureStep(r *vault.ErasureResult) gen.SubjectRequestStep {
	parts := make([]gen.ErasurePart, 0, len(r.Parts))
	var sum vault.ErasureCounts
	for _, p := range r.Parts {
		parts = append(parts, gen.ErasurePart{
			ScopeRef: p.ScopeID, Outcome: outcomeOf(p.Erased, p.Deferred, p.Shared),
			Erased: int64(p.Erased), Deferred: int64(p.Deferred), Shared: int64(p.Shared),
		})
		sum.Erased, sum.Deferred, sum.Shared = sum.Erased+p.Erased, sum.Deferred+p.Deferred, sum.Shared+p.Shared
	}
	answer := gen.SubjectRequestStep{Parts: &parts, Audit: receipt(r.Audit)}
	if r.Request == nil {
		answer.PreviewId, answer.Counts = pointer(r.PreviewID), pointer(toldCounts(sum))
	} else {
		answer.Request = pointer(subjectRequest(r.Request))
	}
	if r.Erasure != nil {
		sum = r.Erasure.Counts // of a repeated request, too, which has no parts
	}
	answer.Outcome = pointer(outcomeOf(sum.Erased, sum.Deferred, sum.Shared))
	return answer
}

func outcomeOf(erased, deferred, shared int) gen.ErasureOutcome {
	switch {
	case deferred > 0:
		return gen.ErasureOutcomeDeferred
	case erased > 0:
		return gen.ErasureOutcomeErased
	case shared > 0:
		return gen.ErasureOutcomeShared
	default:
		return gen.ErasureOutcomeNotFound
	}
}
