package telemetry

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Parent says what the traceparent of a request counts for.
type Parent string

// The ways to treat a traceparent. The zero Parent is none of them.
const (
	ParentIgnore Parent = "ignore" // nothing: every request begins a trace
	ParentJoin   Parent = "join"   // its ids: the request is a part of that trace
	ParentFollow Parent = "follow" // its ids, and its flag says whether to trace
)

// Parents lists the ways to treat a traceparent.
func Parents() []Parent { return []Parent{ParentIgnore, ParentJoin, ParentFollow} }

// The headers of W3C Trace Context and Baggage.
const (
	headerParent  = "Traceparent"
	headerState   = "Tracestate"
	headerBaggage = "Baggage"
)

// remoteParent puts the caller's trace into a context: two ids and one flag. A
// header that comes twice, or that is not what the recommendation says, counts
// for nothing; tracestate and baggage never do.
func remoteParent(ctx context.Context, header http.Header, parent Parent) context.Context {
	given := header.Values(headerParent)
	if parent == ParentIgnore || len(given) != 1 {
		return ctx
	}
	carrier := propagation.MapCarrier{"traceparent": given[0]}
	// Into an empty context, so that what comes out is the header's or nothing.
	found := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
	if !found.IsValid() || spells(found.TraceID()) {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: found.TraceID(), SpanID: found.SpanID(), TraceFlags: found.TraceFlags() & trace.FlagsSampled, Remote: true,
	}))
}

// spells tells whether an id is made of decimal digits, like the number of a card
// or of a customer, or of printable characters. Of random ids one in three
// million is.
func spells(id trace.TraceID) bool {
	printable := true
	for _, b := range id {
		printable = printable && (b == 0 || (b >= ' ' && b <= '~'))
	}
	return printable || strings.Trim(hex.EncodeToString(id[:]), "0123456789") == ""
}
