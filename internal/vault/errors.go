package vault

import (
	"errors"
	"fmt"
	"time"
)

// Code is the closed set of error codes that leave the service.
type Code string

// The codes. httpapi maps each to one status.
const (
	CodeInvalid         Code = "invalid"
	CodeUnauthenticated Code = "unauthenticated"
	CodeDenied          Code = "denied"
	CodeNotFound        Code = "not_found"
	CodeConflict        Code = "conflict"
	CodeHeld            Code = "held"
	CodeExhausted       Code = "exhausted"
	CodeUnavailable     Code = "unavailable"
	CodeInternal        Code = "internal"
)

// Codes lists every code, for tests that walk them all.
func Codes() []Code {
	return []Code{
		CodeInvalid, CodeUnauthenticated, CodeDenied, CodeNotFound, CodeConflict,
		CodeHeld, CodeExhausted, CodeUnavailable, CodeInternal,
	}
}

// Error is an error with a public and a hidden half that travel together. The
// public half (code, detail, violations) may reach a caller; the cause never
// leaves the process and must hold no value either.
type Error struct {
	Code       Code
	Detail     string
	Violations []Violation
	RetryAfter time.Duration
	Limit      string // the name of the limit that was passed, if one was
	cause      error
}

// Violation says which field of a request broke which rule. It never quotes
// the field's value.
type Violation struct {
	Field string `json:"field"` // JSON pointer into the request
	Rule  string `json:"rule"`
}

// Error returns the public half only, so that an error printed by accident
// shows nothing that a caller may not see.
func (e *Error) Error() string {
	if e.Detail == "" {
		return "vault: " + string(e.Code)
	}
	return fmt.Sprintf("vault: %s: %s", e.Code, e.Detail)
}

// Unwrap returns the hidden cause.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error with a public detail. Arguments must not hold values.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid makes an error for one field and the rule that it broke.
func Invalid(field, rule string) *Error {
	return &Error{
		Code: CodeInvalid, Detail: "the request breaks a rule",
		Violations: []Violation{{Field: field, Rule: rule}},
	}
}

// Because attaches the hidden cause.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// CodeOf returns the code of err; an error without one is internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// What a store answers. They are conditions of the data, not messages for
// callers: the operations translate them.
var (
	// ErrNoEntry refuses a change without an entry (invariant 2).
	ErrNoEntry = errors.New("vault: a change without an entry")
	// ErrConflict says that a precondition no longer holds: read again.
	ErrConflict = errors.New("vault: a precondition failed")
	// ErrKeyDestroyed says that a data key of the change is gone or full:
	// seal again under another key.
	ErrKeyDestroyed = errors.New("vault: the data key is gone")
	// ErrIDTaken says that a token id of the change is in use: draw again.
	ErrIDTaken = errors.New("vault: the token id is taken")
	// ErrScopeMoved says that another scope stands for the name: read again.
	ErrScopeMoved = errors.New("vault: the scope is another one now")
	// ErrClaimed says that the idempotency key of the change is in use: read
	// again what it stands for.
	ErrClaimed = errors.New("vault: the idempotency key is in use")
	// ErrWrapVersion says that a key of the change is wrapped by a version
	// that is not written any more: wrap it anew.
	ErrWrapVersion = errors.New("vault: a key is wrapped by a version that is not written any more")
	// ErrSuspended says that the tenant is suspended or closed.
	ErrSuspended = errors.New("vault: the tenant is not served")
	// ErrTooMany says that a named limit of a plan is passed.
	ErrTooMany = errors.New("vault: too many")
	// ErrSuppressed says that a value of the change was erased and is kept out:
	// leave it out, or mask it.
	ErrSuppressed = errors.New("vault: the value is suppressed")
	// ErrExhausted says that a budget of the change is spent for this hour.
	ErrExhausted = errors.New("vault: a budget is spent")
	// ErrHeld says that a hold forbids the destruction.
	ErrHeld = errors.New("vault: held")
	// ErrUnknownTenant says that the tenant was never made.
	ErrUnknownTenant = errors.New("vault: no such tenant")
	// ErrNotFound says that what was asked for is not there.
	ErrNotFound = errors.New("vault: not found")
	// ErrOverloaded says that a named limit of the commit queue is reached.
	ErrOverloaded = errors.New("vault: the commit queue is full")
	// ErrUnavailable says that the store could not answer, or that the
	// outcome of a commit is unknown and was not acknowledged.
	ErrUnavailable = errors.New("vault: the store is unavailable")
	// ErrClosed says that the store is shutting down.
	ErrClosed = errors.New("vault: the store is closed")
)
