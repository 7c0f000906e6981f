package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
)

// Healthz tells that the process is alive.
func (a *api) Healthz(context.Context, gen.HealthzRequestObject) (gen.HealthzResponseObject, error) {
	return ok(gen.Health{Status: gen.Ok}), nil
}

// Readyz tells whether the service can serve. The error of the service names
// the component that cannot, and that is all that gets out.
func (a *api) Readyz(ctx context.Context, _ gen.ReadyzRequestObject) (gen.ReadyzResponseObject, error) {
	ctx, _ = begin(ctx)
	if err := a.service.Ready(ctx); err != nil {
		return nil, err
	}
	return ok(gen.Health{Status: gen.Ok}), nil
}
