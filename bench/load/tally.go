package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// maxTallies bounds the memory: a histogram is 140 KB. Beyond so many clients several
// share a tally, and on the cores there are they hardly ever meet at its lock.
const maxTallies = 16

// counts is what one tally holds.
type counts struct {
	good, failed, refused int64
	latency, refusal      *hdrhistogram.Histogram
	first                 error
}

func newCounts() *counts { return &counts{latency: newHistogram(), refusal: newHistogram()} }

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), digits)
}

func (c *counts) reset() {
	*c = counts{latency: c.latency, refusal: c.refusal}
	c.latency.Reset()
	c.refusal.Reset()
}

func (c *counts) add(other *counts) {
	c.good += other.good
	c.failed += other.failed
	c.refused += other.refused
	// Both have the same limits, so nothing is dropped; and walking an empty histogram
	// costs as much as walking a full one.
	if other.latency.TotalCount() > 0 {
		c.latency.Merge(other.latency)
	}
	if other.refusal.TotalCount() > 0 {
		c.refusal.Merge(other.refusal)
	}
	if c.first == nil {
		c.first = other.first
	}
}

func (c *counts) result(elapsed time.Duration) Result {
	return Result{
		Elapsed: elapsed, Good: c.good, Failed: c.failed, Refused: c.refused,
		Latency: c.latency, RefusedLatency: c.refusal, First: c.first,
	}
}

// tally is where some of the clients count. Its lock is theirs and the collector's, who
// comes once a second at most: no client waits for another's.
type tally struct {
	mu  sync.Mutex
	now *counts
	_   [64]byte // keeps the next tally's lock out of this cache line
}

// swap gives what was counted since the last swap, for an empty one.
func (t *tally) swap(empty *counts) *counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	full := t.now
	t.now = empty
	return full
}

// collector adds the tallies up.
type collector struct {
	tallies []tally
	// spare is what the next swap gives, since is what the last collect found.
	spare, since, total *counts
}

func newCollector(clients int) *collector {
	c := &collector{
		tallies: make([]tally, min(clients, maxTallies)),
		spare:   newCounts(), since: newCounts(), total: newCounts(),
	}
	for i := range c.tallies {
		c.tallies[i].now = newCounts()
	}
	return c
}

func (c *collector) of(client int) *tally { return &c.tallies[client%len(c.tallies)] }

// collect moves what was counted since the last call into c.since, and adds it to
// c.total.
func (c *collector) collect() {
	c.since.reset()
	for i := range c.tallies {
		full := c.tallies[i].swap(c.spare)
		c.since.add(full)
		full.reset()
		c.spare = full
	}
	c.total.add(c.since)
}
