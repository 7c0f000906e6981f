package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// driverName is what the driver registers itself as.
const driverName = "sqlite"

// View reads a database. It can be opened while a service has the file, and
// while none has; it never writes.
type View struct {
	db     *sql.DB
	made   *statements
	clock  func() time.Time
	closed atomic.Bool
	passed passedOver
}

// OpenReadOnly opens a database for reading, without the lock of the process
// that serves it. It fails where there is none, or where its schema is another.
func OpenReadOnly(ctx context.Context, path string) (*View, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: path: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("sqlite: there is no database: %w", err)
		}
		return nil, fmt.Errorf("sqlite: open: %w", err)
	}
	v, err := openView(ctx, path, Options{Clock: time.Now})
	if err != nil {
		return nil, err
	}
	if err := checkSchema(ctx, v.db); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func openView(ctx context.Context, path string, opts Options) (*View, error) {
	db, err := sql.Open(driverName, readerAddress(path))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open: %w", err)
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open for reading: %w", err), db.Close())
	}
	return &View{db: db, made: newStatements(db, &opts.hooks), clock: opts.Clock}, nil
}

// Close ends all reading.
func (v *View) Close() error {
	if v.closed.Swap(true) {
		return nil
	}
	return errors.Join(v.made.close(), v.db.Close())
}

// each runs a statement and gives its rows to scan, one by one.
func (v *View) each(ctx context.Context, what, text string, scan func(*sql.Rows) error, args ...any) error {
	err := v.query(ctx, text, scan, args)
	switch {
	case err == nil:
		return nil
	case v.closed.Load():
		return vault.ErrClosed
	default:
		return readError(ctx, what, err)
	}
}

func (v *View) query(ctx context.Context, text string, scan func(*sql.Rows) error, args []any) error {
	stmt, err := v.made.get(ctx, text)
	if err != nil {
		return err
	}
	return scanAll(ctx, stmt, scan, args)
}

func scanAll(ctx context.Context, stmt *sql.Stmt, scan func(*sql.Rows) error, args []any) (err error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one runs a statement that gives at most one row and tells whether it did.
func (v *View) one(ctx context.Context, what, text string, into []any, args ...any) (found bool, err error) {
	err = v.each(ctx, what, text, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(into...)
	}, args...)
	return found, err
}

// now is the time by which a read judges expiry; statements put the time of
// the tenant's last entry in its place where that is later.
func (v *View) now() int64 { return micros(v.clock()) }
