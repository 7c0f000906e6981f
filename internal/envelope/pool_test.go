package envelope_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

func newPool(t testing.TB, w envelope.KeyWrapper, cfg envelope.PoolConfig) *envelope.Pool {
	t.Helper()
	p, err := envelope.NewPool(w, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func take(t testing.TB, p *envelope.Pool, tenant string) envelope.FreshKey {
	t.Helper()
	key, err := p.Take(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// counter counts the wrapping calls.
type counter struct {
	*wraptest.Memory
	wraps atomic.Int64
}

func (c *counter) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	c.wraps.Add(1)
	return c.Memory.Wrap(ctx, tenant, plain)
}

// TestPool: the first taker waits for a batch; then keys come without a call,
// and the shelf is filled again below the low-water mark.
func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &counter{Memory: wraptest.NewMemory()}
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, LowWater: 4})
		for i, want := range []struct {
			left  int
			wraps int64
		}{
			{9, 1}, {8, 1}, {7, 1}, {6, 1}, {5, 1}, {4, 1}, {10, 2}, {9, 2}, // the seventh leaves 3, and refills 7
		} {
			key := take(t, p, tenant)
			synctest.Wait()
			if p.Len(tenant) != want.left || w.wraps.Load() != want.wraps {
				t.Fatalf("take %d: %d keys left after %d calls, not %d after %d",
					i, p.Len(tenant), w.wraps.Load(), want.left, want.wraps)
			}
			opened, err := envelope.OpenDataKeys(t.Context(), w, tenant, stored([]envelope.FreshKey{key}))
			if err != nil || opened[0].Err != nil {
				t.Fatalf("take %d: the wrapped form does not open: %v, %v", i, err, opened[0].Err)
			}
			if err := sameKey(key.Key, opened[0].Key); err != nil {
				t.Fatalf("take %d: %v", i, err)
			}
		}
	})
}

// handedOutTwice takes keys from several goroutines and looks for one that two
// of them got.
func handedOutTwice(t *testing.T, take func(ctx context.Context, tenant string) (envelope.FreshKey, error)) error {
	const takers, each = 8, 250
	ids := make([][]string, takers)
	var group sync.WaitGroup
	for i := range takers {
		group.Go(func() {
			for range each {
				key, err := take(t.Context(), tenant)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = append(ids[i], key.ID)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, id := range slices.Concat(ids...) {
		if seen[id] {
			return fmt.Errorf("key %s was handed out twice", id)
		}
		seen[id] = true
	}
	if len(seen) != takers*each {
		return fmt.Errorf("%d keys for %d takes", len(seen), takers*each)
	}
	return nil
}

func TestPoolHandsOutOnce(t *testing.T) {
	var ticks atomic.Int64
	hurried := func() time.Time { return time.Unix(ticks.Add(10), 0) } // keys are old after some 30 takes
	for _, cfg := range []envelope.PoolConfig{{}, {Keys: 1}, {Keys: 7, LowWater: 6}, {Now: hurried}} {
		p := newPool(t, wraptest.NewMemory(), cfg)
		if err := handedOutTwice(t, p.Take); err != nil {
			t.Errorf("%d keys, low water %d: %v", cfg.Keys, cfg.LowWater, err)
		}
	}
}

func TestPoolTwinKeyLeftOnTheShelfIsNoticed(t *testing.T) {
	p := newPool(t, wraptest.NewMemory(), envelope.PoolConfig{})
	if err := handedOutTwice(t, p.TakeAndKeep); err == nil {
		t.Error("a key that was handed out twice was not noticed")
	}
}

// TestPoolAge: keys past their time are neither handed out nor kept, and a
// tenant that went silent keeps nothing at all.
func TestPoolAge(t *testing.T) {
	if err := agedPool(t, func(*envelope.Pool) {}); err != nil {
		t.Error(err)
	}
}

func TestPoolAgeTwinKeptLongerIsNoticed(t *testing.T) {
	if err := agedPool(t, func(p *envelope.Pool) { p.KeepLonger(time.Hour) }); err == nil {
		t.Error("keys past their time were not noticed")
	}
}

func agedPool(t *testing.T, prepare func(*envelope.Pool)) (err error) {
	synctest.Test(t, func(t *testing.T) {
		w := &counter{Memory: wraptest.NewMemory()}
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, LowWater: 5})
		prepare(p)
		take(t, p, tenant)
		time.Sleep(envelope.MaxKeyAge - time.Second)
		synctest.Wait()
		if p.Len(tenant) != 9 {
			err = fmt.Errorf("%d of 9 keys left before their time", p.Len(tenant))
			return
		}
		for range 5 { // leaves 4 old ones and brings 6 new ones
			take(t, p, tenant)
		}
		synctest.Wait()
		for _, want := range []int{6, 0} {
			time.Sleep(time.Second)
			synctest.Wait()
			if p.Len(tenant) != want {
				err = fmt.Errorf("%d keys on the shelf, not %d", p.Len(tenant), want)
				return
			}
			time.Sleep(envelope.MaxKeyAge - time.Second)
		}
		synctest.Wait()
		if p.Tenants() != 0 || w.wraps.Load() != 2 {
			err = fmt.Errorf("a silent tenant has %d shelves and made %d calls", p.Tenants(), w.wraps.Load())
		}
	})
	return err
}

// weakened hands out keys that nothing wrapped while the key service is down.
type weakened struct {
	*wraptest.Memory
	bare bare
}

func (w weakened) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	if out, err := w.Memory.Wrap(ctx, tenant, plain); err == nil {
		return out, nil
	}
	return w.bare.Wrap(ctx, tenant, plain)
}

// withoutService takes keys until there are no more, with the key service down.
func withoutService(t *testing.T, w envelope.KeyWrapper, stop, start func()) (err error) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, LowWater: 5})
		take(t, p, tenant)
		stop()
		for range 9 {
			take(t, p, tenant)
			synctest.Wait()
		}
		for range 3 {
			_, takeErr := p.Take(t.Context(), tenant)
			if err = wants(takeErr, envelope.ErrUnavailable); err != nil {
				return
			}
		}
		start()
		take(t, p, tenant)
	})
	return err
}

