package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// PublishEvery is how often checkpoints and anchors move.
	PublishEvery = time.Second
	// SweepEvery is how often a sweep looks for what has expired. Expiry does
	// not wait for it, so it may be slow.
	SweepEvery = 30 * time.Second
	// GrantsEvery is how often grants whose time is over get their closing entries.
	// They give nothing from that time on, whether or not that was done.
	GrantsEvery = 5 * time.Second
	// SweepBatches bounds the batches of one tenant in one round, so that one
	// tenant's backlog does not starve the others.
	SweepBatches = 20
	// SlowSweep is how long a tenant may take in a round that leaves nothing to
	// do. After more, as where a hold keeps a million values past which each plan
	// has to look, it is left alone for a multiple of it.
	SlowSweep = 2 * time.Second
	// SweepRest is that multiple.
	SweepRest = 20
	// RecordsEvery is how often the service's own records are looked through for
	// what it has kept long enough: they are kept for years.
	RecordsEvery = time.Hour
)

// Worker does the background work of one process.
type Worker struct {
	service   *vault.Service
	anchors   AnchorStore
	journals  *Journals
	woken     chan struct{} // an erasure is to be journaled at once
	logger    *slog.Logger
	published map[string]int64 // size of the last checkpoint per tenant, of Publish alone
	turn      func(ctx context.Context, of string) (release func(), held bool, err error)
	deliver   func(context.Context, string, vault.Notice) vault.Delivery // nil: nobody is told
	chores    []Chore
	now       func() time.Time
	rests     map[string]time.Time // until when a tenant is not swept, of Sweep alone
	records   time.Time            // when records were last looked through, of Round alone
}

// NewWorker makes a worker; Run starts it.
func NewWorker(service *vault.Service, journals *Journals, logger *slog.Logger) *Worker {
	return &Worker{service: service, anchors: journals.anchors, journals: journals, logger: logger, published: make(map[string]int64),
		woken: make(chan struct{}, 1),
		now:   time.Now, rests: make(map[string]time.Time),
		chores: []Chore{{Name: "grants", Pause: GrantsEvery, Turns: true, Batch: service.CloseExpiredGrants}}}
}

// Run works until the context ends. A step that fails is logged and tried
// again in its time.
func (w *Worker) Run(ctx context.Context) {
	// A sweep may take long, and the log goes on meanwhile.
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		w.every(ctx, SweepEvery, nil, "sweep", func() error { return w.Round(ctx) })
	})
	for _, c := range w.chores {
		sweeping.Go(func() {
			w.every(ctx, c.Pause, nil, c.Name, func() error { return w.do(ctx, c) })
		})
	}
	w.every(ctx, PublishEvery, w.woken, "publish", func() error {
		return errors.Join(w.service.FlushDenials(ctx, false), w.service.SyncPolicies(ctx), w.eachTenant(ctx, func(tenant string) error {
			return w.service.SyncLogKeys(ctx, tenant)
		}), w.Publish(ctx))
	})
	sweeping.Wait()
}

// A Chore is work on each log that has a pace of its own and may take its time.
type Chore struct {
	Name  string
	Pause time.Duration
	// Turns has replicas do it one at a time.
	Turns bool
	Batch func(ctx context.Context, tenant string) (more bool, err error)
}

// Also has the worker do batches of something for every tenant, beside everything
// else: what hangs there holds nothing up. It is called before Run.
func (w *Worker) Also(c Chore) { w.chores = append(w.chores, c) }

// do does a round of a chore.
func (w *Worker) do(ctx context.Context, c Chore) error {
	if c.Turns {
		release, mine := w.takeTurn(ctx, c.Name)
		if !mine {
			return nil
		}
		defer release()
	}
	return w.eachBatch(ctx, c.Batch)
}

// SendWith has the worker deliver notices: a receiver may take its time. It is
// called before Run.
func (w *Worker) SendWith(deliver func(context.Context, string, vault.Notice) vault.Delivery) {
	w.deliver = deliver
	w.Also(Chore{Name: "notices", Pause: PublishEvery, Batch: w.sendNotices})
}

// SendNotices delivers what is due, of every tenant.
func (w *Worker) SendNotices(ctx context.Context) error { return w.eachBatch(ctx, w.sendNotices) }

func (w *Worker) sendNotices(ctx context.Context, tenant string) (bool, error) {
	return w.service.SendNotices(ctx, tenant, w.deliver)
}

// Wake has the next publication come at once. It never waits.
func (w *Worker) Wake() {
	select {
	case w.woken <- struct{}{}:
	default: // it is awake already
	}
}

func (w *Worker) every(ctx context.Context, pause time.Duration, woken <-chan struct{}, step string, do func() error) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-woken:
		}
		w.report(step, do())
	}
}

func (w *Worker) report(step string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		w.logger.Error("background work failed", "step", step, "error", err.Error())
	}
}

