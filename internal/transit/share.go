package transit

import (
	"context"
	"fmt"
	"sync"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// share lets callers that arrive while a call is under way share the next one,
// per kind of call and tenant. There is no timer: an idle line calls at once.
type share struct {
	do func(ctx context.Context, path string, items []item) ([]result, error)

	mu    sync.Mutex
	lines map[string]*line // by path
}

// line is what waits for one path.
type line struct {
	busy    bool // somebody is calling, and will go on with what waits
	waiting []*ticket
}

// ticket is one caller's part of a call.
type ticket struct {
	items   []item
	results []result
	err     error
	done    chan struct{}
}

func newShare(do func(ctx context.Context, path string, items []item) ([]result, error)) *share {
	return &share{do: do, lines: make(map[string]*line)}
}

// call sends items, alone or with those of others, and returns as many
// results. The context bounds the waiting; the call itself belongs to all who
// share it and has bounds of its own.
func (s *share) call(ctx context.Context, path string, items []item) ([]result, error) {
	if err := ctx.Err(); err != nil {
		wipe(items)
		return nil, fmt.Errorf("transit: %w", err)
	}
	t := &ticket{items: items, done: make(chan struct{})}
	s.mu.Lock()
	l := s.lines[path]
	if l == nil {
		l = &line{}
		s.lines[path] = l
	}
	if len(l.waiting) >= MaxWaiting {
		s.mu.Unlock()
		wipe(items)
		return nil, fmt.Errorf("%w: %d callers wait", envelope.ErrUnavailable, MaxWaiting)
	}
	l.waiting = append(l.waiting, t)
	if !l.busy {
		l.busy = true
		go s.serve(path, l) //nolint:gosec // the call is of all who share it, and none may cancel it
	}
	s.mu.Unlock()
	select {
	case <-t.done:
		return t.results, t.err
	case <-ctx.Done():
		// The items are the caller's no more: they are sent or were sent.
		return nil, fmt.Errorf("transit: %w", ctx.Err())
	}
}

// serve calls until nobody waits.
func (s *share) serve(path string, l *line) {
	for {
		s.mu.Lock()
		group := l.take()
		if len(group) == 0 {
			delete(s.lines, path)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		var items []item
		for _, t := range group {
			items = append(items, t.items...)
		}
		results, err := s.do(context.Background(), path, items)
		wipe(items)
		for _, t := range group {
			if t.err = err; err == nil {
				t.results, results = results[:len(t.items)], results[len(t.items):]
			}
			close(t.done)
		}
	}
}

// take takes from the front what fits into one call, at least one ticket.
func (l *line) take() (group []*ticket) {
	n, bytes := 0, 0
	for _, t := range l.waiting {
		n, bytes = n+len(t.items), bytes+size(t.items...)
		if len(group) > 0 && (n > MaxBatch || bytes > MaxBatchBytes) {
			break
		}
		group = append(group, t)
	}
	l.waiting = l.waiting[len(group):]
	return group
}

// fitting tells how many items from the front fit into one call, at least one.
func fitting(items []item) (n int) {
	bytes := 0
	for n < min(len(items), MaxBatch) {
		bytes += size(items[n])
		if n > 0 && bytes > MaxBatchBytes {
			break
		}
		n++
	}
	return n
}

func size(items ...item) (n int) {
	for _, one := range items {
		n += len(one.Plaintext) + len(one.Ciphertext)
	}
	return n
}

// wipe clears the plaintexts of items that nobody needs any more.
func wipe(items []item) {
	for _, one := range items {
		clear(one.Plaintext)
	}
}
