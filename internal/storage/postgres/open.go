package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Config says where the database is and how it is spoken to.
type Config struct {
	// AppDSN and DestroyDSN are the addresses of one database for the two
	// roles. Required.
	AppDSN, DestroyDSN string
	// Pooled says that a pooler in transaction mode, such as PgBouncer, may
	// stand between: no statement is prepared.
	Pooled bool
	// AppConns and DestroyConns bound the connections; zero means the constants
	// of their names.
	AppConns, DestroyConns int32
	// Limits are those of the commit queue; zero fields take the defaults of
	// package commitqueue, and Workers the constant of this package.
	Limits commitqueue.Limits
	// Clock is the time of entries and of expiry in place of the database's,
	// for tests. Replicas with clocks of their own would not agree.
	Clock func() time.Time

	hooks hooks
}

// Store is the production store. It is safe for concurrent use, and any number
// of them, in any number of processes, may serve one database.
type Store struct {
	*View
	destroy *pgxpool.Pool
	writer  *writer
	queue   *commitqueue.Queue
	// clockHealth is about the distance of the clocks.
	clockHealth health

	once sync.Once
}

var (
	_ vault.Store       = (*Store)(nil)
	_ vault.Ledger      = (*Store)(nil)
	_ vault.Bookkeeping = (*Store)(nil)
	_ vault.Registry    = (*Store)(nil)
	_ vault.Custody     = (*Store)(nil)
	_ vault.Erasures    = (*Store)(nil)
	_ vault.Requests    = (*Store)(nil)
	_ vault.Remains     = (*Store)(nil)
	_ vault.Proceedings = (*Store)(nil)
	_ vault.Outbox      = (*Store)(nil)
	_ vault.Grants      = (*Store)(nil)
)

// Open connects as both roles and looks whether it may serve: the schema is the
// one that this program needs (ErrSchema), the roles may do what they must and
// no more (ErrRole), the server keeps what it acknowledged (ErrServer). It
// changes nothing; a schema is made by Migrate.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.AppConns <= 0 {
		c.AppConns = AppConns
	}
	if c.DestroyConns <= 0 {
		c.DestroyConns = DestroyConns
	}
	if c.Limits.Workers <= 0 {
		c.Limits.Workers = Workers
	}
	app, err := openPool(ctx, roleApp.name, c.AppDSN, c.AppConns, &c)
	if err != nil {
		return nil, err
	}
	destroy, err := openPool(ctx, roleDestroy.name, c.DestroyDSN, c.DestroyConns, &c)
	if err != nil {
		app.Close()
		return nil, err
	}
	if err := errors.Join(checkPool(ctx, app, roleApp), checkPool(ctx, destroy, roleDestroy)); err != nil {
		app.Close()
		destroy.Close()
		return nil, err
	}
	health := &health{}
	breaker := newBreaker(&c.hooks, probing(&c.hooks, app, destroy))
	w := &writer{app: app, destroy: destroy, hooks: &c.hooks, clock: c.Clock, health: health, breaker: breaker}
	return &Store{
		View:    &View{pool: app, hooks: &c.hooks, clock: c.Clock, health: health, breaker: breaker},
		destroy: destroy, writer: w,
		queue: commitqueue.New(w, commitqueue.Options{Limits: c.Limits, Gate: c.hooks.gate}),
	}, nil
}

// Close commits what waits, then closes the connections. It may be called
// again.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.queue.Close()
		s.breaker.close()
		s.destroy.Close()
	})
	return s.View.Close()
}

// Commit implements vault.Store.
func (s *Store) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	if !storable(tenant) {
		return vault.Committed{}, vault.ErrUnknownTenant
	}
	if s.breaker.open() {
		// All workers may be waiting still for the server.
		return vault.Committed{}, fmt.Errorf("%w: %w", vault.ErrUnavailable, &fault{errLeftAlone})
	}
	return s.queue.Commit(ctx, tenant, c)
}

// Waiting returns how many changes of a tenant wait for their commit.
func (s *Store) Waiting(tenant string) int { return s.queue.Waiting(tenant) }

// OpenReadOnly connects as the role that reads. What it returns never writes;
// it can be opened while a service has the database.
func OpenReadOnly(ctx context.Context, auditDSN string) (*View, error) {
	var c Config
	pool, err := openPool(ctx, roleAudit.name, auditDSN, auditConns, &c)
	if err != nil {
		return nil, err
	}
	if err := checkPool(ctx, pool, roleAudit); err != nil {
		pool.Close()
		return nil, err
	}
	return &View{pool: pool, hooks: &c.hooks, health: &health{}}, nil
}

func checkPool(ctx context.Context, pool *pgxpool.Pool, r role) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: connect to %s: %w", r.name, &fault{err})
	}
	defer conn.Release()
	if err := checkServer(ctx, conn.Conn()); err != nil {
		return err
	}
	if err := checkVersion(ctx, conn.Conn()); err != nil {
		return err
	}
	return checkRole(ctx, conn.Conn(), r)
}
