package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// OpenGrant lets an answer be restored while it streams.
func (a *api) OpenGrant(ctx context.Context, r gen.OpenGrantRequestObject) (gen.OpenGrantResponseObject, error) {
	ctx, x := begin(ctx)
	b := r.Body
	result, err := a.service.OpenGrant(ctx, x.call, vault.GrantRequest{
		Scope: b.Scope, ReadScopes: value(b.ReadScopes), Tokens: value(b.Tokens),
		GrantWish: vault.GrantWish{
			Reason: reasonGiven(b.Reason), Recipient: value(b.Recipient), TTL: duration(b.Ttl),
			Budget: int(value(b.Budget)), Renewable: value(b.Renewable),
		},
	})
	if err != nil {
		return nil, err
	}
	x.restored(result.Grant.Reason, result.Results)
	return created(grantAnswer(&result, x.requestID)), nil
}

// Grants lists the grants.
func (a *api) Grants(ctx context.Context, r gen.GrantsRequestObject) (gen.GrantsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.OpenGrants(ctx, x.call, proceedingList(r.Params.Open, r.Params.Limit, r.Params.Cursor))
	if err != nil {
		return nil, err
	}
	return ok(gen.GrantPage{Grants: each(page.Grants, grant), NextCursor: optional(page.Next), RequestId: x.requestID}), nil
}

// Grant shows a grant.
func (a *api) Grant(ctx context.Context, r gen.GrantRequestObject) (gen.GrantResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.Grant(ctx, x.call, r.GrantId)
	if err != nil {
		return nil, err
	}
	return ok(grantAnswer(&vault.GrantResult{Grant: info}, x.requestID)), nil
}

// RenewGrant lets a grant stand for longer.
func (a *api) RenewGrant(ctx context.Context, r gen.RenewGrantRequestObject) (gen.RenewGrantResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.RenewGrant(ctx, x.call, r.GrantId, duration(r.Body.Ttl))
	if err != nil {
		return nil, err
	}
	return ok(grantAnswer(&result, x.requestID)), nil
}

// CloseGrant ends a grant.
func (a *api) CloseGrant(ctx context.Context, r gen.CloseGrantRequestObject) (gen.CloseGrantResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.CloseGrant(ctx, x.call, r.GrantId)
	if err != nil {
		return nil, err
	}
	return ok(grantAnswer(&result, x.requestID)), nil
}

// grantWish is the grant that a prompt asks for, nil where it asks for none.
func grantWish(w *gen.GrantWish) *vault.GrantWish {
	if w == nil {
		return nil
	}
	return &vault.GrantWish{
		Reason: reasonGiven(&w.Reason), Recipient: value(w.Recipient), TTL: duration(w.Ttl),
		Budget: int(value(w.Budget)), Renewable: value(w.Renewable),
	}
}

func grantAnswer(r *vault.GrantResult, requestID string) gen.Grant {
	out := grant(&r.Grant)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(requestID)
	if r.Results != nil {
		out.Results = pointer(each(r.Results, tokenResult))
	}
	return out
}

func grant(i *vault.GrantInfo) gen.Grant {
	return gen.Grant{
		Id: i.ID, Status: gen.GrantStatus(i.Status), Actor: i.Actor, Client: i.Client, Reason: i.Reason,
		Reference: optional(i.Reference), Recipient: optional(i.Recipient), ScopeRefs: list(i.ScopeRefs),
		Tokens: int64(i.Tokens), Budget: int64(i.Budget), Renewable: i.Renewable, PolicyVersion: i.PolicyVersion,
		OpenedAt: i.OpenedAt, ExpiresAt: i.ExpiresAt, RenewableUntil: moment(i.RenewableUntil), ClosedAt: moment(i.ClosedAt),
	}
}
