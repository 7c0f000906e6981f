// Package stage marks the stages of a request in its trace. It is all of
// tracing that the domain may use: a stage is a number out of a closed list, and
// there is no way to say anything else, so that no value of a request can get
// into a trace by it.
//
//	ctx, end := stage.Start(ctx, stage.Commit)
//	defer end()
//
// A request that is not traced pays for one look at its context: nothing is
// allocated. Nothing is lost on failure but the trace.
package stage

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Stage is a part of the way of a request.
type Stage uint8

// The stages, in the order in which a request passes them.
const (
	Authenticate Stage = iota + 1 // who calls
	Decode                        // the body, read and held against the document
	Read                          // what the store has: scope, mappings
	Detect                        // what in the texts is to be tokenized
	Seal                          // values, under data keys
	Unwrap                        // data keys, from the cache or the key service
	Commit                        // the change and its entry
	Open                          // values that are restored
	Render                        // the answer
)

var names = [...]string{
	Authenticate: "authenticate", Decode: "decode", Read: "read", Detect: "detect", Seal: "seal",
	Unwrap: "unwrap", Commit: "commit", Open: "open", Render: "render",
}

// Stages lists every stage.
func Stages() []Stage {
	all := make([]Stage, 0, len(names)-1)
	for s := Authenticate; int(s) < len(names); s++ {
		all = append(all, s)
	}
	return all
}

// String is the name of the stage's span.
func (s Stage) String() string {
	if s < Authenticate || int(s) >= len(names) {
		panic("stage: there is no such stage")
	}
	return names[s]
}

// Scope names this package as the maker of spans.
const Scope = "github.com/counterfoil/counterfoil/internal/telemetry/stage"

// Start begins a stage of the request that ctx belongs to. What happens under
// the returned context belongs to the stage, until end is called, once.
func Start(ctx context.Context, s Stage) (_ context.Context, end func()) {
	request := trace.SpanFromContext(ctx)
	if !request.IsRecording() {
		return ctx, nothing
	}
	ctx, span := request.TracerProvider().Tracer(Scope).Start(ctx, s.String())
	// Not span.End itself: deferred, it would look at a panic, whose text may
	// be a value, if its provider were set up by somebody else.
	return ctx, func() { span.End() }
}

func nothing() {}
