package telemetry

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// queue stands before the SDK's queue and never holds more than that has room
// for, so that what is dropped is dropped here, where it is counted.
type queue struct {
	sdk.SpanProcessor
	waiting atomic.Int64
	dropped atomic.Uint64
}

// OnEnd takes a finished span, or drops it.
func (q *queue) OnEnd(s sdk.ReadOnlySpan) {
	if q.waiting.Add(1) > MaxQueued {
		q.waiting.Add(-1)
		q.dropped.Add(1)
		return
	}
	q.SpanProcessor.OnEnd(s)
}

// exporter sends batches. It never fails: the SDK would print the error of the
// collector to standard error. One batch is sent at a time.
type exporter struct {
	next    sdk.SpanExporter
	queue   *queue
	logger  *slog.Logger
	ending  context.Context // ends what is being sent
	sent    atomic.Uint64
	failed  atomic.Uint64
	failing time.Time // since when; zero while it works
}

// ExportSpans implements [sdk.SpanExporter].
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ending, cancel)()
	err := ctx.Err()
	if err == nil {
		err = e.next.ExportSpans(ctx, spans)
	}
	n := len(spans)
	e.queue.waiting.Add(-int64(n))
	if err == nil {
		e.sent.Add(uint64(n))
		if !e.failing.IsZero() {
			e.logger.Info("traces can be sent again", slog.Time("since", e.failing))
			e.failing = time.Time{}
		}
		return nil
	}
	e.failed.Add(uint64(n))
	if e.failing.IsZero() {
		e.failing = time.Now()
		e.logger.Warn("traces cannot be sent", slog.Time("since", e.failing))
	}
	return nil
}

// Shutdown implements [sdk.SpanExporter]. The error of the last batch was told.
func (e *exporter) Shutdown(ctx context.Context) error {
	_ = e.next.Shutdown(ctx)
	return nil
}
