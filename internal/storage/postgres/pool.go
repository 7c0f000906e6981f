package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// warned is the key of a connection's own data under which it is noted that
// the server warned of something.
const warned = "counterfoil.warned"

// openPool makes a pool of connections; it connects when one is asked for.
func openPool(ctx context.Context, what, dsn string, conns int32, c *Config) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: the address for %s: %w", what, errAddress)
	}
	config.MaxConns = conns
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.OnNotice = noteWarning
	// What decides is read from the primary. After a failover a connection to
	// what is a standby now must not come back into the pool.
	if config.ConnConfig.ValidateConnect == nil && what != "audit" {
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if c.Pooled {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
		config.ConnConfig.StatementCacheCapacity = 0
		config.ConnConfig.DescriptionCacheCapacity = 0
	}
	if c.hooks.dial != nil {
		config.ConnConfig.DialFunc = c.hooks.dial
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: the pool for %s: %w", what, &fault{err})
	}
	return pool, nil
}

// noteWarning remembers that the server warned. Only COMMIT looks: "canceling
// wait for synchronous replication" is a warning, and the answer is success.
func noteWarning(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		conn.CustomData()[warned] = true
	}
}

// acquire takes a connection for a batch, which has no context of its own.
func acquire(pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), acquireTimeout)
	defer cancel()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, &fault{err}
	}
	return conn, nil
}

// A server keeps the plan of a prepared statement until it learns that a table
// has changed, which is minutes after it has. A plan that was made for an empty
// table reads all rows of a tenant to find one.
const sqlReplan = `DISCARD PLANS`

// planned is the key under which a connection has its plans.
const planned = "counterfoil.planned"

// plans are when those of a connection were made, and for how long they are kept.
type plans struct {
	made time.Time
	keep time.Duration
}

// replan has the server forget the plans of a connection that are old: the next
// ones are made for the tables as large as they are by then, also where nobody
// has analysed them. Without prepared statements there are none.
func (h *hooks) replan(ctx context.Context, conn *pgx.Conn) error {
	if conn.Config().DefaultQueryExecMode == pgx.QueryExecModeExec {
		return nil
	}
	data, now := conn.PgConn().CustomData(), time.Now()
	last, known := data[planned].(plans)
	if !known {
		data[planned] = plans{now, replanFirst}
		return nil
	}
	if now.Sub(last.made) < last.keep && !h.skips(guardReplan) {
		return nil
	}
	data[planned] = plans{now, min(2*last.keep, replanAfter)}
	if _, err := conn.PgConn().Exec(ctx, sqlReplan).ReadAll(); err != nil {
		return &fault{err}
	}
	return nil
}

// retrying runs what has no effect before it succeeds, once more on a new
// connection where the first failure passes: after a restart or a failover a
// pool is full of connections to a server that is gone.
func retrying(pool *pgxpool.Pool, run func() error) (err error) {
	for range attempts {
		if err = run(); err == nil || failsAlone(err) || !isPassing(err) {
			return err
		}
		if classOf(err) != classRollback {
			pool.Reset()
		}
	}
	return err
}

// pipeline is a number of statements that take one round trip. Within a
// transaction each sees what those before it did; where there is none, all of
// them are one transaction.
type pipeline struct {
	hooks *hooks
	batch pgx.Batch
	steps []step
}

// step is what is done with the result of one statement; both may be nil.
type step struct {
	text  string
	row   func(pgx.Rows) error
	count func(changed int64) error
}

func (p *pipeline) add(s step, args []any) {
	p.batch.Queue(p.hooks.text(s.text), args...)
	p.steps = append(p.steps, s)
}

// exec adds a statement whose result is of no interest.
func (p *pipeline) exec(text string, args ...any) { p.add(step{text: text}, args) }

// each adds a statement that gives rows.
func (p *pipeline) each(text string, row func(pgx.Rows) error, args ...any) {
	p.add(step{text: text, row: row}, args)
}

// change adds a statement that must change so many rows, or missing is what
// the pipeline fails with.
func (p *pipeline) change(want int, missing error, text string, args ...any) {
	p.add(step{text: text, count: func(changed int64) error {
		if changed != int64(want) {
			return missing
		}
		return nil
	}}, args)
}

// run sends the statements and goes through their results. What a step says of
// its result is returned as it is; an error of the server or the driver is a
// fault. After any error the transaction must be given up.
func (p *pipeline) run(ctx context.Context, conn *pgx.Conn) (err error) {
	for _, s := range p.steps {
		if err := p.hooks.beforeStep(s.text); err != nil {
			return &fault{err}
		}
	}
	results := conn.SendBatch(ctx, &p.batch)
	defer func() {
		if cerr := results.Close(); err == nil && cerr != nil {
			err = &fault{cerr}
		}
	}()
	for _, s := range p.steps {
		if err := s.read(results); err != nil {
			return err
		}
		if err := p.hooks.afterStep(s.text); err != nil {
			return &fault{err}
		}
	}
	return nil
}

func (s step) read(results pgx.BatchResults) error {
	rows, err := results.Query()
	if err != nil {
		return &fault{err}
	}
	for err == nil && rows.Next() {
		if s.row != nil {
			err = s.row(rows)
		}
	}
	rows.Close()
	switch {
	case rows.Err() != nil:
		return &fault{rows.Err()}
	case err != nil:
		return err
	case s.count != nil:
		return s.count(rows.CommandTag().RowsAffected())
	default:
		return nil
	}
}

// pooled runs a pipeline on a connection of a pool, where all of it is one
// transaction of its own: nothing says BEGIN, and the end of the pipeline
// commits it.
func pooled(ctx context.Context, pool *pgxpool.Pool, p *pipeline) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return &fault{err}
	}
	defer conn.Release()
	if err := p.hooks.replan(ctx, conn.Conn()); err != nil {
		return err
	}
	return p.run(ctx, conn.Conn())
}

var (
	// errEnded says that COMMIT was answered with something else than a commit.
	errEnded = errors.New("postgres: the transaction had ended before its COMMIT")
	// errUncertain says that COMMIT was answered with a warning: the commit may
	// stand on this server alone.
	errUncertain = errors.New("postgres: the server warned while it committed")
)
