package webhook

import "sync"

// settled remembers which endpoint has had which notice, so that a notice that
// is repeated for one is not repeated for all. The oldest is forgotten first:
// then a receiver is told again, which it has to expect anyway.
type settled struct {
	mu    sync.Mutex
	known map[delivery]bool
	order []delivery // a ring, once it is full
	next  int
}

type delivery struct{ endpoint, tenant, id string }

func (s *settled) has(d delivery) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[d]
}

func (s *settled) add(d delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[d] {
		return // two attempts at once
	}
	if s.known == nil {
		s.known = map[delivery]bool{}
	}
	if len(s.order) < maxSettled {
		s.order = append(s.order, d)
	} else {
		delete(s.known, s.order[s.next])
		s.order[s.next] = d
		s.next = (s.next + 1) % maxSettled
	}
	s.known[d] = true
}
