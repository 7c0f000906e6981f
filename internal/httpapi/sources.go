package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// SourceTokens lists the tokens of a document.
func (a *api) SourceTokens(ctx context.Context, r gen.SourceTokensRequestObject) (gen.SourceTokensResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.SourceTokens(ctx, x.call, vault.SourceRequest{
		Scope: r.Body.Scope, SourceRef: r.Body.SourceRef,
		Limit: int(value(r.Body.Limit)), Cursor: value(r.Body.Cursor),
	})
	if err != nil {
		return nil, err
	}
	answer := gen.SourcePage{
		Tokens: make([]gen.SourceToken, 0, len(page.Tokens)), NextCursor: optional(page.Next), RequestId: x.requestID,
	}
	for _, t := range page.Tokens {
		answer.Tokens = append(answer.Tokens, gen.SourceToken{
			Token: t.Token, Entity: t.Entity, Class: gen.EntityClass(t.Class), ExpiresAt: *t.ExpiresAt,
		})
	}
	return ok(answer), nil
}
