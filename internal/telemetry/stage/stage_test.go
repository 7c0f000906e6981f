package stage_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
)

// traced returns the context of a request that is traced, and what was recorded.
func traced(t testing.TB, sampler trace.Sampler) (context.Context, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(recorder), trace.WithSampler(sampler))
	ctx, _ := provider.Tracer("test").Start(t.Context(), "request")
	return ctx, recorder
}

func TestStagesAreSpansOfTheRequest(t *testing.T) {
	ctx, recorder := traced(t, trace.AlwaysSample())
	request := api.SpanContextFromContext(ctx)
	seen := map[string]bool{}
	for _, s := range stage.Stages() {
		inner, end := stage.Start(ctx, s)
		below, endBelow := stage.Start(inner, stage.Commit)
		endBelow()
		end()
		if below == inner || inner == ctx {
			t.Errorf("%v: the context does not know the stage", s)
		}
		ended := recorder.Ended()
		span, child := ended[len(ended)-1], ended[len(ended)-2]
		if span.Name() != s.String() || span.Parent().SpanID() != request.SpanID() || span.SpanContext().TraceID() != request.TraceID() {
			t.Errorf("%v: %s below %v", s, span.Name(), span.Parent())
		}
		if child.Parent().SpanID() != span.SpanContext().SpanID() {
			t.Errorf("%v: what happens in it is not below it", s)
		}
		if len(span.Attributes())+len(span.Events())+len(span.Links()) != 0 || span.Status().Description != "" {
			t.Errorf("%v says more than its name: %v", s, span)
		}
		seen[s.String()] = true
	}
	if len(seen) != len(stage.Stages()) || len(seen) != 9 {
		t.Errorf("stages: %v", seen)
	}
}

// A panic goes through a stage that is under way, and leaves nothing of itself.
func TestInvariant12_APanicLeavesNothingInItsStage(t *testing.T) {
	ctx, recorder := traced(t, trace.AlwaysSample())
	through(ctx, func(ctx context.Context) func() {
		_, end := stage.Start(ctx, stage.Open)
		return end
	})
	if n := panicEvents(recorder); n != 0 {
		t.Errorf("%d events", n)
	}
}

// A span that is ended by a deferred call of its own method notes the panic.
func TestInvariant12_Twin_ADeferredEndNotesThePanic(t *testing.T) {
	ctx, recorder := traced(t, trace.AlwaysSample())
	func() {
		defer func() { _ = recover() }()
		_, span := api.SpanFromContext(ctx).TracerProvider().Tracer("twin").Start(ctx, "open")
		defer span.End()
		panic("kanarie")
	}()
	if panicEvents(recorder) == 0 {
		t.Error("the closure around End is not needed")
	}
}

func through(ctx context.Context, start func(context.Context) func()) {
	defer func() { _ = recover() }()
	defer start(ctx)()
	panic("kanarie")
}

func panicEvents(recorder *tracetest.SpanRecorder) (n int) {
	for _, span := range recorder.Ended() {
		n += len(span.Events())
	}
	return n
}

func TestRequestsThatAreNotTracedPayNothing(t *testing.T) {
	unsampled, recorder := traced(t, trace.NeverSample())
	for name, ctx := range map[string]context.Context{"no trace": t.Context(), "not sampled": unsampled} {
		if after, end := stage.Start(ctx, stage.Commit); after != ctx || end == nil {
			t.Errorf("%s: another context", name)
		}
		if n := testing.AllocsPerRun(100, func() {
			_, end := stage.Start(ctx, stage.Commit)
			end()
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := len(recorder.Ended()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

func TestStagesOutsideTheListAreImpossible(t *testing.T) {
	for _, s := range []stage.Stage{0, stage.Render + 1, 255} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("stage %d has a name", uint8(s))
				}
			}()
			_ = s.String()
		}()
	}
}
