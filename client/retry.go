package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

const (
	// firstPause after a connection that failed: as long as a balancer takes
	// to see it. It doubles.
	firstPause = 100 * time.Millisecond
	// longestPause is where doubling ends.
	longestPause = 5 * time.Second
	// leastSpread of those who were told the same second.
	leastSpread = 250 * time.Millisecond
)

// call sends a request until there is an answer, or an error that another
// attempt would not mend, or until it is not worth another attempt. Within an
// attempt net/http itself sends again what it sent on an idle connection that
// turned out to be closed; it does so for a POST because of the Idempotency-Key.
func (c *Client) call(ctx context.Context, x exchange) ([]byte, error) {
	began := c.now()
	for n := 1; ; n++ {
		answer, err := c.attempt(ctx, x)
		if err == nil {
			return answer, nil
		}
		pause, again := pauseAfter(err, n)
		at := c.now().Add(pause)
		deadline, bounded := ctx.Deadline()
		switch {
		case !again, n >= c.cfg.Attempts, at.Sub(began) > c.cfg.RetryFor, bounded && !at.Before(deadline):
			return nil, err
		}
		if stopped := c.sleep(ctx, pause); stopped != nil {
			return nil, fmt.Errorf("client: %w, while waiting to try again after: %w", stopped, err)
		}
	}
}

// pauseAfter tells whether the request may be sent again after the n-th
// attempt, and when. What is not known for sure to be harmless is not.
func pauseAfter(err error, n int) (pause time.Duration, again bool) {
	var problem *Problem
	switch {
	case errors.As(err, &problem):
		busy := problem.Status == http.StatusTooManyRequests || problem.Status == http.StatusServiceUnavailable
		return problem.RetryAfter + jitter(max(problem.RetryAfter/2, leastSpread)), busy && problem.RetryAfter > 0
	case connectionFailed(err):
		pause = min(firstPause<<min(n-1, 10), longestPause)
		return pause/2 + jitter(pause/2), true
	}
	return 0, false
}

// connectionFailed is true where no answer came, or not the whole of one. A
// timeout is something else, unless it is that of the dial; so is TLS that
// fails, which net reports as an operation of its own.
func connectionFailed(err error) bool {
	if errors.Is(err, ErrToken) {
		return false // however the source failed: it has its own retries
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op == "dial" || (op.Op == "read" || op.Op == "write") && !op.Timeout()
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func jitter(most time.Duration) time.Duration {
	return rand.N(most) //nolint:gosec // spreads load; nothing depends on nobody guessing it
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
