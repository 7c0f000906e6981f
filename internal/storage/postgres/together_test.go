package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// asked are the reads that a double of the database was asked for: each waits until
// it is let go.
type asked struct {
	mu    sync.Mutex
	reads [][]int
	gate  chan error
}

// read answers each query with its tenfold.
func (a *asked) read(ctx context.Context, queries []int) ([]int, error) {
	a.mu.Lock()
	a.reads = append(a.reads, slices.Clone(queries))
	a.mu.Unlock()
	select {
	case err := <-a.gate:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answers := make([]int, len(queries))
	for i, q := range queries {
		answers[i] = 10 * q
	}
	return answers, nil
}

func (a *asked) sizes() []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return column(a.reads, func(queries []int) int { return len(queries) })
}

// crowd starts readers of one tenant, each after the one before is in its place.
func crowd(g *together[int, int], a *asked, ctxs ...context.Context) (answers []int, errs []error, wait func()) {
	answers, errs = make([]int, len(ctxs)), make([]error, len(ctxs))
	var group sync.WaitGroup
	for i, ctx := range ctxs {
		group.Go(func() { answers[i], errs[i] = g.do(ctx, "acme", i+1, a.read) })
		synctest.Wait()
	}
	return answers, errs, group.Wait
}

// TestReadsShare: what comes while a read is under way is the next one, as far as one
// goes, and each gets its own answer; another tenant waits for nobody.
func TestReadsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		a := &asked{gate: make(chan error)}
		ctxs := slices.Repeat([]context.Context{t.Context()}, maxShared+10)
		answers, errs, wait := crowd(&g, a, ctxs...)
		other := &asked{gate: make(chan error, 1)}
		other.gate <- nil
		if got, err := g.do(t.Context(), "globex", 7, other.read); got != 70 || err != nil {
			t.Errorf("another tenant: %d, %v", got, err)
		}
		close(a.gate)
		wait()
		for i := range answers {
			if answers[i] != 10*(i+1) || errs[i] != nil {
				t.Errorf("reader %d: %d, %v", i, answers[i], errs[i])
			}
		}
		if got := a.sizes(); !slices.Equal(got, []int{1, maxShared, 9}) || len(g.lines) != 0 {
			t.Errorf("reads of %v, and %d lines are left", got, len(g.lines))
		}
	})
}

// TestReadsShareFailures: an error is that of all who share a read, and of nobody
// else; so is a panic, which goes on in the one who read.
func TestReadsShareFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		a := &asked{gate: make(chan error)}
		ctx := t.Context()
		answers, errs, wait := crowd(&g, a, ctx, ctx, ctx)
		broken := errors.New("broken")
		a.gate <- nil
		a.gate <- broken
		wait()
		if answers[0] != 10 || errs[0] != nil || !errors.Is(errs[1], broken) || !errors.Is(errs[2], broken) {
			t.Errorf("%v, %v", answers, errs)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		gate := make(chan struct{})
		first := func(context.Context, []int) ([]int, error) { <-gate; return []int{1}, nil }
		panics := func(context.Context, []int) ([]int, error) { panic("broken") }
		var group sync.WaitGroup
		group.Go(func() { _, _ = g.do(t.Context(), "acme", 1, first) })
		synctest.Wait()
		var recovered any
		group.Go(func() {
			defer func() { recovered = recover() }()
			_, _ = g.do(t.Context(), "acme", 2, panics)
		})
		synctest.Wait()
		var err error
		group.Go(func() { _, err = g.do(t.Context(), "acme", 3, first) })
		synctest.Wait()
		close(gate)
		group.Wait()
		if recovered != "broken" || !errors.Is(err, errNotRead) || len(g.lines) != 0 {
			t.Errorf("recovered %v, the other got %v, %d lines are left", recovered, err, len(g.lines))
		}
	})
}

// TestReadsShareAndLeave: who leaves a line is not read for, and where its turn came
// at that moment the next one has it. A read that is shared does not end with the
// request that makes it.
func TestReadsShareAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		a := &asked{gate: make(chan error)}
		alone, goes := context.WithCancel(t.Context())
		ctxs := []context.Context{t.Context(), alone, alone, t.Context()}
		answers, errs, wait := crowd(&g, a, ctxs...)
		goes()
		synctest.Wait()
		if !errors.Is(errs[1], context.Canceled) || !errors.Is(errs[2], context.Canceled) {
			t.Errorf("those who left: %v", errs)
		}
		a.gate <- nil
		synctest.Wait()
		a.gate <- nil
		wait()
		if answers[3] != 40 || errs[3] != nil || !slices.Equal(a.sizes(), []int{1, 1}) {
			t.Errorf("%v, %v, reads of %v", answers, errs, a.sizes())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		a := &asked{gate: make(chan error)}
		leads, goes := context.WithTimeout(t.Context(), time.Second)
		defer goes()
		answers, errs, wait := crowd(&g, a, t.Context(), leads, t.Context())
		a.gate <- nil
		synctest.Wait() // the second reads, for the third too
		time.Sleep(2 * time.Second)
		a.gate <- nil
		wait()
		if fmt.Sprint(answers) != "[10 20 30]" || errors.Join(errs...) != nil {
			t.Errorf("%v, %v", answers, errs)
		}
	})
}

// TestReadsDoNotHoldWhoLeaves: one that is being read for by another need not wait for
// that when its own time is over.
func TestReadsDoNotHoldWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		a := &asked{gate: make(chan error)}
		leaves, goes := context.WithCancel(t.Context())
		answers, errs, wait := crowd(&g, a, t.Context(), t.Context(), leaves)
		a.gate <- nil
		synctest.Wait() // the second reads, for the third too
		goes()
		synctest.Wait()
		if !errors.Is(errs[2], context.Canceled) {
			t.Errorf("it waits: %v", errs[2])
		}
		a.gate <- nil
		wait()
		if answers[1] != 20 || errs[1] != nil || !slices.Equal(a.sizes(), []int{1, 2}) || len(g.lines) != 0 {
			t.Errorf("%v, %v, reads of %v", answers, errs, a.sizes())
		}
	})
}

// TestReadsPassTheTurn: the turn of one who has just left goes to the next.
func TestReadsPassTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g together[int, int]
		a := &asked{gate: make(chan error, 1)}
		left, goes := context.WithCancel(t.Context())
		goes()
		if !g.enter("acme", &reader[int, int]{1, make(chan turn[int], 1)}) {
			t.Fatal("somebody reads")
		}
		gone, next := &reader[int, int]{2, make(chan turn[int], 1)}, &reader[int, int]{3, make(chan turn[int], 1)}
		if g.enter("acme", gone) || g.enter("acme", next) {
			t.Fatal("nobody reads")
		}
		g.pass("acme") // to the one who goes
		if g.leave("acme", gone) {
			t.Fatal("it is still in the line")
		}
		if turn := <-gone.turn; turn.lead {
			g.pass("acme")
		}
		if turn := <-next.turn; !turn.lead {
			t.Fatal("the turn is lost")
		}
		a.gate <- nil
		if got, err := g.lead(left, "acme", next, func(_ context.Context, q []int) ([]int, error) { return q, nil }); got != 3 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	})
}
