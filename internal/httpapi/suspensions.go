package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Suspend stops restorations.
func (a *api) Suspend(ctx context.Context, r gen.SuspendRequestObject) (gen.SuspendResponseObject, error) {
	ctx, x := begin(ctx)
	terms := &r.Body.Match
	from, errFrom := instant("/match/from", terms.From)
	to, errTo := instant("/match/to", terms.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	result, err := a.service.Suspend(ctx, x.call, vault.SuspensionRequest{
		Match: vault.SuspensionWords{
			Callers: value(terms.Callers), Clients: value(terms.Clients), EndUsers: value(terms.EndUsers),
			Scopes: value(terms.Scopes), Reasons: value(terms.Reasons), Entities: value(terms.Entities), From: from, To: to,
		},
		Reason: r.Body.Reason,
	})
	if err != nil {
		return nil, err
	}
	return created(suspensionAnswer(&result, x)), nil
}

// Suspensions lists the suspensions.
func (a *api) Suspensions(ctx context.Context, r gen.SuspensionsRequestObject) (gen.SuspensionsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Suspensions(ctx, x.call, proceedingList(r.Params.Open, r.Params.Limit, r.Params.Cursor))
	if err != nil {
		return nil, err
	}
	return ok(gen.SuspensionPage{
		Suspensions: each(page.Suspensions, suspension), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// LiftSuspension lifts a suspension.
func (a *api) LiftSuspension(ctx context.Context, r gen.LiftSuspensionRequestObject) (gen.LiftSuspensionResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.LiftSuspension(ctx, x.call, r.SuspensionId, r.Body.Reference)
	if err != nil {
		return nil, err
	}
	return ok(suspensionAnswer(&result, x)), nil
}

// proceedingList is what a page of any proceedings is asked for by.
func proceedingList(open *bool, limit *int32, cursor *string) vault.ProceedingListRequest {
	return vault.ProceedingListRequest{Open: value(open), Limit: int(value(limit)), Cursor: value(cursor)}
}

func suspensionAnswer(r *vault.SuspensionResult, x *exchange) gen.Suspension {
	out := suspension(&r.Suspension)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func suspension(i *vault.SuspensionInfo) gen.Suspension {
	return gen.Suspension{
		Id: i.ID, Reason: i.Reason, PlacedBy: i.PlacedBy, PlacedAt: i.PlacedAt, LiftedAt: moment(i.LiftedAt),
		Match: gen.SuspensionMatch{
			Callers: list(i.Callers), Clients: list(i.Clients), Reasons: list(i.Reasons), Entities: list(i.Entities),
			EndUsers: int64(i.EndUsers), Scopes: int64(i.Scopes), From: moment(i.From), To: moment(i.To),
		},
	}
}
