package commitqueue

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// The limits, each with the reason for its number. The zero value of a field
// of [Limits] means the constant of its name.
const (
	// MaxQueued is the number of changes of one tenant that wait. At the 5,000
	// shared changes per second that an embedded store reaches it is a fifth of
	// a second of work; whoever comes later is told to come again.
	MaxQueued = 1024
	// MaxQueuedTotal is the same over all tenants. It bounds the memory that
	// waiting changes hold.
	MaxQueuedTotal = 16 * MaxQueued
	// MaxWait is how long a change waits before it is taken. A caller that has
	// not given up after it would not be helped by waiting longer.
	MaxWait = 5 * time.Second
	// MaxBatch is the number of changes in one commit. The gain of sharing an
	// fsync is nearly all had at 64; more only delays the first of the batch.
	MaxBatch = 128
	// MaxBatchRows is the number of rows that one commit may be expected to
	// write or check, unless a single change has more: 20 ms of work at the
	// 5 µs that a row takes, which is what the next change has to wait.
	MaxBatchRows = 4096
	// DefaultWorkers suits a store with one writer.
	DefaultWorkers = 1
)

// Limits are the numbers of one queue.
type Limits struct {
	MaxQueued      int
	MaxQueuedTotal int
	MaxWait        time.Duration
	MaxBatch       int
	MaxBatchRows   int
	Workers        int // batches that are applied at the same time, each of another tenant
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.MaxQueued, MaxQueued)
	def(&l.MaxQueuedTotal, MaxQueuedTotal)
	def(&l.MaxBatch, MaxBatch)
	def(&l.MaxBatchRows, MaxBatchRows)
	def(&l.Workers, DefaultWorkers)
	if l.MaxWait <= 0 {
		l.MaxWait = MaxWait
	}
	return l
}

// rows estimates what a change costs: the rows that it writes or checks, one
// of them its entry.
func rows(c vault.Change) int {
	switch e := c.Effect().(type) {
	case vault.Tokenize:
		return 1 + len(e.Mappings) + len(e.Touch) + len(e.Keys) + len(e.Subjects)
	case vault.Restore:
		return 1 + len(e.Refs)
	case vault.OpenScope:
		return 2 + len(e.Keys)
	default:
		return 1
	}
}
