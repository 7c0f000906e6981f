package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Sources are where the figures come from. What is nil or empty is not there, and
// is not served. None of the functions but Standing may wait.
type Sources struct {
	Commits    func() commitqueue.Stats
	KeyCache   func() envelope.CacheStats
	Breakers   map[Breaker]func() string // its state: closed, half-open or open
	Deliveries *Deliveries
	// Epoch is how often wrapping keys are to be rotated.
	Epoch time.Duration
	// Standing reads what needs the store: [Reader.Read]. It is called by Watch
	// alone, never by who asks for the figures.
	Standing func(ctx context.Context) (Standing, error)
	// Controls are the names of all controls.
	Controls []string
}

// Standing is how things stand over all tenants.
type Standing struct {
	Tenants int   // that are not closed
	Entries int64 // of all logs
	Lags    map[Stage]Lag
	Matters map[Matter]Count
	Backlog int // expired mappings, and Behind the tenants with a full batch of them
	Behind  int
	// WrappingKeyAge and LogKeyAge are of the tenant whose key is the oldest.
	WrappingKeyAge, LogKeyAge time.Duration
	Controls                  map[ControlResult]int // logs by the last result in them
}

// Lag is how far a stage is behind the heads.
type Lag struct {
	Entries int64
	Age     time.Duration // of the oldest entry that is not done
}

// Count is a number of matters: of those that are open some are due soon, and
// others overdue.
type Count struct{ Open, Soon, Overdue int }

// ControlResult is a result of a control.
type ControlResult struct{ Control, Result string }

// noticeBounds are from a receiver that answers at once to one that was away for
// most of a day.
var noticeBounds = []float64{1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 16 * 3600}

// Deliveries counts what becomes of notices. The zero value is ready for use.
type Deliveries struct {
	mu                            sync.Mutex
	delivered, postponed, givenUp uint64
	buckets                       [11]uint64 // of noticeBounds, cumulative
	sum                           float64
}

// Deliver is how a notice of a tenant is delivered.
type Deliver = func(ctx context.Context, tenant string, n vault.Notice) vault.Delivery

// Counted is deliver, counted. The clock is the one by which notices have times.
func (d *Deliveries) Counted(deliver Deliver, now func() time.Time) Deliver {
	return func(ctx context.Context, tenant string, n vault.Notice) vault.Delivery {
		done := deliver(ctx, tenant, n)
		d.count(done, now().Sub(n.At))
		return done
	}
}

func (d *Deliveries) count(done vault.Delivery, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !done.Done:
		d.postponed++
		return
	case done.Failed != nil:
		d.givenUp++
		return
	}
	d.delivered++
	seconds := max(took, 0).Seconds()
	d.sum += seconds
	for i, bound := range noticeBounds {
		if seconds <= bound {
			d.buckets[i]++
		}
	}
}
