package main

import (
	"context"
	"sync"
)

// maxBatch is the number of requests in one commit; more would only delay the first of
// them.
const maxBatch = 256

// group is the group commit: what arrives while all committers are at work joins the
// next commit. There is no timer, so a request that comes alone waits for nobody.
type group struct {
	store store

	mu      sync.Mutex
	arrived sync.Cond // on mu: something waits, or the group is closed
	waiting []*change
	closed  bool

	workers sync.WaitGroup
}

func newGroup(s store, workers int) *group {
	g := &group{store: s}
	g.arrived.L = &g.mu
	for range workers {
		g.workers.Go(g.work)
	}
	return g
}

// commit returns when the change is durable. It has no context: a commit under way
// belongs to others too, and takes milliseconds.
func (g *group) commit(c *change) error {
	c.done = make(chan error, 1)
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	g.arrived.Signal()
	return <-c.done
}

// close ends the committers when nothing waits any more. Nobody may commit by then.
func (g *group) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.arrived.Broadcast()
	g.workers.Wait()
}

func (g *group) work() {
	var batch []*change
	for {
		if batch = g.take(batch[:0]); len(batch) == 0 {
			return
		}
		err := g.store.apply(context.Background(), batch)
		for _, c := range batch {
			c.done <- err
		}
	}
}

// take waits for what waits. Only a closed group gives nothing.
func (g *group) take(into []*change) []*change {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) == 0 && !g.closed {
		g.arrived.Wait()
	}
	n := min(len(g.waiting), maxBatch)
	into = append(into, g.waiting[:n]...)
	rest := copy(g.waiting, g.waiting[n:])
	clear(g.waiting[rest:])
	g.waiting = g.waiting[:rest]
	return into
}
