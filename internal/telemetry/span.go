package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Span is that of one request which is traced. A nil Span is that of a request
// which is not, and takes everything.
type Span struct{ span trace.Span }

// Set states facts.
func (s *Span) Set(facts ...Attribute) {
	if s == nil {
		return
	}
	stated := make([]attribute.KeyValue, 0, len(facts))
	for _, f := range facts {
		if f.fact.Valid() {
			stated = append(stated, f.fact)
		}
	}
	s.span.SetAttributes(stated...)
}

// Fail marks a request that the service could not answer.
func (s *Span) Fail() {
	if s != nil {
		s.span.SetStatus(codes.Error, "")
	}
}

// End ends the span. Nothing can be stated any more.
func (s *Span) End() {
	if s != nil {
		s.span.End()
	}
}

// TraceID is the id of the trace, or "" where there is none.
func (s *Span) TraceID() string {
	if s == nil {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}