// TestInvariant15_PoolWithoutKeyService: the pool hands out what it has, then
// ErrUnavailable, and recovers by itself.
func TestInvariant15_PoolWithoutKeyService(t *testing.T) {
	w := wraptest.NewMemory()
	if err := withoutService(t, w, w.Stop, w.Start); err != nil {
		t.Error(err)
	}
}

func TestInvariant15_TwinWeakerKeyIsNoticed(t *testing.T) {
	w := weakened{Memory: wraptest.NewMemory()}
	if err := withoutService(t, w, w.Stop, w.Start); err == nil {
		t.Error("a key that nothing wrapped was not noticed")
	}
}

// TestPoolSlowService: a service that does not answer in time is down for those
// who wait, whose own time is not over.
func TestPoolSlowService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		p := newPool(t, w, envelope.PoolConfig{})
		started := time.Now()
		_, err := p.Take(t.Context(), tenant)
		if !errors.Is(err, envelope.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, not ErrUnavailable alone", err)
		}
		if waited := time.Since(started); waited != envelope.PoolRefillTimeout {
			t.Errorf("waited for %s", waited)
		}
	})
}

// TestPoolCancelledTaker: a request that ends does not end the refill that the
// next one waits for.
func TestPoolCancelledTaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		p := newPool(t, w, envelope.PoolConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := p.Take(ctx, tenant); !errors.Is(err, context.Canceled) {
				t.Errorf("the cancelled taker: %v, not Canceled", err)
			}
		}()
		synctest.Wait()
		done := make(chan error, 1)
		go func() {
			_, err := p.Take(t.Context(), tenant)
			done <- err
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(w.open)
		if err := <-done; err != nil {
			t.Errorf("the taker that waited: %v", err)
		}
		if calls := w.Calls(); calls != 1 {
			t.Errorf("%d calls for both, not 1", calls)
		}
	})
}

// TestPoolTenants: tenants have keys of their own, and the one that was not
// used for longest makes room.
func TestPoolTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &counter{Memory: wraptest.NewMemory()}
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, MaxTenants: 2})
		for _, tenant := range []string{"a", "b", "a", "c"} { // b makes room
			if got := take(t, p, tenant).Key.Tenant(); got != tenant {
				t.Errorf("tenant %q gets a key of %q", tenant, got)
			}
			synctest.Wait()
		}
		if p.Len("a") != 8 || p.Len("b") != 0 || p.Len("c") != 9 || p.Tenants() != 2 {
			t.Errorf("%d, %d and %d keys of %d tenants, not 8, 0 and 9 of 2", p.Len("a"), p.Len("b"), p.Len("c"), p.Tenants())
		}
	})
}

// TestPoolMoreTenantsThanRoom: tenants that find no room at all get keys of
// their own, and nobody loses the shelf that they wait for.
func TestPoolMoreTenantsThanRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, MaxTenants: 2})
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				if _, err := p.Take(t.Context(), fmt.Sprint("tenant ", i/2)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if p.Tenants() != 2 {
			t.Errorf("%d tenants have a shelf, the limit is 2", p.Tenants())
		}
		close(w.open)
		group.Wait()
		if calls := w.Calls(); calls != 2+16 {
			t.Errorf("%d calls for 2 shelves and 16 direct keys", calls)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		close(w.open)
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, MaxTenants: 1})
		w.Stop()
		for _, tenant := range []string{"a", "b"} {
			if _, err := p.Take(t.Context(), tenant); !errors.Is(err, envelope.ErrUnavailable) {
				t.Errorf("tenant %q: %v, not ErrUnavailable", tenant, err)
			}
		}
	})
}

func TestPoolRefuses(t *testing.T) {
	for _, cfg := range []envelope.PoolConfig{
		{Keys: -1}, {Keys: envelope.MaxNewKeys + 1}, {LowWater: -1}, {Keys: 4, LowWater: 4},
		{MaxTenants: -1}, {MaxTenants: envelope.PoolTenants + 1}, {MaxAge: -1}, {MaxAge: envelope.MaxKeyAge + 1}, {MaxAge: envelope.PoolRefillTimeout},
	} {
		if _, err := envelope.NewPool(bare{}, cfg); !errors.Is(err, envelope.ErrInvalid) {
			t.Errorf("%+v: %v, not ErrInvalid", cfg, err)
		}
	}
	if _, err := newPool(t, bare{}, envelope.PoolConfig{}).Take(t.Context(), ""); !errors.Is(err, envelope.ErrInvalid) {
		t.Errorf("no tenant: %v, not ErrInvalid", err)
	}
}
