package commitqueue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// bench holds a queue whose backend blocks on its first batch, so that what
// is committed after it has to wait.
type bench struct {
	t       *testing.T
	queue   *commitqueue.Queue
	backend *fake
	release chan struct{}
	results sync.WaitGroup
}

func blocked(t *testing.T, limits commitqueue.Limits) *bench {
	b := &bench{t: t, backend: &fake{}, release: make(chan struct{})}
	var first sync.Once
	b.backend.begin = func(string, []string) { first.Do(func() { <-b.release }) }
	b.queue = commitqueue.New(b.backend, commitqueue.Options{Limits: limits})
	b.commit(context.Background(), "acme", shared(t), nil)
	return b
}

// commit runs Commit to the point where it waits.
func (b *bench) commit(ctx context.Context, tenant string, c vault.Change, want error) {
	b.t.Helper()
	b.results.Go(func() {
		if _, err := b.queue.Commit(ctx, tenant, c); !errors.Is(err, want) {
			b.t.Errorf("commit of %s: got %v, want %v", tenant, err, want)
		}
	})
	synctest.Wait()
}

// finish lets the first batch go and returns the batches that came after it.
func (b *bench) finish() []applied {
	close(b.release)
	b.results.Wait()
	b.queue.Close()
	return b.backend.seen()[1:]
}

func TestIdleQueueCommitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		q := commitqueue.New(f, commitqueue.Options{})
		began := time.Now()
		for range 3 {
			if _, err := q.Commit(t.Context(), "acme", shared(t)); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("an idle queue waited %v", waited)
		}
		q.Close()
		if got := len(f.seen()); got != 3 {
			t.Errorf("got %d batches, want 3: nothing was there to be shared", got)
		}
	})
}

func TestArrivalsShareTheNextCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{})
		var want []string
		for range 10 {
			c := shared(t)
			want = append(want, c.ID())
			b.commit(t.Context(), "acme", c, nil)
		}
		if got := b.queue.Waiting("acme"); got != 10 {
			t.Errorf("%d wait, want 10", got)
		}
		if diff := cmp.Diff([]applied{{"acme", want}}, b.finish()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDestroyingChangesCommitAloneInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{})
		c := []vault.Change{shared(t), shared(t), alone(t), alone(t), shared(t), alone(t), shared(t)}
		for _, c := range c {
			b.commit(t.Context(), "acme", c, nil)
		}
		want := []applied{
			{"acme", []string{c[0].ID(), c[1].ID()}}, {"acme", []string{c[2].ID()}}, {"acme", []string{c[3].ID()}},
			{"acme", []string{c[4].ID()}}, {"acme", []string{c[5].ID()}}, {"acme", []string{c[6].ID()}},
		}
		if diff := cmp.Diff(want, b.finish()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBatchLimits(t *testing.T) {
	tests := []struct {
		name   string
		limits commitqueue.Limits
		rows   []int
		want   []int // sizes of the batches
	}{
		{"changes", commitqueue.Limits{MaxBatch: 3}, []int{1, 1, 1, 1, 1, 1, 1}, []int{3, 3, 1}},
		{"rows", commitqueue.Limits{MaxBatchRows: 10}, []int{4, 6, 1, 9, 2}, []int{2, 2, 1}},
		{"one too wide goes alone", commitqueue.Limits{MaxBatchRows: 10}, []int{1, 50, 1}, []int{1, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := blocked(t, tt.limits)
				for _, n := range tt.rows {
					b.commit(t.Context(), "acme", wide(t, n), nil)
				}
				var got []int
				for _, batch := range b.finish() {
					got = append(got, len(batch.IDs))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestTenantsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{MaxBatch: 2})
		for range 6 {
			b.commit(t.Context(), "acme", shared(t), nil)
		}
		b.commit(t.Context(), "globex", shared(t), nil)
		b.commit(t.Context(), "initech", shared(t), nil)
		var got []string
		for _, batch := range b.finish() {
			got = append(got, fmt.Sprint(batch.Tenant, len(batch.IDs)))
		}
		want := []string{"globex1", "initech1", "acme2", "acme2", "acme2"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a busy tenant made others wait: %s", diff)
		}
	})
}

func TestFullQueueRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{MaxQueued: 2, MaxQueuedTotal: 3})
		b.commit(t.Context(), "acme", shared(t), nil)
		b.commit(t.Context(), "acme", shared(t), nil)
		b.commit(t.Context(), "acme", shared(t), vault.ErrOverloaded)
		b.commit(t.Context(), "globex", shared(t), nil)
		b.commit(t.Context(), "globex", shared(t), vault.ErrOverloaded)
		b.finish()
	})
}

func TestLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{MaxWait: time.Second})
		c := shared(t)
		b.commit(t.Context(), "acme", c, vault.ErrOverloaded)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := b.queue.Waiting("acme"); n != 0 {
			t.Errorf("%d wait past the longest wait", n)
		}
		if later := b.finish(); len(later) != 0 {
			t.Errorf("what was refused was committed: %v", later)
		}
	})
}

func TestContextBoundsOnlyTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{})
		waiting, cancel := context.WithCancel(t.Context())
		b.commit(waiting, "acme", shared(t), context.Canceled)
		b.commit(waiting, "globex", shared(t), context.Canceled)
		stays := shared(t)
		b.commit(t.Context(), "acme", stays, nil)
		cancel()
		synctest.Wait()
		if diff := cmp.Diff([]applied{{"acme", []string{stays.ID()}}}, b.finish()); diff != "" {
			t.Errorf("what left the line was committed, or another was not: %s", diff)
		}
	})
}

func TestContextNeverCancelsABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		taken, release := make(chan struct{}), make(chan struct{})
		f.begin = func(string, []string) { close(taken); <-release }
		q := commitqueue.New(f, commitqueue.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-taken; cancel() }()
		c := shared(t)
		_, err := q.Commit(ctx, "acme", c)
		if !errors.Is(err, vault.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want an error that leaves the outcome open", err)
		}
		close(release)
		q.Close()
		if f.durable[c.ID()] != 1 {
			t.Error("a request that went away cancelled its batch")
		}
		if _, err := q.Commit(ctx, "acme", shared(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that had ended: got %v", err)
		}
	})
}

func TestCloseDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked(t, commitqueue.Limits{MaxBatch: 1})
		for range 5 {
			b.commit(t.Context(), "acme", shared(t), nil)
			b.commit(t.Context(), "globex", shared(t), nil)
		}
		go b.queue.Close()
		synctest.Wait()
		b.commit(t.Context(), "acme", shared(t), vault.ErrClosed)
		if got := len(b.finish()); got != 10 {
			t.Errorf("%d of 10 waiting changes were committed", got)
		}
		b.queue.Close()
	})
}

func TestWorkersNeverShareATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		var mu sync.Mutex
		under, most := map[string]int{}, 0
		f.begin = func(tenant string, _ []string) {
			mu.Lock()
			under[tenant]++
			if under[tenant] > 1 {
				t.Errorf("two batches of %s at once", tenant)
			}
			most = max(most, under["acme"]+under["globex"])
			mu.Unlock()
			time.Sleep(time.Millisecond) // the bubble's clock
			mu.Lock()
			under[tenant]--
			mu.Unlock()
		}
		q := commitqueue.New(f, commitqueue.Options{Limits: commitqueue.Limits{Workers: 4, MaxBatch: 2}})
		var wg sync.WaitGroup
		for range 20 {
			for _, tenant := range []string{"acme", "globex"} {
				wg.Go(func() {
					if _, err := q.Commit(t.Context(), tenant, shared(t)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		q.Close()
		if most != 2 {
			t.Errorf("at most %d batches at once, want those of two tenants", most)
		}
	})
}

func TestGateHoldsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		open := make(chan struct{})
		q := commitqueue.New(f, commitqueue.Options{Gate: func() { <-open }})
		b := &bench{t: t, queue: q, backend: f}
		gone, cancel := context.WithCancel(t.Context())
		b.commit(gone, "acme", shared(t), context.Canceled)
		cancel() // while the worker stands at the gate with nothing else to take
		synctest.Wait()
		for range 3 {
			b.commit(t.Context(), "acme", shared(t), nil)
		}
		close(open)
		b.results.Wait()
		q.Close()
		if got := f.seen(); len(got) != 1 || len(got[0].IDs) != 3 {
			t.Errorf("got %v, want one batch of three", got)
		}
	})
}

func TestZeroChangeIsRefused(t *testing.T) {
	f := &fake{}
	q := commitqueue.New(f, commitqueue.Options{})
	defer q.Close()
	if _, err := q.Commit(t.Context(), "acme", vault.Change{}); !errors.Is(err, vault.ErrNoEntry) {
		t.Errorf("got %v, want ErrNoEntry", err)
	}
	if len(f.seen()) != 0 {
		t.Error("a change without an entry reached the backend")
	}
}

func TestPanicErrorHoldsNoValue(t *testing.T) {
	f := &fake{outcome: func(int) outcome { return outcome{panics: true} }}
	q := commitqueue.New(f, commitqueue.Options{})
	defer q.Close()
	_, err := q.Commit(t.Context(), "acme", shared(t))
	var panicked *commitqueue.PanicError
	if !errors.As(err, &panicked) || !errors.Is(err, vault.ErrUnavailable) {
		t.Fatalf("got %v, want an unavailable store because of a panic", err)
	}
	if strings.Contains(err.Error(), "4111") || len(panicked.Stack) == 0 {
		t.Errorf("the error must have a stack and not the value of the panic: %v", err)
	}
}
