package commitqueue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestStatsCountBatchesAndWhatBecameOfChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{})
		b.backend.outcome = func(n int) outcome {
			switch n {
			case 1:
				return outcome{persist: true, failing: map[int]error{0: vault.ErrConflict}}
			case 2:
				return outcome{err: errDisk}
			}
			return outcome{persist: true}
		}
		b.commit(t.Context(), "acme", shared(t), vault.ErrConflict)
		b.commit(t.Context(), "acme", shared(t), nil)
		b.commit(t.Context(), "acme", shared(t), nil)
		b.commit(t.Context(), "acme", alone(t), vault.ErrUnavailable)
		if got := b.queue.Stats(); got.Waiting != 4 || got.Sizes.Count != 0 {
			t.Errorf("before: %+v", got)
		}
		time.Sleep(300 * time.Millisecond) // of the clock of the test
		b.finish()
		got := b.queue.Stats()
		if got.Committed != 3 || got.Refused != 1 || got.Unavailable != 1 || got.Waiting != 0 {
			t.Errorf("changes: %+v", got)
		}
		// One of one, one of three, one of one.
		if diff := cmp.Diff([]uint64{2, 2, 3, 3, 3, 3, 3, 3}, got.Sizes.Counts); diff != "" || got.Sizes.Count != 3 || got.Sizes.Sum != 5 {
			t.Errorf("sizes: %+v %s", got.Sizes, diff)
		}
		if s := got.Seconds; s.Count != 3 || s.Counts[7] != 2 || s.Counts[8] != 2 || s.Counts[9] != 3 || s.Sum != .3 {
			t.Errorf("seconds: %+v", s)
		}
		// What was handed out is not counted on.
		got.Sizes.Counts[0] = 99
		if b.queue.Stats().Sizes.Counts[0] != 2 {
			t.Error("who looks at the counts can change them")
		}
	})
}
