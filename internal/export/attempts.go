package export

import (
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// How long is waited after a failure: a second, and twice as long after each one
// that follows, up to a minute, half of it more or less by chance, so that an export
// goes on soon after its sink is back, and tenants do not come all at once.
const (
	firstWait   = time.Second
	longestWait = time.Minute
)

// Attempts decides when an export that failed is tried again. It is the breaker
// between a service and its sink: while it is open nothing is asked of the sink,
// and then one attempt tells whether it closes. It is safe for concurrent use.
type Attempts struct {
	mu     sync.Mutex
	waits  *backoff.ExponentialBackOff
	failed int
	next   time.Time
}

// NewAttempts begins without a failure.
func NewAttempts() *Attempts {
	return &Attempts{waits: &backoff.ExponentialBackOff{
		InitialInterval: firstWait, MaxInterval: longestWait,
		Multiplier: 2, RandomizationFactor: backoff.DefaultRandomizationFactor,
	}}
}

// Due tells whether to try now.
func (a *Attempts) Due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !now.Before(a.next)
}

// Done takes down how an attempt ended. Errors that are not of the sink (ErrSink) say
// nothing of it: one log that is wrong must not hold back those of all others.
func (a *Attempts) Done(now time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.failed, a.next = 0, time.Time{}
	}
	if !errors.Is(err, ErrSink) {
		return
	}
	if a.failed == 0 {
		a.waits.Reset()
	}
	a.failed++
	a.next = now.Add(a.waits.NextBackOff())
}

// Failed is how many attempts have failed since one did not.
func (a *Attempts) Failed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}
