package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Reviews lists the uses that somebody has to look at.
func (a *api) Reviews(ctx context.Context, r gen.ReviewsRequestObject) (gen.ReviewsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Reviews(ctx, x.call, vault.ReviewListRequest{
		Status: string(value(r.Params.Status)), Limit: int(value(r.Params.Limit)), Cursor: value(r.Params.Cursor),
	})
	if err != nil {
		return nil, err
	}
	return ok(gen.ReviewPage{
		Reviews: each(page.Reviews, review), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// CloseReview says what a review found.
func (a *api) CloseReview(ctx context.Context, r gen.CloseReviewRequestObject) (gen.CloseReviewResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.CloseReview(ctx, x.call, r.ReviewId, string(r.Body.Finding), r.Body.Reference)
	if err != nil {
		return nil, err
	}
	out := review(&result.Review)
	out.Audit, out.RequestId = receipt(result.Audit), pointer(x.requestID)
	return ok(out), nil
}

func review(i *vault.ReviewInfo) gen.Review {
	out := gen.Review{
		Id: i.ID, Status: gen.ReviewStatusOpen, Actor: i.Actor, Reason: i.Reason, Reference: optional(i.Reference),
		Tokens: int64(i.Tokens), Entities: counts(i.Entities), ScopeRefs: list(i.ScopeRefs),
		OpenedAt: i.OpenedAt, DueAt: i.DueAt,
		Finding: optional(gen.ReviewFinding(i.Finding)), FindingReference: optional(i.FindingReference),
		ClosedBy: optional(i.ClosedBy), ClosedAt: moment(i.ClosedAt),
	}
	switch {
	case i.Finding != "":
		out.Status = gen.ReviewStatusClosed
	case i.Overdue:
		out.Status = gen.ReviewStatusOverdue
	}
	return out
}
