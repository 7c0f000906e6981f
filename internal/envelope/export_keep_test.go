package envelope

import (
	"context"
	"time"
)

// GetUnshared hands out the cache's own handle.
func (c *Cache) GetUnshared(tenant, id string) *DataKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[cacheName{tenant, id}].key
}

// ForgetCachedOnly is Forget that overlooks keys on their way.
func (c *Cache) ForgetCachedOnly(tenant, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.entries[cacheName{tenant, id}])
}

// KeepLonger takes the maximum age of a cache away.
func (c *Cache) KeepLonger(age time.Duration) { c.maxAge = age }

// KeepLonger takes the maximum age of a pool away.
func (p *Pool) KeepLonger(age time.Duration) { p.cfg.MaxAge = age }

// TakeAndKeep is Take that leaves the key on its shelf.
func (p *Pool) TakeAndKeep(ctx context.Context, tenant string) (FreshKey, error) {
	key, err := p.Take(ctx, tenant)
	if err != nil {
		return FreshKey{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shelves[tenant]
	s.keys = append([]FreshKey{key}, s.keys...)
	return key, nil
}

// ShelfLen watches the shelf that a tenant has now.
func (p *Pool) ShelfLen(tenant string) func() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shelves[tenant]
	return func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(s.keys)
	}
}

// Tenants tells how many tenants have a shelf.
func (p *Pool) Tenants() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.shelves)
}
