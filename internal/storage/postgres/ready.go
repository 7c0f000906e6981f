package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// NotReady says what is missing, and since when. It is for operators: whoever
// asks over the network is told that the service is not ready, and no more.
type NotReady struct {
	Dependency string    // "postgresql" or "clock"
	Since      time.Time // when it was first missed
	cause      error
}

// Error implements error.
func (e *NotReady) Error() string {
	return fmt.Sprintf("postgres: %s is missing since %s: %v", e.Dependency, e.Since.UTC().Format(time.RFC3339), e.cause)
}

// Unwrap returns the cause, which is vault.ErrUnavailable too.
func (e *NotReady) Unwrap() error { return e.cause }

// health remembers since when the server is missed. Every commit and every
// read says what it saw.
type health struct {
	mu    sync.Mutex
	since time.Time // zero while it answers
}

// saw takes what an attempt to use the server came to. An error that is not a
// fault is an answer.
func (h *health) saw(err error) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	var f *fault
	switch {
	case !errors.As(err, &f), errors.Is(err, context.Canceled):
		h.since = time.Time{}
	case h.since.IsZero():
		h.since = time.Now()
	}
	return h.since
}

// A standby takes no writes, and fails here as a server does that is not there.
const sqlWritable = `
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
WHERE set_config('transaction_read_only', 'off', true) = 'off'`

var errSkew = errors.New("postgres: this machine's clock and the database's differ by more than two seconds")

// Ready implements vault.Registry: both roles reach a server that takes writes,
// and its clock is this machine's.
func (s *Store) Ready(ctx context.Context) error {
	if s.closed.Load() {
		return vault.ErrClosed
	}
	var now int64
	err := s.breaker.do(ctx, func() error { return s.ask(ctx, &now) })
	since := s.health.saw(err)
	switch skew := s.hooks.now().Sub(fromMicros(now)); {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("postgres: ready: %w", ctx.Err())
	case err != nil:
		return &NotReady{"postgresql", since, fmt.Errorf("%w: %w", vault.ErrUnavailable, err)}
	case s.clock == nil && skew.Abs() > maxSkew:
		return &NotReady{"clock", s.clockHealth.saw(&fault{errSkew}), fmt.Errorf("%w: %w", vault.ErrUnavailable, errSkew)}
	}
	s.clockHealth.saw(nil)
	return nil
}

// ask has the server tell the time to both roles.
func (s *Store) ask(ctx context.Context, now *int64) error {
	return retrying(s.pool, func() error {
		for _, pool := range []*pgxpool.Pool{s.pool, s.destroy} {
			p := &pipeline{hooks: s.hooks}
			p.each(sqlWritable, func(rows pgx.Rows) error { return scan(rows, now) })
			if err := pooled(ctx, pool, p); err != nil {
				pool.Reset() // the retry has to do without what is in it
				return err
			}
		}
		return nil
	})
}
