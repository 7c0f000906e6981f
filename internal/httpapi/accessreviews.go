package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RecordAccessReview writes down a review of who may have what back.
func (a *api) RecordAccessReview(ctx context.Context, r gen.RecordAccessReviewRequestObject) (gen.RecordAccessReviewResponseObject, error) {
	ctx, x := begin(ctx)
	from, errFrom := instant("/from", &r.Body.From)
	to, errTo := instant("/to", &r.Body.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	req := vault.AccessReviewRequest{From: from, To: to, Reviewer: value(r.Body.Reviewer), Reference: r.Body.Reference}
	for _, d := range r.Body.Decisions {
		req.Decisions = append(req.Decisions, vault.AccessReviewDecision{Rule: d.Rule, Decision: string(d.Decision)})
	}
	result, err := a.service.RecordAccessReview(ctx, x.call, req)
	if err != nil {
		return nil, err
	}
	out := accessReview(&result.Review)
	out.Audit, out.RequestId = receipt(result.Audit), pointer(x.requestID)
	return created(out), nil
}

// AccessReviews lists the reviews of who may have what back.
func (a *api) AccessReviews(ctx context.Context, r gen.AccessReviewsRequestObject) (gen.AccessReviewsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.AccessReviews(ctx, x.call, proceedingList(nil, r.Params.Limit, r.Params.Cursor))
	if err != nil {
		return nil, err
	}
	return ok(gen.AccessReviewPage{
		Reviews: each(page.Reviews, accessReview), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

func accessReview(i *vault.AccessReviewInfo) gen.AccessReview {
	return gen.AccessReview{
		Id: i.ID, Reviewer: i.Reviewer, Reference: i.Reference, PolicyVersion: i.PolicyVersion,
		From: i.From, To: i.To, At: i.At, Decisions: each(i.Decisions, accessReviewDecision),
	}
}

func accessReviewDecision(d *vault.AccessReviewDecision) gen.AccessReviewDecision {
	return gen.AccessReviewDecision{Rule: d.Rule, Decision: gen.AccessReviewDecisionDecision(d.Decision)}
}
