package httpapi

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// NewExposing makes an interface whose /metrics is somebody else's, to have a
// handler that fails in the middle of its answer.
func NewExposing(cfg Config, exposition http.Handler) (http.Handler, error) {
	a, err := newAPI(cfg, time.Now)
	if err != nil {
		return nil, err
	}
	a.exposition = exposition
	return a.engine()
}

// NewAt makes an interface whose rates go by a clock of the test.
func NewAt(cfg Config, now func() time.Time) (http.Handler, error) {
	a, err := newAPI(cfg, now)
	if err != nil {
		return nil, err
	}
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
