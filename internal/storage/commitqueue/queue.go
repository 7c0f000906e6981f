package commitqueue

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Queue is safe for concurrent use. Close must be called.
type Queue struct {
	backend Backend
	limits  Limits
	gate    func()
	counts  counts

	mu      sync.Mutex
	arrived sync.Cond // on mu: something is ready, or the queue is closed
	lines   map[string]*line
	ready   []*line // lines with waiting changes and no batch under way, by turn
	waiting int     // over all lines
	closed  bool

	workers sync.WaitGroup
}

// line holds the changes of one tenant that wait, in the order of arrival.
type line struct {
	tenant  string
	waiting []*ticket
	busy    bool // a batch of it is under way
}

// ticket is one waiting change. taken is guarded by Queue.mu; done has room
// for the result, so that a worker never waits for a caller that went away.
type ticket struct {
	change vault.Change
	rows   int
	taken  bool
	done   chan Result
}

// Options configure a queue.
type Options struct {
	Limits Limits
	// Gate, where set, is called by a worker each time before it takes a
	// batch. A test holds it to have several changes waiting.
	Gate func()
}

// New starts the workers of a queue.
func New(backend Backend, opts Options) *Queue {
	q := &Queue{
		backend: backend, limits: opts.Limits.withDefaults(), gate: opts.Gate,
		lines: make(map[string]*line), counts: newCounts(),
	}
	q.arrived.L = &q.mu
	for range q.limits.Workers {
		q.workers.Go(q.work)
	}
	return q
}

// Commit waits until the change is durable and returns where its entries
// stand, or why nothing was written. An error that wraps vault.ErrUnavailable
// leaves open whether it was.
func (q *Queue) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	if c.Effect() == nil {
		return vault.Committed{}, vault.ErrNoEntry
	}
	if err := ctx.Err(); err != nil {
		return vault.Committed{}, fmt.Errorf("commitqueue: not begun: %w", err)
	}
	t := &ticket{change: c, rows: rows(c), done: make(chan Result, 1)}
	if err := q.enter(tenant, t); err != nil {
		return vault.Committed{}, err
	}
	longest := time.NewTimer(q.limits.MaxWait)
	defer longest.Stop()
	for {
		select {
		case r := <-t.done:
			return r.Committed, r.Err
		case <-longest.C:
			if q.leave(tenant, t) {
				return vault.Committed{}, fmt.Errorf("commitqueue: waited for %v: %w", q.limits.MaxWait, vault.ErrOverloaded)
			}
			// It is in a batch now: only its result or the context ends this.
		case <-ctx.Done():
			if q.leave(tenant, t) {
				return vault.Committed{}, fmt.Errorf("commitqueue: left the line: %w", ctx.Err())
			}
			select {
			case r := <-t.done: // both came at once
				return r.Committed, r.Err
			default:
				return vault.Committed{}, fmt.Errorf("commitqueue: the commit under way was not waited for: %w: %w", vault.ErrUnavailable, ctx.Err())
			}
		}
	}
}

// Waiting returns how many changes of a tenant wait to be taken.
func (q *Queue) Waiting(tenant string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lines[tenant]; l != nil {
		return len(l.waiting)
	}
	return 0
}

// Close refuses further changes with vault.ErrClosed, waits until those that
// wait are committed, and ends the workers. It may be called again.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.arrived.Broadcast()
	q.workers.Wait()
}

func (q *Queue) enter(tenant string, t *ticket) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return vault.ErrClosed
	}
	l := q.lines[tenant]
	if l == nil {
		l = &line{tenant: tenant}
	}
	if len(l.waiting) >= q.limits.MaxQueued || q.waiting >= q.limits.MaxQueuedTotal {
		return vault.ErrOverloaded
	}
	q.lines[tenant] = l
	l.waiting = append(l.waiting, t)
	q.waiting++
	if len(l.waiting) == 1 && !l.busy {
		q.ready = append(q.ready, l)
		q.arrived.Signal()
	}
	return nil
}

// leave takes a ticket out of its line, unless a worker has it.
func (q *Queue) leave(tenant string, t *ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.taken {
		return false
	}
	l := q.lines[tenant]
	i := slices.Index(l.waiting, t)
	l.waiting = slices.Delete(l.waiting, i, i+1)
	q.waiting--
	if len(l.waiting) == 0 && !l.busy {
		// It stood in ready because of this ticket alone.
		i := slices.Index(q.ready, l)
		q.ready = slices.Delete(q.ready, i, i+1)
		delete(q.lines, tenant)
	}
	return true
}
