package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"
)

// writer owns the one connection that writes. Its statements run without the
// context of any request: a batch belongs to many of them.
type writer struct {
	db    *sql.DB
	hooks *hooks
	clock func() time.Time

	mu   sync.Mutex // held from BEGIN to COMMIT
	conn *sql.Conn  // nil until needed, and after it was thrown away
	made *statements
}

const (
	sqlBegin      = `BEGIN IMMEDIATE`
	sqlCommit     = `COMMIT`
	sqlRollback   = `ROLLBACK`
	sqlSavepoint  = `SAVEPOINT change`
	sqlRollbackTo = `ROLLBACK TO change`
	sqlRelease    = `RELEASE change`
)

// prepare brings the schema up to date and checks the settings on which the
// promises rest: a file system that cannot have a write-ahead log, or a driver
// that drops a setting, must be noticed before anything is acknowledged.
func (w *writer) prepare(ctx context.Context) error {
	if err := migrate(ctx, w.db); err != nil {
		return err
	}
	for _, setting := range []struct{ query, want string }{
		{`SELECT journal_mode FROM pragma_journal_mode`, "wal"},
		{`SELECT synchronous FROM pragma_synchronous`, "2"}, // FULL
		{`SELECT foreign_keys FROM pragma_foreign_keys`, "1"},
		{`SELECT secure_delete FROM pragma_secure_delete`, "1"},
	} {
		var got string
		if err := w.db.QueryRowContext(ctx, setting.query).Scan(&got); err != nil {
			return fmt.Errorf("sqlite: settings: %w", err)
		}
		if got != setting.want {
			return fmt.Errorf("sqlite: settings: %s gives %s, want %s", setting.query, got, setting.want)
		}
	}
	return nil
}

// tx is a transaction of the writer. Exactly one of commit and abandon ends
// it; abandon after commit does nothing, so that it can be deferred.
type tx struct {
	w     *writer
	ended bool
}

// begin takes the write lock. Nothing is read before it, so everything that is
// read is true until the end. The caller holds w.mu.
func (w *writer) begin() (*tx, error) {
	if w.conn == nil {
		conn, err := w.db.Conn(context.Background())
		if err != nil {
			return nil, &fault{err}
		}
		w.conn, w.made = conn, newStatements(conn, w.hooks)
	}
	x := &tx{w: w}
	if _, err := x.exec(sqlBegin); err != nil {
		w.discard()
		return nil, err
	}
	return x, nil
}

// commit returns nil only once the batch is on the disk. After an error
// nothing is certain; the connection is gone, and with it the transaction.
func (x *tx) commit() error {
	x.ended = true
	if _, err := x.exec(sqlCommit); err != nil {
		x.w.discard()
		return err
	}
	return nil
}

// abandon rolls back. Where that fails, closing the connection does the same.
func (x *tx) abandon() {
	if x.ended {
		return
	}
	x.ended = true
	if _, err := x.exec(sqlRollback); err != nil {
		x.w.discard()
	}
}

// discard closes the connection, and with it an open transaction. Errors are
// of no use to anybody: the next begin opens another one, or fails.
func (w *writer) discard() {
	if w.conn == nil {
		return
	}
	_ = w.made.close()
	// ErrBadConn makes the pool close the connection rather than keep it.
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = w.conn.Close()
	w.conn, w.made = nil, nil
}

func (w *writer) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	if w.conn != nil {
		errs = append(errs, w.made.close(), w.conn.Close())
		w.conn, w.made = nil, nil
	}
	return errors.Join(append(errs, w.db.Close())...)
}

// exec runs a statement and tells how many rows it changed.
func (x *tx) exec(text string, args ...any) (changed int64, err error) {
	err = x.step(text, func(stmt *sql.Stmt) error {
		result, err := stmt.Exec(args...)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// mustChange runs a statement that changes exactly one row, or says that what
// it was to change is not there.
func (x *tx) mustChange(missing error, text string, args ...any) error {
	changed, err := x.exec(text, args...)
	if err == nil && changed != 1 {
		return missing
	}
	return err
}

// each scans the rows of a statement, one by one.
func (x *tx) each(text string, scan func(*sql.Rows) error, args ...any) error {
	return x.step(text, func(stmt *sql.Stmt) error {
		return scanAll(context.Background(), stmt, scan, args)
	})
}

// row scans the first row of a statement and tells whether there was one.
func (x *tx) row(into []any, text string, args ...any) (found bool, err error) {
	err = x.step(text, func(stmt *sql.Stmt) error {
		err := stmt.QueryRow(args...).Scan(into...)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		found = err == nil
		return err
	})
	return found, err
}

// step prepares and runs one statement between the hooks.
func (x *tx) step(text string, run func(*sql.Stmt) error) error {
	if err := x.w.hooks.beforeStep(text); err != nil {
		return statementError(err)
	}
	stmt, err := x.w.made.get(context.Background(), text)
	if err == nil {
		err = run(stmt)
	}
	if err == nil {
		err = x.w.hooks.afterStep(text)
	}
	return statementError(err)
}
