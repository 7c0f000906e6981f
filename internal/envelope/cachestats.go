package envelope

// CacheStats are what a cache did since it was made, and how full it is.
type CacheStats struct {
	// Hits are keys that were there when they were asked for, Misses those that had
	// to be unwrapped or waited for.
	Hits, Misses uint64
	Keys, Most   int // held now, and at most
}

// Stats returns what was counted so far.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.counted
	s.Keys, s.Most = len(c.entries), c.maxKeys
	return s
}

// count is called with c.mu held, which whoever looks a key up holds anyway.
func (s *CacheStats) count(hit bool) {
	if hit {
		s.Hits++
	} else {
		s.Misses++
	}
}
