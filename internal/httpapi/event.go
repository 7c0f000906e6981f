package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// event is the one line of the operational log that a request leaves. It is
// filled on the way and emitted once. It has no field for a path, a query, a
// text, a value or the message of an error: what is not there cannot leak.
type event struct {
	requestID string
	traceID   string // where the request is traced
	operation string
	tenant    string
	client    string
	actor     string
	// reason is set when the service has accepted it, so that it is one of the
	// catalogue and not something that a caller made up.
	reason string

	status    int
	code      vault.Code
	limit     string
	cause     error
	panicked  string   // the type of what was panicked with
	stack     []string // functions and lines, no arguments
	gone      bool     // the client went away
	bytesIn   int64
	bytesOut  int64
	latency   time.Duration
	origins   map[vault.Origin]int
	statuses  map[vault.Status]int
	untouched map[string]int // findings that were masked or let through, by action
	found     map[detection]int
	decision  string // what a restoration came to
	// refusedFor is the reason of one that was refused whole. It may be one that a
	// caller made up: it is compared with names that are known, and never written.
	refusedFor string
	entries    int

	missing      string // the component for want of which the service is not ready
	missingSince time.Time
}

// statusGone is what nginx notes for a client that closed the connection. It
// is never sent.
const statusGone = 499

func (e *event) emit(ctx context.Context, logger *slog.Logger) {
	attrs := make([]slog.Attr, 0, 24)
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	text("request_id", e.requestID)
	text("trace_id", e.traceID)
	text("operation", e.operation)
	text("tenant", e.tenant)
	text("client", e.client)
	text("actor", e.actor)
	text("reason", e.reason)
	text("decision", e.decision)
	attrs = append(attrs, slog.Int("status", e.status))
	text("code", string(e.code))
	text("limit", e.limit)
	attrs = append(attrs, slog.Float64("latency_ms", float64(e.latency.Microseconds())/1000),
		slog.Int64("bytes_in", e.bytesIn), slog.Int64("bytes_out", e.bytesOut))
	attrs = appendCounts(attrs, "tokens", e.origins)
	attrs = appendCounts(attrs, "results", e.statuses)
	attrs = appendCounts(attrs, "not_tokenized", e.untouched)
	if e.entries > 0 {
		attrs = append(attrs, slog.Int("entries", e.entries))
	}
	if e.missing != "" {
		attrs = append(attrs, slog.String("missing", e.missing), slog.Time("since", e.missingSince))
	}
	if e.cause != nil && e.status >= 500 {
		attrs = append(attrs, slog.Any("cause", describeCause(e.cause)))
	}
	if e.panicked != "" {
		attrs = append(attrs, slog.String("panic", e.panicked), slog.Any("stack", e.stack))
	}
	level := slog.LevelInfo
	if e.status >= 500 {
		level = slog.LevelError
	}
	// The request may be over; its context only carries a trace here.
	logger.LogAttrs(context.WithoutCancel(ctx), level, "request", attrs...)
}

func appendCounts[K ~string](attrs []slog.Attr, name string, counts map[K]int) []slog.Attr {
	if len(counts) == 0 {
		return attrs
	}
	inner := make([]any, 0, len(counts))
	for key, n := range counts {
		inner = append(inner, slog.Int(string(key), n))
	}
	return append(attrs, slog.Group(name, inner...))
}

// conditions are the errors whose text is a constant of ours, and which tell
// an operator what was wrong.
var conditions = []error{
	vault.ErrNoEntry, vault.ErrConflict, vault.ErrKeyDestroyed, vault.ErrIDTaken, vault.ErrScopeMoved,
	vault.ErrExhausted, vault.ErrHeld, vault.ErrUnknownTenant, vault.ErrNotFound, vault.ErrOverloaded,
	vault.ErrUnavailable, vault.ErrClosed, context.Canceled, context.DeadlineExceeded, errUnbindable,
}

// maxCauses bounds the types that an event names; chains are short.
const maxCauses = 16

// describeCause says what can be said of an error without its text, which may
// quote SQL, key paths or values: the conditions that it meets and the types
// it is made of.
func describeCause(err error) []string {
	var said []string
	for _, condition := range conditions {
		if errors.Is(err, condition) {
			said = append(said, condition.Error())
		}
	}
	return typesOf(err, said)
}

func typesOf(err error, said []string) []string {
	if err == nil || len(said) >= maxCauses {
		return said
	}
	said = append(said, fmt.Sprintf("%T", err))
	switch e := err.(type) { //nolint:errorlint // the chain itself is walked here
	case interface{ Unwrap() error }:
		return typesOf(e.Unwrap(), said)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			said = typesOf(inner, said)
		}
	}
	return said
}
