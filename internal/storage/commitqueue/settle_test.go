package commitqueue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func unknown() error { return fmt.Errorf("connection lost: %w", commitqueue.ErrUnknown) }

// TestUnknownOutcomes is the table of what can happen around a commit.
func TestUnknownOutcomes(t *testing.T) {
	lost := func([]string) ([]string, error) { return nil, errDisk }
	tests := []struct {
		name     string
		outcomes []outcome // by attempt; the last one repeats
		lookup   func([]string) ([]string, error)
		want     error // nil: acknowledged
		attempts int
		durable  int
	}{
		{"committed", []outcome{{persist: true}}, nil, nil, 1, 1},
		{"failed before COMMIT", []outcome{{err: errDisk}}, nil, vault.ErrUnavailable, 1, 0},
		{"unknown but persisted", []outcome{{persist: true, err: unknown()}}, nil, nil, 1, 1},
		{"unknown and lost, then committed", []outcome{{err: unknown()}, {persist: true}}, nil, nil, 2, 1},
		{"unknown and lost, then failed", []outcome{{err: unknown()}, {err: errDisk}}, nil, vault.ErrUnavailable, 2, 0},
		{"unknown and lost, then unknown but persisted", []outcome{{err: unknown()}, {persist: true, err: unknown()}}, nil, nil, 2, 1},
		{"unknown and lost twice", []outcome{{err: unknown()}}, nil, vault.ErrUnavailable, 2, 0},
		{"unknown, persisted, cannot be looked up", []outcome{{persist: true, err: unknown()}}, lost, vault.ErrUnavailable, 1, 1},
		{"unknown, lost, cannot be looked up", []outcome{{err: unknown()}}, lost, vault.ErrUnavailable, 1, 0},
		{"panic before COMMIT", []outcome{{panics: true}}, nil, vault.ErrUnavailable, 1, 0},
		{"panic after COMMIT", []outcome{{persist: true, panics: true}}, nil, vault.ErrUnavailable, 1, 1},
		{"panic while looking up", []outcome{{persist: true, err: unknown()}}, func([]string) ([]string, error) { panic("lookup") }, vault.ErrUnavailable, 1, 1},
		{"panic while applying again", []outcome{{err: unknown()}, {panics: true}}, nil, vault.ErrUnavailable, 2, 0},
		{"too few results", []outcome{{persist: true, results: 1}}, nil, vault.ErrUnavailable, 1, 1},
		{"too few results of an unknown outcome", []outcome{{persist: true, results: 1, err: unknown()}}, nil, vault.ErrUnavailable, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{lookup: tt.lookup, outcome: func(n int) outcome { return tt.outcomes[min(n, len(tt.outcomes)-1)] }}
			q := commitqueue.New(f, commitqueue.Options{})
			defer q.Close()
			c := shared(t)
			got, err := q.Commit(t.Context(), "acme", c)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err == nil && (got.Count != 1 || got.First != int64(tt.attempts-1)) {
				t.Errorf("acknowledged %+v: not what attempt %d did", got, tt.attempts)
			}
			if n := len(f.seen()); n != tt.attempts || f.durable[c.ID()] != tt.durable {
				t.Errorf("%d attempts, committed %d times; want %d and %d", n, f.durable[c.ID()], tt.attempts, tt.durable)
			}
			// Whatever happened, the queue serves on.
			f.mu.Lock()
			f.outcome, f.lookup = nil, nil
			f.mu.Unlock()
			if _, err := q.Commit(t.Context(), "acme", shared(t)); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// history runs commits against a backend that fails at random, and returns
// what is wrong with the answers (invariant 15: nothing acknowledged is lost;
// what is refused without leaving it open was not written).
func history(t testing.TB, seed uint64, commits int, lookup func(*fake) func([]string) ([]string, error)) []string {
	random := rand.New(rand.NewPCG(seed, 1))
	f := &fake{}
	f.outcome = func(int) outcome { // called under the lock of the fake
		o := outcome{persist: random.IntN(2) == 0}
		switch random.IntN(6) {
		case 0:
			o.err = unknown()
		case 1:
			o.persist, o.err = false, errDisk
		case 2:
			o.panics = true
		case 3:
			o.persist, o.failing = true, map[int]error{0: vault.ErrConflict}
		default:
			o.persist = true
		}
		return o
	}
	if lookup != nil {
		f.lookup = lookup(f)
	}
	q := commitqueue.New(f, commitqueue.Options{Limits: commitqueue.Limits{MaxBatch: 4}})
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := make(map[string]error)
	for range commits {
		wg.Go(func() {
			c := shared(t)
			_, err := q.Commit(t.Context(), "acme", c)
			mu.Lock()
			defer mu.Unlock()
			answers[c.ID()] = err
		})
	}
	wg.Wait()
	q.Close()
	var wrong []string
	for id, err := range answers {
		switch n := f.durable[id]; {
		case n > 1:
			wrong = append(wrong, "committed more than once")
		case err == nil && n == 0:
			wrong = append(wrong, "acknowledged and lost")
		case err != nil && n > 0 && !errors.Is(err, vault.ErrUnavailable):
			wrong = append(wrong, "refused for good, and committed")
		}
	}
	return wrong
}

func TestInvariant15_NothingAcknowledgedIsLost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		if wrong := history(t, seed, rapid.IntRange(1, 40).Draw(r, "commits"), nil); len(wrong) > 0 {
			r.Fatal(wrong)
		}
	})
}

// A look-up that says yes without looking must make the history test red.
func TestInvariant15_TwinLyingLookup(t *testing.T) {
	caught := false
	for seed := range uint64(50) {
		lying := func(*fake) func([]string) ([]string, error) {
			return func(ids []string) ([]string, error) { return ids, nil }
		}
		caught = caught || len(history(t, seed, 40, lying)) > 0
	}
	if !caught {
		t.Error("a lying look-up went unnoticed in 50 histories")
	}
}

// A look-up that says no without looking must make it red, too.
func TestInvariant15_TwinBlindLookup(t *testing.T) {
	caught := false
	for seed := range uint64(50) {
		blind := func(*fake) func([]string) ([]string, error) {
			return func([]string) ([]string, error) { return nil, nil }
		}
		caught = caught || len(history(t, seed, 40, blind)) > 0
	}
	if !caught {
		t.Error("a blind look-up went unnoticed in 50 histories")
	}
}
