package envelope

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// PoolConfig sets a Pool up. Zero fields take the default.
type PoolConfig struct {
	Keys       int              // per tenant: PoolKeys; at most MaxNewKeys
	LowWater   int              // PoolLowWater, or half of Keys; below Keys
	MaxTenants int              // PoolTenants
	MaxAge     time.Duration    // MaxKeyAge, which is also the most; above PoolRefillTimeout
	Now        func() time.Time // time.Now
}

// Pool holds data keys that were wrapped in advance, so that in the normal case
// no request waits for the key service.
//
// Taking below the low-water mark starts a refill in the background, one per
// tenant at a time; taking from an empty shelf waits for it. With the key
// service down the pool hands out what it has and then answers ErrUnavailable.
// A key is handed out once, or dropped: after MaxAge, when its tenant makes
// room for another, and on Close. Dropped keys were never stored and cost
// nothing. A tenant that takes no keys is not refilled.
//
// Keys keep the version under which they were wrapped. A store that demands a
// newer one has the wrapped form re-wrapped; the key stays the same.
//
// A Pool is safe for use by several goroutines at once.
type Pool struct {
	wrapper KeyWrapper
	cfg     PoolConfig

	ctx    context.Context // ends with Close; of the refills, not of a request
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	shelves map[string]*shelf
	takes   uint64 // counts Take, to find the shelf that was not used longest
	closed  bool
}

// shelf holds the keys of one tenant, the oldest first.
type shelf struct {
	keys    []FreshKey
	refill  *refill // nil while none is under way
	waiting int     // takers in wait; the shelf is kept for them
	used    uint64  // Pool.takes at the last Take
	timer   *time.Timer
}

// refill is a wrapping call under way.
type refill struct {
	done chan struct{}
	err  error // final when done is closed
}

// NewPool makes an empty pool. Close ends it.
func NewPool(w KeyWrapper, cfg PoolConfig) (*Pool, error) {
	if cfg.Keys == 0 {
		cfg.Keys = PoolKeys
	}
	if cfg.LowWater == 0 {
		cfg.LowWater = min(PoolLowWater, cfg.Keys/2)
	}
	if cfg.MaxTenants == 0 {
		cfg.MaxTenants = PoolTenants
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = MaxKeyAge
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.Keys < 1 || cfg.Keys > MaxNewKeys:
		return nil, fmt.Errorf("%w: a pool holds between 1 and %d keys per tenant", ErrInvalid, MaxNewKeys)
	case cfg.LowWater < 0 || cfg.LowWater >= cfg.Keys:
		return nil, fmt.Errorf("%w: the low-water mark of a pool is below its keys", ErrInvalid)
	case cfg.MaxTenants < 1 || cfg.MaxTenants > PoolTenants:
		return nil, fmt.Errorf("%w: a pool serves between 1 and %d tenants", ErrInvalid, PoolTenants)
	case cfg.MaxAge <= PoolRefillTimeout || cfg.MaxAge > MaxKeyAge:
		// Keys that a slow call brings must not be too old on arrival: takers
		// would wait for one batch after the other and never get a key.
		return nil, fmt.Errorf("%w: a pool keeps keys for more than %s and at most %s", ErrInvalid, PoolRefillTimeout, MaxKeyAge)
	}
	p := &Pool{wrapper: w, cfg: cfg, shelves: map[string]*shelf{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Take hands out a key that nobody else gets. The caller stores its wrapped
// form or wipes it.
func (p *Pool) Take(ctx context.Context, tenant string) (FreshKey, error) {
	if err := checkName("tenant", tenant); err != nil {
		return FreshKey{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return FreshKey{}, fmt.Errorf("%w: the key pool is closed", ErrUnavailable)
		}
		s := p.shelfOf(tenant)
		if s == nil {
			return p.takeDirect(ctx, tenant)
		}
		key, ok := p.pop(s)
		if s.refill == nil && (!ok || len(s.keys) < p.cfg.LowWater) {
			p.startRefill(tenant, s)
		}
		if ok {
			return key, nil
		}
		if err := p.await(ctx, s); err != nil {
			return FreshKey{}, err
		}
	}
}

// Close stops the background work, waits for its end and wipes every key. What
// was taken stays usable; Take answers ErrUnavailable from then on.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.cancel()
	for tenant, s := range p.shelves {
		p.drop(tenant, s)
	}
	p.mu.Unlock()
	p.work.Wait()
}

// Len tells how many keys are ready for a tenant.
func (p *Pool) Len(tenant string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.shelves[tenant]; s != nil {
		return len(s.keys)
	}
	return 0
}

// await waits for the refill of a shelf. p.mu is held before and after, and
// not while waiting.
func (p *Pool) await(ctx context.Context, s *shelf) error {
	r := s.refill
	s.waiting++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		s.waiting--
	}()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("envelope: a fresh data key: %w", ctx.Err())
	}
}

// takeDirect wraps one key for the caller alone, where more tenants wait for a
// refill at this moment than the pool has room for. p.mu is held before and
// after, and not while wrapping.
func (p *Pool) takeDirect(ctx context.Context, tenant string) (FreshKey, error) {
	p.mu.Unlock()
	defer p.mu.Lock()
	born := p.cfg.Now()
	keys, err := NewDataKeys(ctx, p.wrapper, tenant, 1)
	if err != nil {
		return FreshKey{}, unavailable(ctx, err)
	}
	keys[0].born = born
	return keys[0], nil
}

// startRefill fills a shelf in the background. p.mu is held.
func (p *Pool) startRefill(tenant string, s *shelf) {
	r := &refill{done: make(chan struct{})}
	s.refill = r
	n := p.cfg.Keys - len(s.keys)
	p.work.Add(1) // under p.mu and not closed, so before Close waits
	go func() {
		defer p.work.Done()
		defer close(r.done)
		ctx, cancel := context.WithTimeout(p.ctx, PoolRefillTimeout)
		defer cancel()
		born := p.cfg.Now()
		keys, err := NewDataKeys(ctx, p.wrapper, tenant, n)
		p.mu.Lock()
		defer p.mu.Unlock()
		s.refill = nil
		if err != nil {
			r.err = unavailable(context.Background(), err)
			return
		}
		if p.shelves[tenant] != s { // Close took the shelf away
			wipeFresh(keys)
			return
		}
		for _, key := range keys {
			key.born = born
			s.keys = append(s.keys, key)
		}
		p.watch(tenant, s)
	}()
}

// unavailable gives the end of a call that was not the caller's own the meaning
// that it has for the caller: the key service did not answer in time.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrInvalid) {
		return err
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, err.Error())
}
