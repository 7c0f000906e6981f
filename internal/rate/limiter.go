package rate

import (
	"container/heap"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// The limits of a configuration.
const (
	// MaxPerSecond keeps the interval at a microsecond or more, a thousand times
	// what the clock resolves.
	MaxPerSecond = 1e6
	// MaxWindow is how long a burst may take to come back. Beyond a day it is
	// a quota, which belongs where a restart does not forget it.
	MaxWindow = 24 * time.Hour
	// DefaultMaxKeys holds every caller of a large installation; with names of
	// usual length it is about 16 MiB.
	DefaultMaxKeys = 1 << 16
	// MaxMaxKeys bounds what a configuration may ask for, about 256 MiB.
	MaxMaxKeys = 1 << 20
	// MaxKeyBytes is a tenant and the longest name of a caller. A longer key
	// stands for itself by its digest.
	MaxKeyBytes = 512
)

// ErrConfig is every refusal of a configuration by [New].
var ErrConfig = errors.New("rate: configuration refused")

// Config is a rate. PerSecond and Burst have no default.
type Config struct {
	PerSecond float64          // on average; may be under one
	Burst     int              // at once
	MaxKeys   int              // 0 is DefaultMaxKeys
	Now       func() time.Time // nil is time.Now
}

// Result is what became of a request, in the terms of the RateLimit header fields.
type Result struct {
	Allowed bool
	// Limit is what may come at once after a pause; Remaining is what may now.
	Limit, Remaining int
	// RetryAfter is how long to wait until as much fits, zero where it was
	// allowed. What is more than Limit never fits.
	RetryAfter time.Duration
	// ResetAfter is the time until all of Limit may come at once again.
	ResetAfter time.Duration
}

// Limiter keeps the rate of every key. It is safe for concurrent use.
type Limiter struct {
	interval, window time.Duration // between two requests; of a whole burst
	burst, maxKeys   int
	now              func() time.Time

	mu      sync.Mutex
	read    time.Time     // what the clock said last
	elapsed time.Duration // since the first request, as far as the clock went forward
	keys    map[string]*cell
	byTime  schedule // every cell, the one whose time passes first in front
	shared  cell     // of all who have no place of their own
}

// Check returns the field of a rate that is none, named as in a configuration
// file, and the rule that it breaks; both are empty where it is one.
func (c Config) Check() (field, rule string) {
	// Written so that they hold for what is no number, too.
	if inRange := c.PerSecond > 0 && c.PerSecond <= MaxPerSecond; !inRange {
		return "per_second", fmt.Sprintf("must be over 0 and up to %.0f", float64(MaxPerSecond))
	}
	if inRange := c.Burst >= 1 && c.interval()*float64(c.Burst) <= float64(MaxWindow); !inRange {
		return "burst", "must be at least 1, and no more than come back within a day"
	}
	if c.MaxKeys < 0 || c.MaxKeys > MaxMaxKeys {
		return "max_keys", fmt.Sprintf("must be up to %d", MaxMaxKeys)
	}
	return "", ""
}

// interval is rounded up: rather a request too few in a day than one too many.
func (c Config) interval() float64 { return math.Ceil(float64(time.Second) / c.PerSecond) }

// New refuses, with [ErrConfig], a rate that is none.
func New(c Config) (*Limiter, error) {
	if field, rule := c.Check(); field != "" {
		return nil, fmt.Errorf("%w: %s %s", ErrConfig, field, rule)
	}
	interval := time.Duration(c.interval())
	l := &Limiter{
		interval: interval, window: interval * time.Duration(c.Burst),
		burst: c.Burst, maxKeys: c.MaxKeys, now: c.Now, keys: map[string]*cell{},
	}
	if l.maxKeys == 0 {
		l.maxKeys = DefaultMaxKeys
	}
	if l.now == nil {
		l.now = time.Now
	}
	return l, nil
}

// Take takes n requests of key, all or none; 0 takes nothing and tells how it
// stands.
func (l *Limiter) Take(key string, n int) Result {
	if len(key) > MaxKeyBytes {
		digest := sha256.Sum256([]byte(key))
		key = string(digest[:])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	if n < 1 {
		return l.result(l.peek(key), 0)
	}
	c := l.cellOf(key)
	owed := max(c.arrival-l.elapsed, 0)
	// n is bounded first, so that the product cannot overflow: a window is at
	// most a day.
	if n > l.burst || owed+time.Duration(n)*l.interval > l.window {
		return l.result(c, n)
	}
	c.arrival = l.elapsed + owed + time.Duration(n)*l.interval
	if c != &l.shared {
		heap.Fix(&l.byTime, c.place)
	}
	return l.result(c, 0)
}

// Len returns how many keys have a place.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys)
}

// advance adds what has passed since the last request. More than a window is no
// different from a window, so that a jump cannot overflow; elapsed itself would
// after 292 years.
func (l *Limiter) advance() {
	now := l.now()
	if !l.read.IsZero() {
		l.elapsed += min(max(now.Sub(l.read), 0), l.window)
	}
	l.read = now
}

// peek returns the cell that counts for key and makes none.
func (l *Limiter) peek(key string) *cell {
	if c := l.keys[key]; c != nil {
		return c
	}
	return &l.shared
}

// cellOf returns the cell that key takes from: its own, a new one, or that of
// all who have no place.
func (l *Limiter) cellOf(key string) *cell {
	if c := l.keys[key]; c != nil {
		return c
	}
	if len(l.keys) >= l.maxKeys {
		first := l.byTime[0]
		if first.arrival > l.elapsed {
			return &l.shared // everybody still owes, and nobody is let off
		}
		heap.Pop(&l.byTime)
		delete(l.keys, first.key)
	}
	// What it took without a place is not known by itself, so that it begins
	// with all that was taken there.
	c := &cell{key: key, arrival: l.shared.arrival}
	l.keys[key] = c
	heap.Push(&l.byTime, c)
	return c
}

// result tells how a cell stands, and how long until n fit where they do not.
func (l *Limiter) result(c *cell, refused int) Result {
	owed := max(c.arrival-l.elapsed, 0)
	r := Result{
		Allowed: refused == 0, Limit: l.burst, ResetAfter: owed,
		Remaining: int((l.window - owed) / l.interval),
	}
	if refused > 0 {
		r.RetryAfter = owed + time.Duration(min(refused, l.burst))*l.interval - l.window
	}
	return r
}
