package sqlite

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var (
	// ErrLocked says that another process has the file.
	ErrLocked = errors.New("sqlite: the database is in use by another process")
	// ErrSchema says that the file has another schema than this program knows.
	ErrSchema = errors.New("sqlite: the schema of the database is another one")
	// ErrMalformed says that a change contradicts itself, or names something
	// that cannot be stored: a mistake of the program, not a condition.
	ErrMalformed = errors.New("sqlite: the change is malformed")
)

// fault is an error of the driver that says nothing about the change at hand:
// no disk space, no disk. It ends the whole batch.
type fault struct{ cause error }

func (f *fault) Error() string { return "sqlite: " + f.cause.Error() }
func (f *fault) Unwrap() error { return f.cause }

// failsAlone tells whether an error is about one change only.
func failsAlone(err error) bool {
	var f *fault
	return !errors.As(err, &f)
}

// statementError sorts the driver's errors by their code. A broken constraint
// or an oversized value is the change's own; all else is a fault.
func statementError(err error) error {
	if err == nil {
		return nil
	}
	switch code := codeOf(err); {
	case code == codes.SQLITE_CONSTRAINT_TRIGGER:
		// The tables refuse a gap or a changed entry: the file is not what
		// the head says, and no change may go on top of it.
		return &fault{err}
	case code&0xff == codes.SQLITE_CONSTRAINT, code&0xff == codes.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	default:
		return &fault{err}
	}
}

// isDuplicate tells whether a statement broke a unique key.
func isDuplicate(err error) bool { return codeOf(err) == codes.SQLITE_CONSTRAINT_UNIQUE }

func codeOf(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return codes.SQLITE_OK
}

// readError translates what a read failed with. Its context's end is told as
// such; SQLite's texts name tables and constraints, never values.
func readError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sqlite: read %s: %w", what, ctx.Err())
	}
	return fmt.Errorf("sqlite: read %s: %w: %w", what, vault.ErrUnavailable, err)
}
