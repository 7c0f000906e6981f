package envelope_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// TestInvariant8_ForgetReachesKeysOnTheirWay: a key that is being unwrapped
// when it is forgotten is not cached afterwards.
func TestInvariant8_ForgetReachesKeysOnTheirWay(t *testing.T) {
	for name, forget := range map[string]func(*envelope.Cache, string){
		"Forget": func(c *envelope.Cache, id string) { c.Forget(tenant, id) },
		"Wipe":   func(c *envelope.Cache, _ string) { c.Wipe() },
	} {
		if n := heldAfter(t, forget); n != 0 {
			t.Errorf("%s: a forgotten key was cached", name)
		}
	}
}

func TestInvariant8_TwinOverlookedFlightIsNoticed(t *testing.T) {
	if n := heldAfter(t, func(c *envelope.Cache, id string) { c.ForgetCachedOnly(tenant, id) }); n == 0 {
		t.Error("a key that was on its way when it was forgotten was not noticed")
	}
}

func heldAfter(t *testing.T, forget func(c *envelope.Cache, id string)) int {
	w := newGate()
	keys := stored(fresh(t, w.Memory, tenant, 1))
	c := newCache(t, envelope.CacheConfig{})
	var group sync.WaitGroup
	group.Go(func() { get(t, c, w, tenant, keys[0]) })
	<-w.entered
	forget(c, keys[0].ID)
	w.open <- struct{}{}
	group.Wait()
	return c.Len()
}

// TestCacheSharesFlights: requests that miss the same keys at once wait for one
// call, and each calls only for what nobody else is fetching.
func TestCacheSharesFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		keys := stored(fresh(t, w.Memory, tenant, 3))
		c := newCache(t, envelope.CacheConfig{})
		calls := w.Calls()
		for range 20 {
			go func() {
				for _, o := range get(t, c, w, tenant, keys[:2]...) {
					if o.Err != nil {
						t.Error(o.Err)
					}
				}
			}()
		}
		synctest.Wait()
		go get(t, c, w, tenant, keys...)
		synctest.Wait()
		close(w.open)
		synctest.Wait()
		if got := w.Calls() - calls; got != 2 {
			t.Errorf("%d calls for 21 requests, not 2", got)
		}
	})
}

// TestCacheCancelledLeader: a request that ends takes nobody with it.
func TestCacheCancelledLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		keys := stored(fresh(t, w.Memory, tenant, 1))
		c := newCache(t, envelope.CacheConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := c.Get(ctx, w, tenant, keys); !errors.Is(err, context.Canceled) {
				t.Errorf("the cancelled request: %v, not Canceled", err)
			}
		}()
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- get(t, c, w, tenant, keys...)[0].Err }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(w.open)
		if err := <-done; err != nil {
			t.Errorf("the request that waited: %v", err)
		}
		synctest.Wait()
	})
}

// TestCacheCancelledWaiter: a request that waits for another's call ends with
// its own context.
func TestCacheCancelledWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		keys := stored(fresh(t, w.Memory, tenant, 1))
		c := newCache(t, envelope.CacheConfig{})
		go get(t, c, w, tenant, keys...)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Get(ctx, w, tenant, keys); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, not DeadlineExceeded", err)
		}
		close(w.open)
		synctest.Wait()
	})
}

// TestCacheAnotherRow: a request that read a row before it was re-wrapped does
// not make one fail that read it after.
func TestCacheAnotherRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		keys := stored(fresh(t, w.Memory, tenant, 1))
		stale := envelope.StoredKey{ID: keys[0].ID, Wrapped: envelope.Wrapped{Version: 1, Bytes: []byte("stale")}}
		c := newCache(t, envelope.CacheConfig{})
		go func() {
			if o := get(t, c, w, tenant, stale); !errors.Is(o[0].Err, envelope.ErrAuthentication) {
				t.Errorf("the stale row: %v, not ErrAuthentication", o[0].Err)
			}
		}()
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- get(t, c, w, tenant, keys[0])[0].Err }()
		synctest.Wait()
		close(w.open)
		if err := <-done; err != nil {
			t.Errorf("the row as it is now: %v", err)
		}
		synctest.Wait()
	})
}
