package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/telemetry/telemetrytest"
)

var tokenize = telemetry.NewOperation("tokenize")

// logBuffer holds what the logger was told.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// world is a tracer and its collector.
type world struct {
	*telemetrytest.Receiver
	tracer *telemetry.Tracer
	log    *logBuffer
	close  func(context.Context)
}

func newWorld(t testing.TB, change func(*telemetry.Config)) *world {
	t.Helper()
	w := &world{Receiver: telemetrytest.New(t, false), log: &logBuffer{}}
	cfg := telemetry.Config{
		Endpoint: w.URL, Ratio: 1, Parent: telemetry.ParentJoin, Service: "counterfoil", Version: "test",
		Environment: "staging", Replica: "vault-1", Logger: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	tracer, err := telemetry.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.tracer = tracer
	var once sync.Once
	w.close = func(ctx context.Context) { once.Do(func() { tracer.Close(ctx) }) }
	t.Cleanup(func() { w.close(context.Background()) })
	return w
}

// request traces one request and returns its context as it was on the way.
func (w *world) request(ctx context.Context, header http.Header, facts ...telemetry.Attribute) (context.Context, *telemetry.Span) {
	ctx, span := w.tracer.Request(ctx, header, tokenize)
	span.Set(facts...)
	span.End()
	return ctx, span
}

// sent closes the tracer and returns what came out.
func (w *world) sent() []telemetrytest.Span {
	w.close(context.Background())
	return w.Spans()
}

func id(raw []byte) string { return hex.EncodeToString(raw) }

const (
	parentTrace = "4bf92f3577b34da6a3ce929d0e0e4736" // of the recommendation
	parentSpan  = "00f067aa0ba902b7"
)

func traceparent(text string) http.Header { return http.Header{"Traceparent": {text}} }
