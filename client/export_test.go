package client

import (
	"context"
	"time"
)

// WithClock replaces the clock and the pauses, so that no test sleeps. It
// returns what was slept.
func (c *Client) WithClock(now time.Time) *[]time.Duration {
	var slept []time.Duration
	c.now = func() time.Time { return now }
	c.sleep = func(ctx context.Context, d time.Duration) error {
		now = now.Add(d)
		slept = append(slept, d)
		return ctx.Err()
	}
	return &slept
}

// States is what a receipt says of the tree: roots by size.
func (r Receipt) States() map[int64]Hash {
	roots := make(map[int64]Hash)
	for _, h := range r.states() {
		roots[h.size] = h.root
	}
	return roots
}

// MaxHeads is how many heads are remembered.
const MaxHeads = maxHeads

// Known is how many heads the client remembers.
func (c *Client) Known() int { return len(c.log.heads) }
