package envelope_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

func newCache(t testing.TB, cfg envelope.CacheConfig) *envelope.Cache {
	t.Helper()
	c, err := envelope.NewCache(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Wipe)
	return c
}

// get is a Get that must succeed as a whole. It may be used in any goroutine.
func get(t testing.TB, c *envelope.Cache, w envelope.KeyWrapper, tenant string, keys ...envelope.StoredKey) []envelope.OpenedKey {
	t.Helper()
	opened, err := c.Get(t.Context(), w, tenant, keys)
	if err != nil {
		t.Error(err)
		return slices.Repeat([]envelope.OpenedKey{{Err: err}}, len(keys))
	}
	return opened
}

// TestCacheOneCallPerRequest: what a request misses is unwrapped in one call,
// what it hits in none.
func TestCacheOneCallPerRequest(t *testing.T) {
	w := wraptest.NewMemory()
	made := fresh(t, w, tenant, 50)
	keys := stored(made)
	c := newCache(t, envelope.CacheConfig{})
	calls := w.Calls()
	for i, step := range []struct {
		keys  []envelope.StoredKey
		calls int
	}{
		{nil, 0}, {keys[:10], 1}, {keys[:10], 1}, {keys, 2}, {keys, 2}, {append(keys[:3:3], keys[:3]...), 2},
	} {
		opened := get(t, c, w, tenant, step.keys...)
		for j, o := range opened {
			if o.ID != step.keys[j].ID || o.Err != nil {
				t.Fatalf("step %d, key %d: id %q, %v", i, j, o.ID, o.Err)
			}
		}
		if got := w.Calls() - calls; got != step.calls {
			t.Errorf("step %d: %d calls in all, not %d", i, got, step.calls)
		}
	}
	for i, o := range get(t, c, w, tenant, keys...) {
		if err := sameKey(made[i].Key, o.Key); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// TestCacheRepeatedInOneRequest: a key named twice is unwrapped once.
func TestCacheRepeatedInOneRequest(t *testing.T) {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 1))
	calls := w.Calls()
	opened := get(t, newCache(t, envelope.CacheConfig{}), w, tenant, keys[0], keys[0])
	if opened[0].Err != nil || opened[1].Err != nil || w.Calls()-calls != 1 {
		t.Errorf("%v, %v after %d calls", opened[0].Err, opened[1].Err, w.Calls()-calls)
	}
}

// TestInvariant6_CacheKeepsTenantsApart: a key id of one tenant gives another
// tenant nothing.
func TestInvariant6_CacheKeepsTenantsApart(t *testing.T) {
	if err := crossTenant(t, func(tenant string) string { return tenant }); err != nil {
		t.Error(err)
	}
}

func TestInvariant6_TwinOneTenantForAllIsNoticed(t *testing.T) {
	if err := crossTenant(t, func(string) string { return tenant }); err == nil {
		t.Error("a cache that does not look at the tenant was not noticed")
	}
}

func crossTenant(t *testing.T, as func(tenant string) string) error {
	w := wraptest.NewMemory()
	c := newCache(t, envelope.CacheConfig{})
	keys := stored(fresh(t, w, tenant, 1))
	get(t, c, w, as(tenant), keys[0])
	opened := get(t, c, w, as("globex"), keys[0])
	return wants(opened[0].Err, envelope.ErrAuthentication)
}

// TestCacheBound: the least recently used keys leave first.
func TestCacheBound(t *testing.T) {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 4))
	c := newCache(t, envelope.CacheConfig{MaxKeys: 3})
	get(t, c, w, tenant, keys[:3]...)
	get(t, c, w, tenant, keys[0])
	get(t, c, w, tenant, keys[3]) // 1 was used longest ago and leaves
	calls := w.Calls()
	get(t, c, w, tenant, keys[0], keys[2], keys[3])
	if w.Calls() != calls || c.Len() != 3 {
		t.Errorf("%d calls for what should be cached, %d keys held", w.Calls()-calls, c.Len())
	}
	get(t, c, w, tenant, keys[1])
	if w.Calls() != calls+1 {
		t.Error("the least recently used key stayed")
	}
	get(t, c, w, tenant, keys...) // more than there is room for, in one request
	if c.Len() != 3 {
		t.Errorf("%d keys held, the limit is 3", c.Len())
	}
}

