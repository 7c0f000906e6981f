package transit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// held is a share whose calls wait until they are let go, and the sizes of the
// calls that were made.
type held struct {
	transit.Share
	let chan error

	mu    sync.Mutex
	sizes []int
}

func newHeld() *held {
	h := &held{let: make(chan error)}
	h.Share = transit.NewShare(func(n int) error {
		h.mu.Lock()
		h.sizes = append(h.sizes, n)
		h.mu.Unlock()
		return <-h.let
	})
	return h
}

// TestNextCallIsShared: the first goes at once, who comes meanwhile goes
// together, and an error is that of those who shared the call.
func TestNextCallIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		errs := make([]error, 6)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = h.Call(t.Context(), "a", fmt.Sprint("item ", i)) })
			synctest.Wait()
		}
		broken := errors.New("broken")
		h.let <- nil
		h.let <- broken
		group.Wait()
		if diff := cmp.Diff([]int{1, 5}, h.sizes); diff != "" {
			t.Errorf("items of each call (-want +got):\n%s", diff)
		}
		for i, err := range errs {
			if want := map[bool]error{true: nil, false: broken}[i == 0]; !errors.Is(err, want) {
				t.Errorf("caller %d: %v, want %v", i, err, want)
			}
		}
		if n := h.Lines(); n != 0 {
			t.Errorf("%d lines are left", n)
		}
	})
}

// TestTenantsDoNotWaitForEachOther: another path is another line.
func TestTenantsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		var group sync.WaitGroup
		for _, path := range []string{"a", "b", "c"} {
			group.Go(func() {
				if err := h.Call(t.Context(), path, path); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if diff := cmp.Diff([]int{1, 1, 1}, h.sizes); diff != "" {
			t.Errorf("items of each call (-want +got):\n%s", diff)
		}
		for range 3 {
			h.let <- nil
		}
		group.Wait()
	})
}

// TestWhoLeavesTakesNobodyAlong: a caller whose context ends goes at once, and
// those with whom it shares a call have their answers.
func TestWhoLeavesTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		leaving, leave := context.WithCancel(t.Context())
		errs := make([]error, 3)
		var group sync.WaitGroup
		for i, ctx := range []context.Context{leaving, leaving, t.Context()} { // on its way, waiting, and staying
			group.Go(func() { errs[i] = h.Call(ctx, "a", fmt.Sprint("item ", i)) })
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		for i := range 2 {
			if !errors.Is(errs[i], context.Canceled) {
				t.Errorf("caller %d has not left: %v", i, errs[i])
			}
		}
		h.let <- nil
		h.let <- nil
		group.Wait()
		if errs[2] != nil {
			t.Errorf("who stayed: %v", errs[2])
		}
	})
}

// TestInvariant17_WaitingIsBounded: more than the line holds are told so.
func TestInvariant17_WaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		var group sync.WaitGroup
		for range transit.MaxWaiting + 1 { // one is on its way
			group.Go(func() {
				if err := h.Call(t.Context(), "a", "x"); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		if n := h.Waiting("a"); n != transit.MaxWaiting {
			t.Fatalf("%d wait, want %d", n, transit.MaxWaiting)
		}
		if err := h.Call(t.Context(), "a", "x"); !errors.Is(err, envelope.ErrUnavailable) {
			t.Errorf("one too many: %v", err)
		}
		for h.Lines() > 0 {
			h.let <- nil
			synctest.Wait()
		}
		group.Wait()
	})
}
