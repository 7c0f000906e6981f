package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Options configure a store.
type Options struct {
	// Clock is the time of entries and of expiry. Required.
	Clock func() time.Time
	// Limits are those of the commit queue; zero fields take the defaults of
	// package commitqueue.
	Limits commitqueue.Limits

	hooks hooks
}

// Store is the embedded store. It is safe for concurrent use, and one process
// has a file at a time.
type Store struct {
	*View
	lock   *processLock
	writer *writer
	queue  *commitqueue.Queue

	once    sync.Once
	outcome error // of closing
}

var (
	_ vault.Store    = (*Store)(nil)
	_ vault.Ledger   = (*Store)(nil)
	_ vault.Registry = (*Store)(nil)
	_ vault.Custody  = (*Store)(nil)
	_ vault.Erasures = (*Store)(nil)
	_ vault.Requests = (*Store)(nil)
	_ vault.Remains  = (*Store)(nil)
	_ vault.Grants   = (*Store)(nil)
)

// Open opens the database, or makes it, and brings its schema up to date. It
// fails with ErrLocked where another process has it.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if opts.Clock == nil {
		return nil, errors.New("sqlite: a clock is required")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: path: %w", err)
	}
	if err := makeDir(path); err != nil {
		return nil, err
	}
	// The lock comes first: nothing of the database is touched without it.
	lock, err := lockProcess(path + ".lock")
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, opts)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	s.lock = lock
	return s, nil
}

func open(ctx context.Context, path string, opts Options) (*Store, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	db, err := sql.Open(driverName, writerAddress(path))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open: %w", err)
	}
	db.SetMaxOpenConns(1)
	w := &writer{db: db, hooks: &opts.hooks, clock: opts.Clock}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	view, err := openView(ctx, path, opts)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	s := &Store{View: view, writer: w}
	s.queue = commitqueue.New(w, commitqueue.Options{Limits: opts.Limits, Gate: opts.hooks.gate})
	return s, nil
}

// Close commits what waits, then closes the file and lets go of it.
// It may be called again.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.queue.Close()
		s.outcome = errors.Join(s.View.Close(), s.writer.close(), s.lock.release())
	})
	return s.outcome
}

// Commit implements vault.Store.
func (s *Store) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	if !storable(tenant) {
		return vault.Committed{}, vault.ErrUnknownTenant
	}
	return s.queue.Commit(ctx, tenant, c)
}

// Waiting returns how many changes of a tenant wait for their commit.
func (s *Store) Waiting(tenant string) int { return s.queue.Waiting(tenant) }