// TestCacheAge: no key serves for longer than its time, asked for or not.
func TestCacheAge(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCache(t, envelope.CacheConfig{Now: func() time.Time { return now }})
	if err := agedKey(t, c, func(d time.Duration) { now = now.Add(d) }); err != nil {
		t.Error(err)
	}
}

func TestCacheAgeTwinKeptLongerIsNoticed(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCache(t, envelope.CacheConfig{Now: func() time.Time { return now }})
	c.KeepLonger(time.Hour)
	if err := agedKey(t, c, func(d time.Duration) { now = now.Add(d) }); err == nil {
		t.Error("a key past its time was not noticed")
	}
}

func agedKey(t *testing.T, c *envelope.Cache, pass func(time.Duration)) error {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 1))
	get(t, c, w, tenant, keys[0])
	calls := w.Calls()
	pass(envelope.MaxKeyAge - time.Second)
	get(t, c, w, tenant, keys[0]) // being used does not make it younger
	if w.Calls() != calls {
		return errors.New("it left before its time")
	}
	pass(time.Second)
	get(t, c, w, tenant, keys[0])
	if w.Calls() == calls {
		return errors.New("it serves past its time")
	}
	return nil
}

// TestCacheTimer: a key that nobody asks for any more does not stay in memory.
func TestCacheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wraptest.NewMemory()
		c := newCache(t, envelope.CacheConfig{})
		get(t, c, w, tenant, stored(fresh(t, w, tenant, 1))...)
		time.Sleep(envelope.MaxKeyAge / 2)
		get(t, c, w, tenant, stored(fresh(t, w, tenant, 1))...)
		for _, want := range []int{2, 1, 0} {
			synctest.Wait()
			if c.Len() != want {
				t.Errorf("%d keys held, not %d", c.Len(), want)
			}
			time.Sleep(envelope.MaxKeyAge / 2)
		}
	})
}

// TestCachePut: a key that this process made serves at once, and its age counts
// from when it was made, so pool and cache together keep no key for longer.
func TestCachePut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wraptest.NewMemory()
		p := newPool(t, w, envelope.PoolConfig{})
		c := newCache(t, envelope.CacheConfig{})
		take(t, p, tenant)
		time.Sleep(envelope.MaxKeyAge - time.Minute)
		key := take(t, p, tenant)
		c.Put(key)
		key.Key.Wipe() // the cache has a handle of its own
		calls := w.Calls()
		at := envelope.StoredKey{ID: key.ID, Wrapped: key.Wrapped}
		if opened := get(t, c, w, tenant, at); opened[0].Err != nil || w.Calls() != calls {
			t.Errorf("%v after %d calls", opened[0].Err, w.Calls()-calls)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.Len() != 0 {
			t.Error("pool and cache together keep a key for too long")
		}
		made := fresh(t, w, tenant, 2)
		made[0].Key.Wipe()
		c.Put(made[0])
		if c.Len() != 0 {
			t.Error("a wiped key was cached")
		}
		c.Put(made[1])
		if c.Len() != 1 {
			t.Error("a key that comes from no pool was not cached")
		}
	})
}

// inUse tells what is wrong with a handle after the cache let go of its key.
func inUse(key *envelope.DataKey, letGo func()) error {
	sealed, err := key.Seal(place(), []byte("a value"))
	if err != nil {
		return err
	}
	letGo()
	if _, err := key.Open(place(), sealed); err != nil {
		return fmt.Errorf("a request loses its key half way: %w", err)
	}
	return nil
}

