package httpapi

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// NewExposing makes an interface whose /metrics is somebody else's, to have a
// handler that fails in the middle of its answer.
func NewExposing(cfg Config, exposition http.Handler) (http.Handler, error) {
	a, err := newAPI(cfg)
	if err != nil {
		return nil, err
	}
	a.exposition = exposition
	return a.engine()
}

// Careless makes every request put a value into its trace, past the closed list.
func Careless(cfg *Config) {
	authenticate := cfg.Authenticate
	cfg.Authenticate = func(ctx context.Context, bearer string) (vault.Caller, error) {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String("note", "kanarie-7c1e@example.org"))
		return authenticate(ctx, bearer)
	}
}
