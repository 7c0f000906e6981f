package telemetry_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/telemetry/telemetrytest"
)

func TestARequestAndItsStages(t *testing.T) {
	w := newWorld(t, nil)
	ctx, span := w.tracer.Request(t.Context(), nil, tokenize)
	for _, s := range []stage.Stage{stage.Authenticate, stage.Commit} {
		_, end := stage.Start(ctx, s)
		end()
	}
	span.Set(telemetry.Status(503), telemetry.Code("unavailable"), telemetry.Tenant("acme"), telemetry.Tokens(0))
	span.Fail()
	span.End()
	traceID := span.TraceID()
	sent := w.sent()
	if len(sent) != 3 {
		t.Fatalf("%d spans", len(sent))
	}
	request := sent[2]
	if request.Name != "tokenize" || request.Kind != tracepb.Span_SPAN_KIND_SERVER || len(request.ParentSpanId) != 0 ||
		request.Status.Code != tracepb.Status_STATUS_CODE_ERROR || request.Status.Message != "" || id(request.TraceId) != traceID {
		t.Errorf("request: %v", request.Span)
	}
	want := map[string]string{"http.response.status_code": "503", "counterfoil.code": "unavailable", "counterfoil.tenant": "acme"}
	if diff := cmp.Diff(want, request.Attributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	about := map[string]string{
		"service.name": "counterfoil", "service.version": "test", "service.instance.id": "vault-1", "deployment.environment.name": "staging",
	}
	if diff := cmp.Diff(about, request.Resource); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	for n, name := range []string{"authenticate", "commit"} {
		if s := sent[n]; s.Name != name || id(s.ParentSpanId) != id(request.SpanId) || id(s.TraceId) != traceID || len(s.Attributes()) != 0 {
			t.Errorf("stage: %v", s.Span)
		}
	}
	if got := w.tracer.Counts(); got != (telemetry.Counts{Sent: 3}) {
		t.Errorf("counts: %+v", got)
	}
	if path := w.Requests()[0].URL.Path; path != "/v1/traces" {
		t.Errorf("sent to %s", path)
	}
	if w.log.String() != "" {
		t.Errorf("log: %s", w.log)
	}
}

// A tracer that is nil traces nothing, and neither does one whose lot says no.
func TestRequestsThatAreNotTraced(t *testing.T) {
	var off *telemetry.Tracer
	ctx, span := off.Request(t.Context(), traceparent("00-"+parentTrace+"-"+parentSpan+"-01"), tokenize)
	span.Set(telemetry.Status(200))
	span.Fail()
	span.End()
	if ctx != t.Context() || span != nil || span.TraceID() != "" {
		t.Error("no tracer, and a trace")
	}
	off.Close(t.Context())
	w := newWorld(t, func(c *telemetry.Config) { c.Ratio = math.SmallestNonzeroFloat64 })
	for range 100 {
		ctx, span := w.request(t.Context(), nil)
		if _, end := stage.Start(ctx, stage.Commit); span.TraceID() != "" {
			t.Error("a request is traced")
		} else {
			end()
		}
	}
	if sent := w.sent(); len(sent) != 0 {
		t.Errorf("%d spans", len(sent))
	}
}

// The headers go to the collector and nowhere else, not even where it says.
func TestTheCollectorGetsItsHeadersOverTLS(t *testing.T) {
	encrypted, other := telemetrytest.New(t, true), telemetrytest.New(t, true)
	roots := x509.NewCertPool()
	roots.AddCert(encrypted.Certificate())
	w := newWorld(t, func(c *telemetry.Config) {
		c.Endpoint, c.Roots, c.Headers = encrypted.URL+"/custom", roots, map[string]string{"Api-Key": "secret"}
	})
	w.request(t.Context(), nil)
	w.sent()
	requests := encrypted.Requests()
	if len(requests) != 1 || requests[0].Header.Get("Api-Key") != "secret" || requests[0].URL.Path != "/custom" || len(encrypted.Spans()) != 1 {
		t.Errorf("requests: %v", requests)
	}
	for name, endpoint := range map[string]string{"a redirect": encrypted.URL, "an authority nobody named": other.URL} {
		encrypted.AnswerBy(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, other.URL, http.StatusTemporaryRedirect)
		})
		w := newWorld(t, func(c *telemetry.Config) { c.Endpoint, c.Headers = endpoint, map[string]string{"Api-Key": "secret"} })
		if name == "a redirect" {
			w = newWorld(t, func(c *telemetry.Config) { c.Endpoint, c.Roots = endpoint, roots })
		}
		w.request(t.Context(), nil)
		w.sent()
		if got := w.tracer.Counts(); got != (telemetry.Counts{Failed: 1}) || len(other.Requests()) != 0 {
			t.Errorf("%s: %+v, %d requests", name, got, len(other.Requests()))
		}
	}
}

// What the libraries would read from the environment changes nothing, but that
// the resource may say more.
func TestTheEnvironmentIsNotLookedAt(t *testing.T) {
	trap := telemetrytest.New(t, false)
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": trap.URL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": trap.URL,
		"OTEL_EXPORTER_OTLP_HEADERS": "x-env=canary", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-env=canary",
		"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=canary,cloud.region=here", "OTEL_SERVICE_NAME": "canary", "OTEL_TRACES_SAMPLER": "always_off",
		"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0", "OTEL_BSP_MAX_QUEUE_SIZE": "1", "OTEL_BSP_SCHEDULE_DELAY": "3600000",
	} {
		t.Setenv(name, value)
	}
	w := newWorld(t, nil)
	w.request(t.Context(), nil, telemetry.Status(200))
	sent := w.sent()
	if len(sent) != 1 || len(sent[0].Attributes()) != 1 || strings.Contains(w.Text(), "canary") || len(trap.Requests()) != 0 {
		t.Errorf("spans: %v, %d requests to the trap", sent, len(trap.Requests()))
	}
	if h := w.Requests()[0].Header; h.Get("X-Env") != "" || h.Get("Content-Encoding") != "gzip" {
		t.Errorf("headers: %v", h)
	}
}

