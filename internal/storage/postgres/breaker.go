package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sony/gobreaker/v2"
)

// errLeftAlone is what is refused with while the breaker is open.
var errLeftAlone = errors.New("postgres: the server gave no answer too often in a row, and is left alone for a while")

// breaker leaves a server alone that gives no answer: who asks is refused at
// once, instead of waiting for as long as all others did. A server that says no
// is not silent: a full disk, too many connections or a lock that is not to be
// had are answers. So is a connection that is refused or broken, which takes no
// time, and succeeds as soon as the server is back.
//
// What is refused was not begun, so a refusal of a commit says that nothing of
// it is there, nor will be. An outcome that is unknown is looked up past the
// breaker.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]
	hooks   *hooks
	probe   func(context.Context) error

	life   context.Context // of the probes
	end    context.CancelFunc
	mu     sync.Mutex
	closed bool
	probes sync.WaitGroup
}

// newBreaker makes a breaker that finds out by probe whether the server is back.
func newBreaker(h *hooks, probe func(context.Context) error) *breaker {
	b := &breaker{hooks: h, probe: probe}
	b.life, b.end = context.WithCancel(context.Background())
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "postgresql", MaxRequests: 1, Timeout: breakFor,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		IsSuccessful: func(err error) bool { return !isSilence(err) },
		// Who went away early tells nothing, neither for nor against.
		IsExcluded: func(err error) bool { return errors.Is(err, errLeft) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if from == gobreaker.StateClosed && to == gobreaker.StateOpen {
				b.recover()
			}
		},
	})
	return b
}

// errLeft marks the error of an attempt that tells nothing about the server: its
// caller gave up early, or it broke off in the middle of an answer.
var errLeft = errors.New("postgres: broken off")

// isSilence tells whether an attempt was not answered, nor refused.
func isSilence(err error) bool {
	var f *fault
	if !errors.As(err, &f) || stateOf(err) != "" {
		return false
	}
	return pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// open tells whether the server is left alone. A breaker that is nil never is.
func (b *breaker) open() bool {
	return b != nil && b.circuit.State() != gobreaker.StateClosed && !b.hooks.skips(guardBreaker)
}

// do runs an attempt to use the server, unless it is left alone. An attempt
// whose context ended counts as unanswered only if it had waited long enough
// for an answer.
func (b *breaker) do(ctx context.Context, run func() error) error {
	if b == nil || b.hooks.skips(guardBreaker) {
		return run()
	}
	if b.open() {
		return &fault{errLeftAlone}
	}
	start := time.Now()
	_, err := b.circuit.Execute(func() (struct{}, error) {
		err := run()
		if err != nil && ctx.Err() != nil && time.Since(start) < silentAfter {
			err = errors.Join(err, errLeft)
		}
		return struct{}{}, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &fault{errLeftAlone} // since a moment
	}
	return err
}

// recover asks the server every breakFor whether it is back, until it is. No
// request is the one that tries.
func (b *breaker) recover() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.probes.Go(func() {
		for b.circuit.State() != gobreaker.StateClosed {
			select {
			case <-b.life.Done():
				return
			case <-time.After(breakFor):
			}
			_, _ = b.circuit.Execute(func() (struct{}, error) { return struct{}{}, b.probe(b.life) })
		}
	})
}

func (b *breaker) close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	b.probes.Wait()
}

// probing asks on a connection of its own, since those of the pools may all be
// waiting for a server that is gone. Where it is back, the pools begin anew.
func probing(h *hooks, pools ...*pgxpool.Pool) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		conn, err := pgx.ConnectConfig(ctx, pools[0].Config().ConnConfig)
		if err != nil {
			return &fault{err}
		}
		defer func() { _ = conn.Close(ctx) }()
		p := &pipeline{hooks: h}
		p.exec(sqlWritable)
		if err := p.run(ctx, conn); err != nil {
			return err
		}
		for _, pool := range pools {
			pool.Reset()
		}
		return nil
	}
}
