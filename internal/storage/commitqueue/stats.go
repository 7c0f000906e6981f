package commitqueue

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// The bounds of what is counted: batches by how many changes shared them, up to
// MaxBatch, and by how long they took, from an idle disk to a store that hangs.
var (
	sizeBounds   = []float64{1, 2, 4, 8, 16, 32, 64, MaxBatch}
	secondBounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
)

// Stats are what a queue did since it was made, and what waits in it. They are
// counts over all tenants, and name none.
type Stats struct {
	// Sizes are batches by their changes, Seconds by the time until their outcome
	// was known.
	Sizes, Seconds Histogram
	// Committed, Refused and Unavailable are changes: that are durable, that failed
	// alone by a condition, and of which nobody was told that they are durable.
	Committed, Refused, Unavailable uint64
	Waiting                         int // changes, at the moment
}

// Histogram counts values: Counts[i] are those of at most Bounds[i].
type Histogram struct {
	Bounds []float64
	Counts []uint64
	Count  uint64
	Sum    float64
}

func newHistogram(bounds []float64) Histogram {
	return Histogram{Bounds: bounds, Counts: make([]uint64, len(bounds))}
}

func (h *Histogram) add(v float64) {
	for i, bound := range h.Bounds {
		if v <= bound {
			h.Counts[i]++
		}
	}
	h.Count++
	h.Sum += v
}

func (h *Histogram) clone() Histogram {
	c := *h
	c.Counts = slices.Clone(h.Counts)
	return c
}

// counts are kept by the workers, apart from the lines, so that who looks at them
// keeps no change waiting.
type counts struct {
	mu    *sync.Mutex
	stats Stats
}

func newCounts() counts {
	return counts{mu: new(sync.Mutex), stats: Stats{Sizes: newHistogram(sizeBounds), Seconds: newHistogram(secondBounds)}}
}

// note counts a batch that began at a time and has its results.
func (c *counts) note(began time.Time, results []Result) {
	took := time.Since(began).Seconds()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Sizes.add(float64(len(results)))
	c.stats.Seconds.add(took)
	for i := range results {
		switch {
		case results[i].Err == nil:
			c.stats.Committed++
		case errors.Is(results[i].Err, vault.ErrUnavailable):
			c.stats.Unavailable++
		default:
			c.stats.Refused++
		}
	}
}

// Stats returns what was counted so far.
func (q *Queue) Stats() Stats {
	q.counts.mu.Lock()
	s := q.counts.stats
	s.Sizes, s.Seconds = s.Sizes.clone(), s.Seconds.clone()
	q.counts.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	s.Waiting = q.waiting
	return s
}
