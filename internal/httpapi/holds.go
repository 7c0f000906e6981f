package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// PlaceHold places a legal hold, or says what one would reach.
func (a *api) PlaceHold(ctx context.Context, r gen.PlaceHoldRequestObject) (gen.PlaceHoldResponseObject, error) {
	ctx, x := begin(ctx)
	req, err := holdRequest(r.Body)
	if err != nil {
		return nil, err
	}
	result, err := a.service.PlaceHold(ctx, x.call, req)
	if err != nil {
		return nil, err
	}
	if result.Hold == nil {
		return ok(holdAnswer(result, x.requestID)), nil
	}
	return created(holdAnswer(result, x.requestID)), nil
}

// Holds lists the holds.
func (a *api) Holds(ctx context.Context, r gen.HoldsRequestObject) (gen.HoldsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Holds(ctx, x.call, vault.HoldListRequest{
		Standing: value(r.Params.Standing), Limit: int(value(r.Params.Limit)), Cursor: value(r.Params.Cursor),
	})
	if err != nil {
		return nil, err
	}
	answer := gen.HoldPage{
		Holds: make([]gen.HoldInfo, 0, len(page.Holds)), NextCursor: optional(page.Next), RequestId: x.requestID,
	}
	for i := range page.Holds {
		answer.Holds = append(answer.Holds, holdInfo(&page.Holds[i]))
	}
	return ok(answer), nil
}

// Hold shows one hold and what it reaches.
func (a *api) Hold(ctx context.Context, r gen.HoldRequestObject) (gen.HoldResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.Hold(ctx, x.call, r.HoldId)
	if err != nil {
		return nil, err
	}
	return ok(holdAnswer(result, x.requestID)), nil
}

// ReviewHold says when somebody has to look at a hold again.
func (a *api) ReviewHold(ctx context.Context, r gen.ReviewHoldRequestObject) (gen.ReviewHoldResponseObject, error) {
	ctx, x := begin(ctx)
	reviewBy, err := instant("/review_by", r.Body.ReviewBy)
	if err != nil {
		return nil, err
	}
	result, err := a.service.ReviewHold(ctx, x.call, r.HoldId, reviewBy)
	if err != nil {
		return nil, err
	}
	return ok(holdAnswer(result, x.requestID)), nil
}

// ReleaseHold ends a hold.
func (a *api) ReleaseHold(ctx context.Context, r gen.ReleaseHoldRequestObject) (gen.ReleaseHoldResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.ReleaseHold(ctx, x.call, r.HoldId, r.Body.Reference, value(r.Body.ApprovalId))
	if err != nil {
		return nil, err
	}
	return ok(holdAnswer(result, x.requestID)), nil
}

func holdRequest(b *gen.HoldRequest) (vault.HoldRequest, error) {
	reviewBy, errReview := instant("/review_by", b.ReviewBy)
	from, errFrom := instant("/match/from", b.Match.From)
	to, errTo := instant("/match/to", b.Match.To)
	req := vault.HoldRequest{
		Matter: b.Matter, Reference: b.Reference, Custodian: value(b.Custodian),
		Match: vault.HoldWords{
			Subjects: value(b.Match.Subjects), Identifiers: identifiers(b.Match.Identifiers),
			Scopes: value(b.Match.Scopes), Entities: value(b.Match.Entities), From: from, To: to,
			Destinations: value(b.Match.Destinations), BySent: value(b.Match.TimeField) == gen.Sent,
		},
		ExistingOnly: value(b.AppliesTo) == gen.Existing, Backups: value(b.Backups),
		ReviewBy: reviewBy, DryRun: value(b.DryRun),
	}
	for _, class := range value(b.Match.Classes) {
		req.Match.Classes = append(req.Match.Classes, string(class))
	}
	return req, errors.Join(errReview, errFrom, errTo)
}

func holdAnswer(r vault.HoldResult, requestID string) gen.HoldAnswer {
	answer := gen.HoldAnswer{Audit: receipt(r.Audit), RequestId: requestID}
	if r.Hold != nil {
		answer.Hold = pointer(holdInfo(r.Hold))
	}
	if r.Reach != nil {
		answer.Reach = &gen.Reach{
			Mappings: int64(r.Reach.Mappings), Expired: int64(r.Reach.Expired),
			Scopes: int64(r.Reach.Scopes), Subjects: int64(r.Reach.Subjects),
			Entities: make(map[string]int64, len(r.Reach.Entities)),
		}
		for entity, n := range r.Reach.Entities {
			answer.Reach.Entities[entity] = int64(n)
		}
	}
	return answer
}

func holdInfo(h *vault.HoldInfo) gen.HoldInfo {
	info := gen.HoldInfo{
		HoldId: h.ID, Matter: h.Matter, Reference: h.Reference, Custodian: optional(h.Custodian),
		Match: gen.HoldMatch{
			Subjects: int64(h.Subjects), Identifiers: int64(h.Identifiers), Scopes: int64(h.Scopes),
			Entities: list(h.Entities), Classes: make([]gen.EntityClass, 0, len(h.Classes)),
			Destinations: list(h.Destinations), From: moment(h.From), To: moment(h.To), TimeField: gen.Created,
		},
		AppliesTo: gen.ExistingAndFuture, Backups: h.Backups, ReviewBy: moment(h.ReviewBy),
		CreatedAt: h.CreatedAt, ReleasedAt: moment(h.ReleasedAt),
	}
	if h.ExistingOnly {
		info.AppliesTo = gen.Existing
	}
	if h.BySent {
		info.Match.TimeField = gen.Sent
	}
	for _, class := range h.Classes {
		info.Match.Classes = append(info.Match.Classes, gen.EntityClass(class))
	}
	return info
}