// TestCacheDoesNotWipeWhatIsInUse evicts, forgets and wipes a key while a
// request has it in hand.
func TestCacheDoesNotWipeWhatIsInUse(t *testing.T) {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 2))
	c := newCache(t, envelope.CacheConfig{MaxKeys: 1})
	for name, letGo := range map[string]func(){
		"evicted":   func() { get(t, c, w, tenant, keys[1]) },
		"forgotten": func() { c.Forget(tenant, keys[0].ID) },
		"wiped":     c.Wipe,
	} {
		for _, from := range []string{"the wrapper", "the cache"} {
			if err := inUse(get(t, c, w, tenant, keys[0])[0].Key, letGo); err != nil {
				t.Errorf("%s, from %s: %v", name, from, err)
			}
			get(t, c, w, tenant, keys[0])
		}
	}
	get(t, c, w, tenant, keys[0])
	mine := get(t, c, w, tenant, keys[0])[0].Key
	mine.Wipe() // and the other way round
	if _, err := get(t, c, w, tenant, keys[0])[0].Key.Seal(place(), nil); err != nil {
		t.Errorf("one request wiped the key of the next: %v", err)
	}
}

func TestCacheTwinSharedHandleIsNoticed(t *testing.T) {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 1))
	c := newCache(t, envelope.CacheConfig{})
	get(t, c, w, tenant, keys[0])
	if err := inUse(c.GetUnshared(tenant, keys[0].ID), c.Wipe); err == nil {
		t.Error("a handle that the cache wipes under its user was not noticed")
	}
}

// TestInvariant15_CacheWithoutKeyService: cached keys keep serving, others are
// ErrUnavailable, and nothing bad is remembered.
func TestInvariant15_CacheWithoutKeyService(t *testing.T) {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 2))
	c := newCache(t, envelope.CacheConfig{})
	get(t, c, w, tenant, keys[0])
	w.Stop()
	opened := get(t, c, w, tenant, keys...)
	if opened[0].Err != nil || !errors.Is(opened[1].Err, envelope.ErrUnavailable) || opened[1].Key != nil {
		t.Errorf("cached: %v; not cached: %v", opened[0].Err, opened[1].Err)
	}
	w.Start()
	if opened := get(t, c, w, tenant, keys...); opened[1].Err != nil {
		t.Errorf("after the outage: %v", opened[1].Err)
	}
}

// TestCachePanic: a wrapper that panics leaves nobody waiting for ever.
func TestCachePanic(t *testing.T) {
	c := newCache(t, envelope.CacheConfig{})
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 1))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		get(t, c, panics{}, tenant, keys...)
	}()
	if opened := get(t, c, w, tenant, keys...); opened[0].Err != nil {
		t.Error(opened[0].Err)
	}
}

type panics struct{ bare }

func (panics) Unwrap(context.Context, string, []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	panic("injected")
}

// TestCacheRace does everything at once; the race detector watches.
func TestCacheRace(t *testing.T) {
	w := wraptest.NewMemory()
	made := fresh(t, w, tenant, 20)
	keys := stored(made)
	c := newCache(t, envelope.CacheConfig{MaxKeys: 8})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				at := (worker*7 + i) % 15
				for j, o := range get(t, c, w, tenant, keys[at:at+5]...) {
					if o.Err != nil {
						t.Error(o.Err)
						return
					}
					if err := sameKey(made[at+j].Key, o.Key); err != nil {
						t.Error(err)
						return
					}
				}
				switch i % 10 {
				case 3:
					c.Forget(tenant, keys[at].ID)
				case 5:
					c.Put(made[at])
				case 9:
					c.Wipe()
				}
			}
		})
	}
	group.Wait()
	if c.Len() > 8 {
		t.Errorf("%d keys held, the limit is 8", c.Len())
	}
}

func TestCacheRefuses(t *testing.T) {
	for _, cfg := range []envelope.CacheConfig{
		{MaxKeys: -1}, {MaxKeys: envelope.CacheKeysMax + 1}, {MaxAge: -1}, {MaxAge: envelope.MaxKeyAge + 1},
	} {
		if _, err := envelope.NewCache(cfg); !errors.Is(err, envelope.ErrInvalid) {
			t.Errorf("%+v: %v, not ErrInvalid", cfg, err)
		}
	}
	c := newCache(t, envelope.CacheConfig{})
	if _, err := c.Get(t.Context(), bare{}, "", nil); !errors.Is(err, envelope.ErrInvalid) {
		t.Errorf("no tenant: %v, not ErrInvalid", err)
	}
}
