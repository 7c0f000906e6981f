package postgres

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// View reads a database, and never writes.
type View struct {
	pool   *pgxpool.Pool
	hooks  *hooks
	clock  func() time.Time // nil for the database's
	health *health
	// breaker is nil for a view of its own: whoever verifies a log waits.
	breaker *breaker
	shared  reads

	closed atomic.Bool
	once   sync.Once
}

// A read names its tenant and no more: it is one round trip, and a transaction
// of its own.
const sqlTenant = `
SELECT set_config('counterfoil.tenant', $1, true), set_config('statement_timeout', $2, true),
    set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`

// sqlPatience lets what follows in a read take longer.
const sqlPatience = `
SELECT set_config('statement_timeout', $1, true)`

// Close ends all reading. It may be called again.
func (v *View) Close() error {
	v.closed.Store(true)
	v.once.Do(v.pool.Close)
	return nil
}

// each runs a statement on the rows of a tenant, which is its first parameter,
// and gives its rows to scan, one by one. An identifier that cannot be stored
// is that of no row.
func (v *View) each(ctx context.Context, what, text string, scan func(pgx.Rows) error, tenant string, args ...any) error {
	return v.within(ctx, statementTimeout, what, text, scan, tenant, args...)
}

// within does the same in a time of its own.
func (v *View) within(ctx context.Context, timeout time.Duration, what, text string, scan func(pgx.Rows) error, tenant string, args ...any) error {
	for _, a := range args {
		if id, ok := a.(string); ok && !storable(id) {
			return nil
		}
	}
	if !storable(tenant) {
		return nil
	}
	return v.query(ctx, what, func(row func(pgx.Rows) error) *pipeline {
		p := &pipeline{hooks: v.hooks}
		p.exec(sqlTenant, tenant, inMillis(timeout))
		p.each(text, row, append([]any{tenant}, args...)...)
		return p
	}, scan)
}

// query runs a pipeline, and again on a new connection where the first was lost
// before it gave a row.
func (v *View) query(ctx context.Context, what string, make func(func(pgx.Rows) error) *pipeline, scan func(pgx.Rows) error) error {
	if v.closed.Load() {
		return vault.ErrClosed
	}
	err := v.breaker.do(ctx, func() error {
		var scanned bool
		var late error
		err := retrying(v.pool, func() error {
			err := pooled(ctx, v.pool, make(func(rows pgx.Rows) error {
				scanned = true
				return scan(rows)
			}))
			if scanned || ctx.Err() != nil {
				late = err
				return nil
			}
			return err
		})
		if scanned && late != nil {
			return errors.Join(late, errLeft) // it did answer
		}
		return cmp.Or(late, err)
	})
	return v.ended(ctx, what, err)
}

// ended says what a read comes to, and notes whether the server answered.
func (v *View) ended(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		v.health.saw(nil)
		return nil
	case v.closed.Load():
		return vault.ErrClosed
	case ctx.Err() == nil:
		v.health.saw(err)
	}
	return readError(ctx, what, err)
}

// one runs a statement that gives at most one row and tells whether it did.
func (v *View) one(ctx context.Context, what, text string, into []any, tenant string, args ...any) (found bool, err error) {
	err = v.each(ctx, what, text, func(rows pgx.Rows) error {
		found = true
		return scan(rows, into...)
	}, tenant, args...)
	return found, err
}

// now is the time by which a read judges expiry, or nil for the database's.
// Statements put the time of the tenant's last entry in its place where that
// is later. They compute it in a SELECT of its own: what is left is then a
// plain comparison, and behind row-level security PostgreSQL goes by an index
// only where it knows that a comparison tells nothing of the rows it looks at.
func (v *View) now() *int64 {
	if v.clock == nil {
		return nil
	}
	us := micros(v.clock())
	return &us
}
