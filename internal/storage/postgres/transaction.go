package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlBegin    = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`
	sqlCommit   = `COMMIT`
	sqlRollback = `ROLLBACK`
	// Settings of this transaction alone, so that any pooler may stand between.
	// A server that waits for more than "on" asks keeps to it. A plan that was
	// made while a table was small must not walk it when it is large. And it writes
	// the terms of the seventh version itself: for others a trigger does.
	sqlBound = `
SELECT set_config('counterfoil.tenant', $1, true), set_config('counterfoil.terms', '7', true),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true),
    set_config('lock_timeout', $2, true), set_config('statement_timeout', $3, true),
    set_config('idle_in_transaction_session_timeout', $4, true),
    set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`
	// The last statement before COMMIT, which no timeout may cancel.
	sqlUnbound = `
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true)`
	// A tenant that does not exist has no head to lock.
	sqlLockName = `
SELECT pg_advisory_xact_lock(hashtextextended('counterfoil.tenant ' || $1::text, 0))`
	// What every commit has to know of its tenant is in the one row. The lock
	// is a statement of its own: one that also looked at other rows would see
	// them as they were before it waited.
	sqlLockHead = `
SELECT h.frontier, h.last_time, h.state, h.min_wrap_version FROM log_heads AS h WHERE h.tenant = $1 FOR UPDATE`
	sqlNow = `
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
)

// transaction holds the head of a tenant's log from its first round trip to
// its end. Exactly one of commit and abandon ends it; abandon after commit does
// nothing, so that it can be deferred.
type transaction struct {
	conn   *pgxpool.Conn
	hooks  *hooks
	tenant string
	ended  bool

	exists   bool // the tenant does
	state    vault.TenantState
	minWrap  int            // no key is written that an older version wrapped
	frontier audit.Frontier // where its log stands
	last     int64          // the time of its last entry
	now      int64          // the time of everything in the transaction
}

// begun is what a transaction begins with beside the lock.
type begun struct {
	named bool // the tenant's name is locked too: it may not exist
	wait  time.Duration
	clock func() time.Time // in place of the database's
	// reads adds statements to the first round trip. They run after the lock
	// is had, each with a snapshot of its own.
	reads func(*pipeline)
}

// begin takes a connection and, in one round trip, begins, names the tenant,
// locks the head, reads the clock and whatever else is to be read. The lock
// comes before everything that is read, so that all of it is true until the end.
func begin(pool *pgxpool.Pool, h *hooks, tenant string, with begun) (began *transaction, err error) {
	conn, err := acquire(pool)
	if err != nil {
		return nil, err
	}
	x := &transaction{conn: conn, hooks: h, tenant: tenant}
	defer func() {
		if began == nil { // also when something below panics
			x.abandon()
		}
	}()
	p := x.pipeline()
	p.exec(sqlBegin)
	p.exec(sqlBound, tenant, inMillis(with.wait), inMillis(statementTimeout+with.wait), inMillis(idleTimeout))
	if with.named {
		p.exec(sqlLockName, tenant)
	}
	p.each(sqlLockHead, x.readHead, tenant)
	var now int64
	p.each(sqlNow, func(rows pgx.Rows) error { return scan(rows, &now) })
	if with.reads != nil {
		with.reads(p)
	}
	if err := x.run(p, with.wait); err != nil {
		return nil, err
	}
	if with.clock != nil {
		now = micros(with.clock())
	}
	x.now = max(now, x.last)
	return x, nil
}

func (x *transaction) pipeline() *pipeline { return &pipeline{hooks: x.hooks} }

// readHead finds out where the log stands, and until when time must not go back.
func (x *transaction) readHead(rows pgx.Rows) error {
	var frontier []byte
	if err := scan(rows, &frontier, &x.last, &x.state, &x.minWrap); err != nil {
		return err
	}
	if err := x.frontier.UnmarshalBinary(frontier); err != nil {
		return &fault{fmt.Errorf("head of the log: %w", err)}
	}
	x.exists = true
	return nil
}

// scan reads a row. What cannot be read is not the change's fault.
func scan(rows pgx.Rows, into ...any) error {
	if err := rows.Scan(into...); err != nil {
		return &fault{err}
	}
	return nil
}

// run does a round trip, without the context of any request: a batch belongs
// to many of them.
func (x *transaction) run(p *pipeline, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout+wait)
	defer cancel()
	if x.now == 0 { // not begun
		if err := x.hooks.replan(ctx, x.conn.Conn()); err != nil {
			return err
		}
	}
	return p.run(ctx, x.conn.Conn())
}

// commit returns nil only once the batch is durable as far as the server was
// told to make it. After an error nothing is certain, but that the connection
// is gone: the transaction can no longer be continued from here.
func (x *transaction) commit() error {
	x.ended = true
	certain := false
	defer func() {
		if !certain { // also when something below panics
			x.discard()
		}
		x.conn.Release()
	}()
	if err := x.hooks.beforeStep(sqlCommit); err != nil {
		return &fault{err}
	}
	conn := x.conn.Conn().PgConn()
	delete(conn.CustomData(), warned)
	ctx, cancel := context.WithTimeout(context.Background(), commitPatience)
	defer cancel()
	results, err := conn.Exec(ctx, x.hooks.text(sqlCommit)).ReadAll()
	switch {
	case err != nil:
		return &fault{err}
	case len(results) != 1 || results[0].CommandTag.String() != "COMMIT":
		return &fault{errEnded}
	case conn.CustomData()[warned] != nil && !x.hooks.skips(guardWarning):
		return &fault{errUncertain}
	}
	if err := x.hooks.afterStep(sqlCommit); err != nil {
		return &fault{err}
	}
	certain = true
	return nil
}

// abandon rolls back. Where that fails, closing the connection does the same.
func (x *transaction) abandon() {
	if x.ended {
		return
	}
	x.ended = true
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if conn := x.conn.Conn(); !conn.IsClosed() {
		if _, err := conn.PgConn().Exec(ctx, sqlRollback).ReadAll(); err != nil {
			x.discard()
		}
	}
	x.conn.Release()
}

// discard closes the connection. Errors are of no use to anybody: the pool
// opens another one, or cannot.
func (x *transaction) discard() {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_ = x.conn.Conn().Close(ctx)
}

// inMillis is a duration as the server's settings have it.
func inMillis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