// Publish moves the checkpoint and the anchor of every log that has grown. What an
// anchor speaks for is in the journal of erasures before it.
func (w *Worker) Publish(ctx context.Context) error {
	return w.eachTenant(ctx, func(tenant string) error {
		anchor, moved, err := w.service.PublishCheckpoint(ctx, tenant, w.published[tenant])
		if err != nil || !moved {
			return err
		}
		// Read after the head that the anchor states: no erasure up to it is missing.
		if anchor.Tombstones, err = w.journals.CatchUp(ctx, tenant); err != nil {
			return err
		}
		if err = w.anchors.Write(anchor); err == nil {
			w.published[tenant] = anchor.Size
		}
		return err
	})
}

// Reanchor puts an anchor of the log as it stands in place of the one that is kept,
// which is set aside: what that one spoke for is lost.
func (w *Worker) Reanchor(ctx context.Context, tenant string) error {
	anchor, _, err := w.service.PublishCheckpoint(ctx, tenant, 0)
	if err != nil {
		return err
	}
	if anchor.Tombstones, err = w.journals.CatchUp(ctx, tenant); err != nil {
		return err
	}
	if err = w.journals.SetAside(tenant, &anchor); err == nil {
		w.published[tenant] = anchor.Size
	}
	return err
}

// TakeTurns has replicas do their rounds one at a time, by leases with names. It
// saves work: two that sweep at once meet in the commit, and one of them tries again.
func (w *Worker) TakeTurns(turn func(ctx context.Context, of string) (release func(), held bool, err error)) {
	w.turn = turn
}

// takeTurn tells whether it is this replica's turn. Where that cannot be found out
// it is.
func (w *Worker) takeTurn(ctx context.Context, of string) (release func(), mine bool) {
	if w.turn == nil {
		return func() {}, true
	}
	release, held, err := w.turn(ctx, of)
	if err != nil {
		w.report("turn", err)
		return func() {}, true
	}
	return release, held
}

// Round does what is due in the background: erasures that were deferred, what
// has expired, idempotency keys, suppressions and closed grants whose time is over,
// and now and then the service's own records. Where another replica has the turn
// nothing is done.
func (w *Worker) Round(ctx context.Context) error {
	release, mine := w.takeTurn(ctx, "sweep")
	if !mine {
		return nil
	}
	defer release()
	failed := errors.Join(w.ResumeErasures(ctx), w.Sweep(ctx), w.ForgetClaims(ctx), w.ForgetSuppressions(ctx), w.eachBatch(ctx, w.service.ForgetSpent),
		w.eachBatch(ctx, w.service.ForgetGrants))
	if now := w.now(); now.Sub(w.records) >= RecordsEvery {
		w.records = now
		failed = errors.Join(failed, w.SweepRecords(ctx))
	}
	return failed
}

// SweepRecords forgets closed requests of persons as long ago as the policy keeps
// them, and people of whom there is nothing any more.
func (w *Worker) SweepRecords(ctx context.Context) error {
	return w.eachBatch(ctx, w.service.SweepRecords)
}

// ForgetSuppressions deletes what kept erased values out and does no more.
func (w *Worker) ForgetSuppressions(ctx context.Context) error {
	return w.eachBatch(ctx, w.service.ForgetSuppressions)
}

// ResumeErasures goes on with erasures that a hold deferred, where it was
// released.
func (w *Worker) ResumeErasures(ctx context.Context) error {
	return w.eachTenant(ctx, func(tenant string) error { return w.service.ResumeErasures(ctx, tenant) })
}

// ForgetClaims deletes idempotency keys whose time is over.
func (w *Worker) ForgetClaims(ctx context.Context) error {
	return w.eachBatch(ctx, w.service.ForgetClaims)
}

// eachBatch does batches of something for every tenant.
func (w *Worker) eachBatch(ctx context.Context, batch func(context.Context, string) (bool, error)) error {
	return w.eachTenant(ctx, func(tenant string) error {
		_, err := inBatches(func() (bool, error) { return batch(ctx, tenant) })
		return err
	})
}

// eachTenant does something for every tenant, also where it fails for another.
func (w *Worker) eachTenant(ctx context.Context, do func(tenant string) error) error {
	tenants, err := w.service.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, tenant := range tenants {
		failed = errors.Join(failed, do(tenant))
	}
	return failed
}

// inBatches does batches until none is left, one fails or the round has had
// enough of them, and tells whether there may be more.
func inBatches(batch func() (more bool, err error)) (more bool, err error) {
	for range SweepBatches {
		if more, err = batch(); !more || err != nil {
			return more, err
		}
	}
	return true, nil
}

// Sweep destroys what has expired, in batches, tenant by tenant.
func (w *Worker) Sweep(ctx context.Context) error {
	return w.eachTenant(ctx, func(tenant string) error {
		start := w.now()
		if start.Before(w.rests[tenant]) {
			return nil
		}
		more, err := inBatches(func() (bool, error) { return w.service.Sweep(ctx, tenant) })
		if end := w.now(); !more && end.Sub(start) > SlowSweep {
			w.rests[tenant] = end.Add(SweepRest * end.Sub(start))
		}
		return err
	})
}
