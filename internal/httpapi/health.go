package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Healthz tells that the process is alive.
func (a *api) Healthz(context.Context, gen.HealthzRequestObject) (gen.HealthzResponseObject, error) {
	return ok(gen.Health{Status: gen.HealthStatusOk}), nil
}

// Readyz tells whether the service can serve. The error of the service names
// the component that cannot, and that is all that gets out. The event says since
// when, too.
func (a *api) Readyz(ctx context.Context, _ gen.ReadyzRequestObject) (gen.ReadyzResponseObject, error) {
	ctx, x := begin(ctx)
	err := a.service.Ready(ctx)
	if err == nil && a.alsoReady != nil {
		err = a.alsoReady()
	}
	x.missing, x.missingSince = a.absence.note(err, x.started)
	if err != nil {
		return nil, err
	}
	return ok(gen.Health{Status: gen.HealthStatusOk}), nil
}

// absence remembers which component was missing at the last probe, and since
// which probe.
type absence struct {
	mu      sync.Mutex
	missing string
	since   time.Time
}

// unnamed is a component that an error does not name.
const unnamed = "unnamed"

func (a *absence) note(err error, now time.Time) (missing string, since time.Time) {
	if err != nil {
		missing = unnamed
		var known *vault.Error
		if errors.As(err, &known) && known.Code == vault.CodeUnavailable && known.Detail != "" {
			missing = known.Detail // a constant of ours, as every detail
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if missing != a.missing {
		a.missing, a.since = missing, now
	}
	if missing == "" {
		return "", time.Time{}
	}
	return missing, a.since
}
