package rate

import "container/heap"

// GiveUp does what a cache does when it is full: it drops a key, whatever that
// one owes. It is for the twin.
func (l *Limiter) GiveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) >= l.maxKeys {
		delete(l.keys, heap.Pop(&l.byTime).(*cell).key)
	}
}

// ReadAgain makes the limiter take the time for later than what it read last,
// whatever it read: a clock that goes back is not noticed.
func (l *Limiter) ReadAgain() { l.read = l.read.AddDate(-1, 0, 0) }
