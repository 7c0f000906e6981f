package envelope

import (
	"bytes"
	"context"
	"fmt"
)

// flight is one key on its way from the wrapper into the cache. Requests that
// miss the same key at the same time wait for one flight.
type flight struct {
	name   cacheName
	stored StoredKey
	done   chan struct{} // closed when the fields below are final

	key *DataKey
	err error
	// abandoned says that the request that loaded ended first: its error is
	// none of those who wait, who load for themselves. It is true until the
	// load has ended, so a panic on the way leaves nobody waiting for ever.
	abandoned bool
}

// waiting is an item of a request and the flight that it waits for.
type waiting struct {
	item   int
	flight *flight
}

// claim serves what it can from the cache, joins flights that are under way
// and opens flights for the rest. Those that it opened are mine to load.
func (c *Cache) claim(tenant string, keys []StoredKey, todo []int, out []OpenedKey) (waits []waiting, mine []*flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range todo {
		name := cacheName{tenant, keys[i].ID}
		out[i].ID = name.id
		out[i].Key = c.lookup(name)
		c.counted.count(out[i].Key != nil)
		if out[i].Key != nil {
			continue
		}
		f := c.flights[name]
		if f == nil {
			f = &flight{name: name, stored: keys[i], done: make(chan struct{}), abandoned: true}
			c.flights[name] = f
			mine = append(mine, f)
		}
		waits = append(waits, waiting{i, f})
	}
	return waits, mine
}

// load unwraps the keys of flights in one call and lands them.
func (c *Cache) load(ctx context.Context, w KeyWrapper, tenant string, flights []*flight) {
	defer c.land(flights)
	stored := make([]StoredKey, len(flights))
	for i, f := range flights {
		stored[i] = f.stored
	}
	opened, err := OpenDataKeys(ctx, w, tenant, stored)
	for i, f := range flights {
		if err != nil {
			f.err, f.abandoned = err, ctx.Err() != nil
			continue
		}
		f.key, f.err, f.abandoned = opened[i].Key, opened[i].Err, false
	}
}

// land puts what was opened into the cache and lets the waiting go on. A flight
// that Forget or Wipe took off the list meanwhile is not cached.
func (c *Cache) land(flights []*flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, f := range flights {
		if c.flights[f.name] == f {
			delete(c.flights, f.name)
			if f.key != nil {
				c.insert(f.name, f.key.share(), now)
			}
		}
		close(f.done)
	}
}

// same tells whether the flight unwraps exactly what the caller has. The row of
// a key changes when it is re-wrapped, and who read it before must not make
// those fail who read it after.
func (f *flight) same(stored StoredKey) bool {
	return f.stored.Wrapped.Version == stored.Wrapped.Version &&
		bytes.Equal(f.stored.Wrapped.Bytes, stored.Wrapped.Bytes)
}

// collect waits for flights and returns the items that are still to be had.
func collect(ctx context.Context, waits []waiting, keys []StoredKey, out []OpenedKey) (todo []int, err error) {
	for _, wait := range waits {
		select {
		case <-wait.flight.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("envelope: data keys: %w", ctx.Err())
		}
		switch f := wait.flight; {
		case f.abandoned, f.err != nil && !f.same(keys[wait.item]):
			todo = append(todo, wait.item)
		case f.err != nil:
			out[wait.item].Err = f.err
		default:
			out[wait.item].Key = f.key.share()
		}
	}
	return todo, nil
}
