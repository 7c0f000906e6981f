// Package telemetry traces requests: one span for each request, named by its
// operation, with the stages of package stage below it, sent as OTLP over HTTP.
//
// # What a trace holds
//
// Names of operations and stages, times, and the facts that an [Attribute] can
// state: statuses, codes, counts, sizes, ids that the service has drawn, the
// tenant, the version of the policy. An Attribute can be made by the functions of
// this package only. Each takes a number, a name out of a closed list, or a text
// that has one shape and is left out if it does not have it, so that nobody can
// put a value, a path, a header or the text of an error into a trace by mistake.
// There are no events, no links, no descriptions, and a panic leaves nothing.
//
// # What a caller can put into it
//
// Of the headers only traceparent (W3C Trace Context, level 2) is read; tracestate
// and baggage end here. [ParentJoin] takes the two ids of a traceparent: 24 bytes
// that a caller chooses and that the traces and the event of the request show.
// An id of a trace that spells something, in digits or in letters, is no random
// one and is not taken. Who cannot have even that says [ParentIgnore]. Whether a
// request is traced is drawn here, from nothing that a caller sends: the flag of
// a traceparent counts with [ParentFollow] only, since whoever may set it decides
// how much the service sends.
//
// # What is lost on failure
//
// Spans, and nothing else. A request never waits: finished spans go into a queue
// of [MaxQueued], and what does not fit is dropped. A collector that is down or
// refuses costs the spans of its batch. Both are counted ([Tracer.Counts]), and
// the logger is told once when it begins and once when it ends, without the text
// of the error, which may quote the collector. [Tracer.Close] sends what is left
// until its context ends. A [Tracer] that is nil traces nothing.
//
// The settings that the OpenTelemetry libraries would read from OTEL_ variables
// are all given, so that the environment decides nothing, with two exceptions:
// OTEL_RESOURCE_ATTRIBUTES, by which a platform adds to what is said of the
// service, such as its region, and replaces nothing; and the variables that name a
// proxy, as for the keys of issuers.
//
// Formats: W3C Trace Context, OTLP 1 over HTTP with protobuf bodies.
package telemetry
