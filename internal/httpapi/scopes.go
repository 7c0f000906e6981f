package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// OpenScope makes a scope before its first use.
func (a *api) OpenScope(ctx context.Context, r gen.OpenScopeRequestObject) (gen.OpenScopeResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.OpenScope(ctx, x.call, vault.OpenScopeRequest{
		Scope: r.Body.Scope, Kind: vault.ScopeKind(r.Body.Kind),
		TTL: duration(r.Body.Ttl), IdleTTL: duration(r.Body.IdleTtl), EndUser: value(r.Body.EndUser),
	})
	if err != nil {
		return nil, err
	}
	answer := gen.ScopeAnswer{
		Kind: gen.ScopeKind(result.Kind), Created: result.Created, EndsAt: result.EndsAt,
		IdleTtl: int64(result.IdleTTL / time.Second), EndUserBound: result.EndUser,
		ScopeRef: result.ScopeRef, Audit: receipt(result.Audit), RequestId: x.requestID,
	}
	if result.Created {
		return created(answer), nil
	}
	return ok(answer), nil
}

// CloseScope ends a scope now.
func (a *api) CloseScope(ctx context.Context, r gen.CloseScopeRequestObject) (gen.CloseScopeResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.CloseScope(ctx, x.call, vault.CloseScopeRequest{Scope: r.Body.Scope})
	if err != nil {
		return nil, err
	}
	return ok(gen.CloseScopeAnswer{
		ScopeRef: result.ScopeRef, ClosedAt: result.ClosedAt, Audit: receipt(result.Audit), RequestId: x.requestID,
	}), nil
}
