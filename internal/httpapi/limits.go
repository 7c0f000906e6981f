package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Limits of the interface. GET /v1/limits serves them with those of the
// domain (invariant 17).
const (
	// MaxBodyBytes is four times the greatest text: room for the escapes that
	// a JSON encoder may put in, and for ten thousand spans beside it.
	MaxBodyBytes = 4 << 20
	// MaxBodyBytesInFlight bounds the bodies that are held at one time. A body
	// takes about four times its size while it is worked on, so that all of
	// them together stay below half a GiB.
	MaxBodyBytesInFlight = 128 << 20
	// MaxInFlight bounds the requests under way: some fifty for each
	// connection of a usual database pool. More would only wait.
	MaxInFlight = 1024
	// RequestTimeout bounds a request from its header to its answer. Gateways
	// wait for seconds, not for minutes.
	RequestTimeout = 30 * time.Second
	// ReadyTimeout bounds a probe; those who ask do so every few seconds.
	ReadyTimeout = 2 * time.Second
	// MaxDepth bounds the nesting of a body: four times what the deepest
	// request of the API needs.
	MaxDepth = 16
	// MaxNodes bounds the values in a body, of all types: ten thousand spans
	// of five each, and the rest. It bounds what a hostile body can make the
	// validator allocate.
	MaxNodes = 1 << 16
	// MaxViolations bounds the list in a problem; nobody mends more at a time.
	MaxViolations = 32
	// DefaultPage is the size of a page of the log if none is asked for.
	DefaultPage = 100
	// MaxHeaderBytes is room for a credential of 8 KiB and what proxies add.
	MaxHeaderBytes = 32 << 10
	// ReadHeaderTimeout and ReadTimeout free what a slow sender holds.
	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 15 * time.Second
	// WriteTimeout is longer than RequestTimeout, so that the answer to a
	// request that timed out still gets through.
	WriteTimeout = RequestTimeout + 15*time.Second
	// BundleTimeout bounds how long a bundle of evidence is sent: a gigabyte, which is
	// a year of a large tenant, at 10 Mbit/s.
	BundleTimeout = 15 * time.Minute
	// StreamTimeout bounds a stream: as long as a grant can stand.
	StreamTimeout = vault.MaxGrantLife
	// StreamIdle bounds a pause of a stream, of the model as of the reader: longer
	// than a model thinks before it speaks on.
	StreamIdle = 2 * time.Minute
	// StreamBuffer is how much of a stream is read at a time, at most.
	StreamBuffer = 32 << 10
	// firstStreamBuffer is what is read at first: some frames of a model, which come one
	// by one. It is held for as long as the stream is open.
	firstStreamBuffer = 2 << 10
	// MaxStreams bounds the streams under way; each has its frame and what is held
	// back, two megabytes at the worst.
	MaxStreams = 512
	// IdleTimeout is longer than that of common balancers, so that they, not
	// we, close a connection they may be about to use.
	IdleTimeout = 75 * time.Second
)

// Names of limits that problems cite.
const (
	limitBody         = "http_body_bytes"
	limitBodyInFlight = "http_body_bytes_in_flight"
	limitInFlight     = "http_requests_in_flight"
	limitStreams      = "http_streams_in_flight"
	limitRequest      = "http_request_seconds"
	limitDepth        = "json_depth"
	limitNodes        = "json_values"
)

// Limits are those that an operator may set. A zero field means the constant.
type Limits struct {
	BodyBytes         int64         // MaxBodyBytes
	BodyBytesInFlight int64         // MaxBodyBytesInFlight
	InFlight          int64         // MaxInFlight
	Request           time.Duration // RequestTimeout
}

func (l Limits) withDefaults() Limits {
	if l.BodyBytes == 0 {
		l.BodyBytes = MaxBodyBytes
	}
	if l.BodyBytesInFlight == 0 {
		l.BodyBytesInFlight = MaxBodyBytesInFlight
	}
	if l.InFlight == 0 {
		l.InFlight = MaxInFlight
	}
	if l.Request == 0 {
		l.Request = RequestTimeout
	}
	return l
}

func (l Limits) list() []vault.Limit {
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	return []vault.Limit{
		{Name: limitBody, Unit: "bytes", Value: l.BodyBytes, Why: "one body"},
		{Name: limitBodyInFlight, Unit: "bytes", Value: l.BodyBytesInFlight, Why: "all bodies that are worked on at one time"},
		{Name: limitInFlight, Unit: "count", Value: l.InFlight, Why: "requests under way at one time"},
		{Name: limitRequest, Unit: "seconds", Value: seconds(l.Request), Why: "one request from its header to its answer"},
		{Name: limitDepth, Unit: "count", Value: MaxDepth, Why: "nesting of a body"},
		{Name: limitNodes, Unit: "count", Value: MaxNodes, Why: "values of all types in a body"},
		{Name: "problem_errors", Unit: "count", Value: MaxViolations, Why: "broken rules that one problem lists"},
		{Name: "http_header_bytes", Unit: "bytes", Value: MaxHeaderBytes, Why: "all headers of a request"},
		{Name: "http_header_seconds", Unit: "seconds", Value: seconds(ReadHeaderTimeout), Why: "time for the headers to arrive"},
		{Name: "http_read_seconds", Unit: "seconds", Value: seconds(ReadTimeout), Why: "time for a request to arrive"},
		{Name: "http_write_seconds", Unit: "seconds", Value: seconds(WriteTimeout), Why: "time until the answer has been taken"},
		{Name: "http_bundle_seconds", Unit: "seconds", Value: seconds(BundleTimeout), Why: "time until a bundle of evidence has been taken"},
		{Name: limitStreams, Unit: "count", Value: MaxStreams, Why: "streams under way at one time"},
		{Name: "http_stream_seconds", Unit: "seconds", Value: seconds(StreamTimeout), Why: "one stream"},
		{Name: "http_stream_idle_seconds", Unit: "seconds", Value: seconds(StreamIdle), Why: "a pause of a stream, on either side"},
		{Name: "http_stream_buffer", Unit: "bytes", Value: StreamBuffer, Why: "what is read of a stream at a time"},
		{Name: "http_idle_seconds", Unit: "seconds", Value: seconds(IdleTimeout), Why: "an idle connection"},
		{Name: "ready_seconds", Unit: "seconds", Value: seconds(ReadyTimeout), Why: "one look at the readiness"},
	}
}

// Limits serves every limit, those of the domain first.
func (a *api) Limits(ctx context.Context, _ gen.LimitsRequestObject) (gen.LimitsResponseObject, error) {
	ctx, x := begin(ctx)
	inForce, err := a.service.LimitsInForce(ctx, x.call)
	if err != nil {
		return nil, err
	}
	all := append(inForce, a.limits.list()...)
	for i := range a.pacers {
		all = append(all, a.pacers[i].limits()...)
	}
	answer := gen.LimitsAnswer{Limits: make([]gen.Limit, 0, len(all)), RequestId: x.call.RequestID}
	for _, l := range all {
		answer.Limits = append(answer.Limits, gen.Limit{Name: l.Name, Value: l.Value, Unit: l.Unit, Why: l.Why})
	}
	return ok(answer), nil
}