// The lot is drawn by the service, as often as the ratio says.
func TestRatio(t *testing.T) {
	w := newWorld(t, func(c *telemetry.Config) { c.Ratio = 0.25 })
	const requests, least, most = 4000, 850, 1150 // five standard deviations and more
	traced := 0
	for range requests {
		if _, span := w.request(t.Context(), nil); span.TraceID() != "" {
			traced++
		}
	}
	if traced < least || traced > most {
		t.Errorf("%d of %d are traced", traced, requests)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	good := telemetry.Config{Endpoint: "http://127.0.0.1:1", Ratio: 1, Parent: telemetry.ParentJoin, Logger: slog.New(slog.DiscardHandler)}
	for name, change := range map[string]func(*telemetry.Config){
		"no endpoint": func(c *telemetry.Config) { c.Endpoint = "" }, "no host": func(c *telemetry.Config) { c.Endpoint = "http://" },
		"another protocol": func(c *telemetry.Config) { c.Endpoint = "grpc://127.0.0.1:1" }, "no URL": func(c *telemetry.Config) { c.Endpoint = "http://%" },
		"nothing": func(c *telemetry.Config) { c.Ratio = 0 }, "less": func(c *telemetry.Config) { c.Ratio = -1 },
		"more than all": func(c *telemetry.Config) { c.Ratio = 1.01 }, "no number": func(c *telemetry.Config) { c.Ratio = math.NaN() },
		"no parent": func(c *telemetry.Config) { c.Parent = "" }, "another parent": func(c *telemetry.Config) { c.Parent = "believe" },
		"no logger": func(c *telemetry.Config) { c.Logger = nil },
	} {
		cfg := good
		change(&cfg)
		if tracer, err := telemetry.New(cfg); err == nil {
			tracer.Close(t.Context())
			t.Errorf("%s: accepted", name)
		}
	}
}

// down is a collector that nobody listens for, one that refuses, one that never
// answers, and one that says to come again.
func down(t *testing.T) map[string]string {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"nobody listens": nobody}
	for name, answer := range map[string]http.HandlerFunc{
		"it refuses": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "kanarie", http.StatusForbidden) },
		"it never answers": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the client goes away
			<-r.Context().Done()
		},
		"it says to come again": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "kanarie", http.StatusServiceUnavailable)
		},
	} {
		r := telemetrytest.New(t, false)
		r.AnswerBy(answer)
		all[name] = r.URL
	}
	return all
}

// A collector that is down takes no time of a request, holds no more than the
// queue, is counted, and does not keep the service from ending.
func TestACollectorThatIsDownCostsNothing(t *testing.T) {
	for name, endpoint := range down(t) {
		w := newWorld(t, func(c *telemetry.Config) { c.Endpoint = endpoint })
		const requests = 3 * telemetry.MaxQueued
		slowest := time.Duration(0)
		for range requests {
			began := time.Now()
			w.request(t.Context(), nil, telemetry.Status(200))
			slowest = max(slowest, time.Since(began))
		}
		// The scheduler of a busy machine may take its time; a request that
		// waits for the collector would wait for seconds.
		if slowest > time.Second {
			t.Errorf("%s: a request took %v", name, slowest)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("no time left"))
		began := time.Now()
		w.close(ctx)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: the end took %v", name, took)
		}
		got := w.tracer.Counts()
		if got.Sent != 0 || got.Failed+got.Dropped != requests || got.Failed > requests-got.Dropped {
			t.Errorf("%s: %+v", name, got)
		}
		if name == "it never answers" && got.Dropped < requests-2*telemetry.MaxQueued {
			t.Errorf("%s: the queue held more than it may: %+v", name, got)
		}
		if log := w.log.String(); strings.Count(log, "traces cannot be sent") != 1 || strings.Contains(log, "kanarie") {
			t.Errorf("%s: log: %s", name, log)
		}
	}
}

// What is left is sent at the end, and a collector that is back is told of.
func TestTheEndSendsWhatIsLeft(t *testing.T) {
	w := newWorld(t, nil)
	w.AnswerBy(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) })
	for range telemetry.MaxBatch { // a whole batch goes at once
		w.request(t.Context(), nil)
	}
	for w.tracer.Counts().Failed < telemetry.MaxBatch {
		time.Sleep(time.Millisecond)
	}
	w.AnswerBy(nil)
	for range 10 {
		w.request(t.Context(), nil)
	}
	if sent := w.sent(); len(sent) != 10 {
		t.Errorf("%d spans", len(sent))
	}
	if got := w.tracer.Counts(); got != (telemetry.Counts{Sent: 10, Failed: telemetry.MaxBatch}) {
		t.Errorf("counts: %+v", got)
	}
	if log := w.log.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, "can be sent again") {
		t.Errorf("log: %s", log)
	}
	w.request(t.Context(), nil) // after the end: no harm
}
