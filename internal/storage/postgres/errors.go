package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var (
	// ErrSchema says that the database has another schema than this program
	// knows, or none.
	ErrSchema = errors.New("postgres: the schema of the database is another one")
	// ErrRole says that a role may do more, or less, than it should: the
	// service does not start with it.
	ErrRole = errors.New("postgres: the role is not fit to serve")
	// ErrServer says that a setting of the server breaks a promise.
	ErrServer = errors.New("postgres: the server cannot keep what is promised")
	// ErrMalformed says that a change contradicts itself, or names something
	// that cannot be stored: a mistake of the program, not a condition.
	ErrMalformed = errors.New("postgres: the change is malformed")
)

// The SQLSTATEs by which errors are told apart: whole codes, or classes of two
// letters. https://www.postgresql.org/docs/15/errcodes-appendix.html
const (
	classConnection = "08" // connection exception
	classData       = "22" // data exception
	classConstraint = "23" // integrity constraint violation
	classRollback   = "40" // serialization failure, deadlock
	classLimit      = "54" // program limit exceeded: a row too big for an index
	classOperator   = "57" // operator intervention: shutdown, recovery
	codeCancelled   = "57014"
	codeNoTable     = "42P01"
	codeNoRight     = "42501"
	codeDuplicate   = "23505"
	codeReadOnly    = "25006" // of a standby that was a primary
)

// fault is an error of the driver or the server that says nothing about the
// change at hand. It ends the whole batch. Its text has the code alone: what
// the server says may quote values, and what the driver says, addresses.
type fault struct{ cause error }

func (f *fault) Error() string { return "postgres: " + describe(f.cause) }
func (f *fault) Unwrap() error { return f.cause }

func describe(err error) string {
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, errLeftAlone):
		return "the server is left alone for a while"
	case errors.As(err, &server) && server.ConstraintName != "":
		return fmt.Sprintf("SQLSTATE %s, constraint %s", server.Code, server.ConstraintName)
	case errors.As(err, &server):
		return "SQLSTATE " + server.Code
	case errors.As(err, &connect):
		return "no connection"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case isGone(err):
		return "the connection is lost"
	default:
		return fmt.Sprintf("the driver failed with a %T", err)
	}
}

// stateOf is the SQLSTATE of an error, empty where the server sent none.
func stateOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func classOf(err error) string {
	if state := stateOf(err); len(state) == 5 {
		return state[:2]
	}
	return ""
}

// failsAlone tells whether an error is about one change only.
func failsAlone(err error) bool {
	var f *fault
	return !errors.As(err, &f)
}

// isRefusal tells whether the server refused what a change brings: it broke a
// constraint, or cannot be stored. Every such thing is looked for before it is
// written, so this is for what was forgotten.
func isRefusal(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	if e.Code == codeDuplicate && slices.Contains(logTables, e.TableName) {
		// The place in the log is taken: the log is not what its head says, and
		// no change may go on top of it.
		return false
	}
	switch classOf(err) {
	case classData, classConstraint, classLimit:
		return true
	default:
		return false
	}
}

// logTables are those that the head tells what to write.
var logTables = []string{"entries", "entry_terms", "log_nodes", "log_heads"}

// isPassing tells whether the same transaction may well succeed at once on
// another connection: this one was lost, or its server was going away, or two
// transactions stood in each other's way.
func isPassing(err error) bool {
	switch classOf(err) {
	case classConnection, classRollback:
		return true
	case classOperator:
		return stateOf(err) != codeCancelled
	case "":
		return isGone(err)
	default:
		return stateOf(err) == codeReadOnly
	}
}

// isGone tells whether the connection broke.
func isGone(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || errors.As(err, &network)
}

// readError translates what a read failed with. The end of its context is told
// as such.
func readError(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("postgres: read %s: %w", what, ctx.Err())
	}
	return fmt.Errorf("postgres: read %s: %w: %w", what, vault.ErrUnavailable, err)
}
