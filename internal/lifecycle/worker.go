package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// PublishEvery is how often checkpoints and anchors move.
	PublishEvery = time.Second
	// SweepEvery is how often a sweep looks for what has expired. Expiry does
	// not wait for it, so it may be slow.
	SweepEvery = 30 * time.Second
	// SweepBatches bounds the batches of one tenant in one round, so that one
	// tenant's backlog does not starve the others.
	SweepBatches = 20
)

// Worker does the background work of one process.
type Worker struct {
	service   *vault.Service
	anchors   AnchorStore
	logger    *slog.Logger
	published map[string]int64 // size of the last checkpoint per tenant
}

// NewWorker makes a worker; Run starts it.
func NewWorker(service *vault.Service, anchors AnchorStore, logger *slog.Logger) *Worker {
	return &Worker{service: service, anchors: anchors, logger: logger, published: make(map[string]int64)}
}

// Run works until the context ends. A step that fails is logged and tried
// again in its time.
func (w *Worker) Run(ctx context.Context) {
	publish := time.NewTicker(PublishEvery)
	defer publish.Stop()
	sweep := time.NewTicker(SweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-publish.C:
			w.report("publish", errors.Join(w.service.FlushDenials(ctx, false), w.Publish(ctx)))
		case <-sweep.C:
			w.report("sweep", errors.Join(w.Sweep(ctx), w.ForgetClaims(ctx)))
		}
	}
}

func (w *Worker) report(step string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		w.logger.Error("background work failed", "step", step, "error", err.Error())
	}
}

// Publish moves the checkpoint and the anchor of every log that has grown.
func (w *Worker) Publish(ctx context.Context) error {
	tenants, err := w.service.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, tenant := range tenants {
		anchor, moved, err := w.service.PublishCheckpoint(ctx, tenant, w.published[tenant])
		if err == nil && moved {
			if err = w.anchors.Write(anchor); err == nil {
				w.published[tenant] = anchor.Size
			}
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// ForgetClaims deletes idempotency keys whose time is over.
func (w *Worker) ForgetClaims(ctx context.Context) error {
	tenants, err := w.service.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, tenant := range tenants {
		for range SweepBatches {
			more, err := w.service.ForgetClaims(ctx, tenant)
			failed = errors.Join(failed, err)
			if !more || err != nil {
				break
			}
		}
	}
	return failed
}

// Sweep destroys what has expired, in batches, tenant by tenant.
func (w *Worker) Sweep(ctx context.Context) error {
	tenants, err := w.service.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, tenant := range tenants {
		for range SweepBatches {
			more, err := w.service.Sweep(ctx, tenant)
			if err != nil {
				failed = errors.Join(failed, err)
			}
			if !more || err != nil {
				break
			}
		}
	}
	return failed
}
