package envelope

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// CacheConfig sets a Cache up. Zero fields take the default.
type CacheConfig struct {
	MaxKeys int              // CacheKeys; at most CacheKeysMax
	MaxAge  time.Duration    // MaxKeyAge, which is also the most
	Now     func() time.Time // time.Now
}

// Cache keeps plain data keys in memory: at most MaxKeys, the least recently
// used leave first, and none longer than MaxAge after it was made or
// unwrapped. Keys that nobody asks for any more are dropped by a timer.
//
// The handles that it gives out are the caller's own, with a life of their
// own: a key that is evicted, forgotten or wiped while a request uses it stays
// usable for that request, and is gone when the request lets go of it. So the
// cache never fails a request half way, and needs no counting of users. The
// guard against use after erasure is the condition of the commit, not Forget.
//
// A Cache is safe for use by several goroutines at once.
type Cache struct {
	maxKeys int
	maxAge  time.Duration
	now     func() time.Time

	mu      sync.Mutex
	entries map[cacheName]*cacheEntry
	byUse   *list.List // of *cacheEntry, the last used in front
	flights map[cacheName]*flight
	counted CacheStats
}

// cacheName names a key. Without the tenant, one tenant's request could be
// served with another's key.
type cacheName struct{ tenant, id string }

type cacheEntry struct {
	name  cacheName
	key   *DataKey
	since time.Time
	use   *list.Element
	timer *time.Timer
}

// NewCache makes an empty cache.
func NewCache(cfg CacheConfig) (*Cache, error) {
	if cfg.MaxKeys == 0 {
		cfg.MaxKeys = CacheKeys
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = MaxKeyAge
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxKeys < 1 || cfg.MaxKeys > CacheKeysMax {
		return nil, fmt.Errorf("%w: a cache holds between 1 and %d keys", ErrInvalid, CacheKeysMax)
	}
	if cfg.MaxAge < 0 || cfg.MaxAge > MaxKeyAge {
		return nil, fmt.Errorf("%w: a cache keeps keys for at most %s", ErrInvalid, MaxKeyAge)
	}
	return &Cache{
		maxKeys: cfg.MaxKeys, maxAge: cfg.MaxAge, now: cfg.Now,
		entries: map[cacheName]*cacheEntry{}, byUse: list.New(), flights: map[cacheName]*flight{},
	}, nil
}

// Get opens keys of one tenant, in the order asked for. Keys that are neither
// cached nor on their way for another request are unwrapped in one call.
//
// A key that does not open has an Err in its item: ErrUnavailable where the key
// service is down, so that cached keys keep serving meanwhile. The error of the
// whole call is that of the context, or ErrInvalid.
func (c *Cache) Get(ctx context.Context, w KeyWrapper, tenant string, keys []StoredKey) ([]OpenedKey, error) {
	if err := checkName("tenant", tenant); err != nil {
		return nil, err
	}
	out := make([]OpenedKey, len(keys))
	todo := make([]int, len(keys))
	for i := range keys {
		todo[i] = i
	}
	for len(todo) > 0 {
		// There is a second turn only where another request's flight came to
		// nothing that counts for this one: its context ended, or it had read
		// another row. Each turn is one call of ours at most.
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("envelope: data keys: %w", err)
		}
		waits, mine := c.claim(tenant, keys, todo, out)
		if len(mine) > 0 {
			c.load(ctx, w, tenant, mine)
		}
		var err error
		if todo, err = collect(ctx, waits, keys, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Cached opens those of the keys that are in memory, by id, and returns the ids of the
// others in their order. It asks nobody: a key that was erased meanwhile is among the
// opened ones until it is forgotten, so whoever uses one has a condition of its own.
func (c *Cache) Cached(tenant string, ids []string) (opened map[string]OpenedKey, others []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	opened = make(map[string]OpenedKey, len(ids))
	for _, id := range ids {
		if key := c.lookup(cacheName{tenant, id}); key != nil {
			c.counted.count(true)
			opened[id] = OpenedKey{ID: id, Key: key}
		} else {
			others = append(others, id) // counted where it is asked for
		}
	}
	return opened, others
}

// Put adds a key that this process made, after the store has committed it. Its
// age counts from when the pool made it. The caller's handle stays the caller's.
func (c *Cache) Put(fresh FreshKey) {
	key := fresh.Key.share()
	if key.wiped() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	since := fresh.born
	if since.IsZero() {
		since = c.now()
	}
	c.insert(cacheName{key.tenant, key.id}, key, since)
}

// Forget drops a key, also one that is being unwrapped at this moment for a
// request that asked before.
func (c *Cache) Forget(tenant, keyID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := cacheName{tenant, keyID}
	c.remove(c.entries[name])
	delete(c.flights, name)
}

// Wipe drops every key.
func (c *Cache) Wipe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		c.remove(e)
	}
	clear(c.flights)
}

// Len tells how many keys are held.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// lookup returns a handle of the caller's own, or nil. c.mu is held.
func (c *Cache) lookup(name cacheName) *DataKey {
	e := c.entries[name]
	if e == nil {
		return nil
	}
	if c.now().Sub(e.since) >= c.maxAge {
		c.remove(e)
		return nil
	}
	c.byUse.MoveToFront(e.use)
	return e.key.share()
}

// insert takes the handle over. c.mu is held.
func (c *Cache) insert(name cacheName, key *DataKey, since time.Time) {
	c.remove(c.entries[name])
	left := c.maxAge - c.now().Sub(since)
	if left <= 0 {
		key.Wipe()
		return
	}
	e := &cacheEntry{name: name, key: key, since: since}
	e.use = c.byUse.PushFront(e)
	e.timer = time.AfterFunc(left, func() { c.expire(e) })
	c.entries[name] = e
	for len(c.entries) > c.maxKeys {
		c.remove(c.byUse.Back().Value.(*cacheEntry))
	}
}

// expire drops an entry at the end of its time. Too early does no harm.
func (c *Cache) expire(e *cacheEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[e.name] == e {
		c.remove(e)
	}
}

// remove wipes an entry; nil is none. c.mu is held.
func (c *Cache) remove(e *cacheEntry) {
	if e == nil {
		return
	}
	e.timer.Stop()
	c.byUse.Remove(e.use)
	delete(c.entries, e.name)
	e.key.Wipe()
}
