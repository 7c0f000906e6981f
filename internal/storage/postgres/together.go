package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// together has reads of one kind share round trips, as changes share commits: those
// of a tenant that come while one of its reads is under way are the next one, all of
// them. There is no timer: a read that comes alone is made at once. What a read
// finds is from after it came. The zero value is ready.
//
// A shared read belongs to no request: it ends by the timeouts of statements, and who
// leaves meanwhile gets the error of its context.
type together[Q, R any] struct {
	mu    sync.Mutex
	lines map[string]*readLine[Q, R] // of the tenants that are being read
}

// readLine is the reads of a tenant that wait while one is under way.
type readLine[Q, R any] struct{ waiting []*reader[Q, R] }

// reader is one read that waits. turn has room for what it is told, so that whoever
// tells it never waits for a caller that went away.
type reader[Q, R any] struct {
	query Q
	turn  chan turn[R]
}

// turn tells a reader what was found for it, or that the next read is its to make.
type turn[R any] struct {
	lead   bool
	answer R
	err    error
}

// errNotRead is what the others get where the one who read for them panicked.
var errNotRead = errors.New("postgres: the read that was shared came to nothing")

// do reads what a query asks for, with read, which has one answer for each query.
func (g *together[Q, R]) do(ctx context.Context, tenant string, q Q,
	read func(ctx context.Context, queries []Q) ([]R, error),
) (R, error) {
	r := &reader[Q, R]{q, make(chan turn[R], 1)}
	if g.enter(tenant, r) {
		return g.lead(ctx, tenant, r, read)
	}
	select {
	case t := <-r.turn:
		if t.lead {
			return g.lead(ctx, tenant, r, read)
		}
		return t.answer, t.err
	case <-ctx.Done():
		if !g.leave(tenant, r) {
			select {
			case t := <-r.turn:
				if t.lead {
					g.pass(tenant)
				}
			default: // it is being read for, and nobody waits for what is found
			}
		}
		var none R
		return none, fmt.Errorf("postgres: read: %w", ctx.Err())
	}
}

// enter tells whether nobody reads: then it is the reader's to make. Otherwise it
// waits from here on.
func (g *together[Q, R]) enter(tenant string, r *reader[Q, R]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := g.lines[tenant]
	if line == nil {
		if g.lines == nil {
			g.lines = make(map[string]*readLine[Q, R])
		}
		g.lines[tenant] = &readLine[Q, R]{}
		return true
	}
	line.waiting = append(line.waiting, r)
	return false
}

// leave takes a reader out of its line, unless its turn has come.
func (g *together[Q, R]) leave(tenant string, r *reader[Q, R]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := g.lines[tenant]
	if line == nil {
		return false
	}
	i := slices.Index(line.waiting, r)
	if i < 0 {
		return false
	}
	line.waiting = slices.Delete(line.waiting, i, i+1)
	return true
}

// lead reads for itself and for all that wait by now.
func (g *together[Q, R]) lead(ctx context.Context, tenant string, r *reader[Q, R],
	read func(context.Context, []Q) ([]R, error),
) (R, error) {
	group := append([]*reader[Q, R]{r}, g.take(tenant)...)
	queries := make([]Q, len(group))
	for i, one := range group {
		queries[i] = one.query
	}
	if len(group) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
		defer cancel()
	}
	answers, err := make([]R, len(group)), errNotRead
	defer func() { // also when read panics
		for i, other := range group[1:] {
			other.turn <- turn[R]{answer: answers[i+1], err: err}
		}
		g.pass(tenant)
	}()
	found, ferr := read(ctx, queries)
	if err = ferr; err == nil {
		copy(answers, found)
	}
	return answers[0], err
}

// take empties a line, as far as one read goes.
func (g *together[Q, R]) take(tenant string) []*reader[Q, R] {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := g.lines[tenant]
	n := min(len(line.waiting), maxShared-1)
	taken := slices.Clone(line.waiting[:n])
	line.waiting = slices.Delete(line.waiting, 0, n)
	return taken
}

// pass gives the turn to the first that waits, or ends the line.
func (g *together[Q, R]) pass(tenant string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := g.lines[tenant]
	if len(line.waiting) == 0 {
		delete(g.lines, tenant)
		return
	}
	next := line.waiting[0]
	line.waiting = slices.Delete(line.waiting, 0, 1)
	next.turn <- turn[R]{lead: true}
}

// reads are the kinds that share round trips: those of every request.
type reads struct {
	scopes   together[vault.Digest, vault.Scope]
	mappings together[vault.MappingQuery, []vault.Mapping]
	keys     together[[]string, []vault.DataKey]
	ofScopes together[vault.KeyQuery, []vault.DataKey]
}
