package envelope

import "time"

// shelfOf returns the shelf of a tenant, made if need be, or nil if there is
// room for no other. p.mu is held.
func (p *Pool) shelfOf(tenant string) *shelf {
	s := p.shelves[tenant]
	if s == nil {
		if len(p.shelves) >= p.cfg.MaxTenants && !p.makeRoom() {
			return nil
		}
		s = &shelf{}
		p.shelves[tenant] = s
	}
	p.takes++
	s.used = p.takes
	return s
}

// makeRoom drops the shelf that was not used for longest. One that is waited
// for stays: else tenants could take each other's shelf away in turn and none
// of them would ever get a key. p.mu is held.
func (p *Pool) makeRoom() bool {
	var oldest string
	var found *shelf
	for tenant, s := range p.shelves {
		if s.refill == nil && s.waiting == 0 && (found == nil || s.used < found.used) {
			oldest, found = tenant, s
		}
	}
	if found == nil {
		return false
	}
	p.drop(oldest, found)
	return true
}

// pop takes the oldest key that is not too old. Oldest first lets as few keys
// as possible grow too old. p.mu is held.
func (p *Pool) pop(s *shelf) (FreshKey, bool) {
	p.dropAged(s)
	if len(s.keys) == 0 {
		return FreshKey{}, false
	}
	key := s.keys[0]
	s.keys[0] = FreshKey{} // or the slice would keep the key alive
	s.keys = s.keys[1:]
	return key, true
}

// dropAged wipes the keys whose time is over. p.mu is held.
func (p *Pool) dropAged(s *shelf) {
	now := p.cfg.Now()
	n := 0
	for n < len(s.keys) && now.Sub(s.keys[n].born) >= p.cfg.MaxAge {
		n++
	}
	wipeFresh(s.keys[:n])
	clear(s.keys[:n])
	s.keys = s.keys[n:]
}

// drop wipes a shelf and takes it away. p.mu is held.
func (p *Pool) drop(tenant string, s *shelf) {
	if s.timer != nil {
		s.timer.Stop()
	}
	wipeFresh(s.keys)
	s.keys = nil
	delete(p.shelves, tenant)
}

// watch sets the timer that drops keys nobody takes: without it a tenant that
// went silent would leave plain keys in memory. p.mu is held.
func (p *Pool) watch(tenant string, s *shelf) {
	if s.timer != nil || len(s.keys) == 0 {
		return
	}
	left := p.cfg.MaxAge - p.cfg.Now().Sub(s.keys[0].born)
	s.timer = time.AfterFunc(left, func() { p.expire(tenant, s) })
}

// expire drops what is too old, and the shelf with the last key.
func (p *Pool) expire(tenant string, s *shelf) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shelves[tenant] != s {
		return
	}
	s.timer = nil
	p.dropAged(s)
	if len(s.keys) == 0 && s.refill == nil && s.waiting == 0 {
		p.drop(tenant, s)
		return
	}
	p.watch(tenant, s)
}
