package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Preamble serves what to tell a model about tokens.
func (a *api) Preamble(ctx context.Context, _ gen.PreambleRequestObject) (gen.PreambleResponseObject, error) {
	_, x := begin(ctx)
	return ok(gen.PreambleAnswer{Text: vault.Preamble, RequestId: x.call.RequestID}), nil
}
