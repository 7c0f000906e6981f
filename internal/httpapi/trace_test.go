package httpapi_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/certificate"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/telemetry/telemetrytest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/counterfoil/counterfoil/openapi"
)

// tracedWorld is an interface whose requests are all traced.
type tracedWorld struct {
	*httpapitest.Client
	*telemetrytest.Receiver
	handler http.Handler
	log     *logBuffer
	tracer  *telemetry.Tracer
}

func newTracedWorld(t *testing.T, change func(*httpapi.Config)) *tracedWorld {
	t.Helper()
	w := &tracedWorld{Receiver: telemetrytest.New(t, false), log: &logBuffer{}}
	logger := slog.New(slog.NewJSONHandler(w.log, nil))
	var err error
	w.tracer, err = telemetry.New(telemetry.Config{
		Endpoint: w.URL, Ratio: 1, Parent: telemetry.ParentJoin, Service: "counterfoil", Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.tracer.Close(context.Background()) })
	cfg := httpapi.Config{
		Service: vaulttest.New(t).Service, Logger: logger, Registry: prometheus.NewRegistry(), Version: "test", Tracer: w.tracer,
		Authenticate: func(_ context.Context, bearer string) (vault.Caller, error) {
			if caller, known := callers[bearer]; known {
				return caller, nil
			}
			return vault.Caller{}, fmt.Errorf("test: %w", authn.ErrUnauthenticated)
		},
	}
	if change != nil {
		change(&cfg)
	}
	if w.handler, err = httpapi.New(cfg); err != nil {
		t.Fatal(err)
	}
	w.Client = httpapitest.NewClient(t, w.handler, "gateway")
	return w
}

// sent ends the tracing and returns the spans of requests and those of stages.
func (w *tracedWorld) sent() (requests, stages []telemetrytest.Span) {
	w.tracer.Close(context.Background())
	for _, s := range w.Spans() {
		if len(s.ParentSpanId) == 0 {
			requests = append(requests, s)
		} else {
			stages = append(stages, s)
		}
	}
	return requests, stages
}

// send sends what no client would, with headers of a stranger.
func (w *tracedWorld) send(bearer, method, target, body string, header http.Header) int {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Method = method
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	r.RequestURI = target
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return recorder.Code
}

func TestEachRequestLeavesOneSpan(t *testing.T) {
	w := newTracedWorld(t, nil)
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(200).Decode(&out)
	w.Post("/v1/detokenize", m{"scope": "chat-1", "reason": m{"code": "LLM_RESPONSE"}, "text": *out.Text}).Want(200)
	w.Post("/v1/detokenize", m{"scope": "chat-1", "reason": m{"code": "MADE_UP"}, "text": *out.Text}).Want(422)
	w.As("auditor").Get("/v1/audit/entries?limit=2").Want(200)
	w.As("").Get("/v1/policy").Want(401)
	w.Get("/nowhere").Want(404)
	metrics := string(w.Get("/metrics").Want(200).Body)
	requests, stages := w.sent()
	var names, ids []string
	for _, s := range requests {
		names = append(names, s.Name)
		ids = append(ids, hex.EncodeToString(s.TraceId))
	}
	want := []string{"tokenize", "detokenize", "detokenize", "auditEntries", "policy", "none", "metrics"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatalf("spans (-want +got):\n%s", diff)
	}
	for n, e := range w.log.events(t) {
		if e["trace_id"] != ids[n] || e["request_id"] != requests[n].Attributes()["counterfoil.request_id"] {
			t.Errorf("event %v of the trace %s", e, ids[n])
		}
	}
	version := requests[0].Attributes()["counterfoil.policy_version"]
	for n, want := range []map[string]string{
		{"http.response.status_code": "200", "counterfoil.tenant": "acme", "counterfoil.tokens": "1", "counterfoil.policy_version": version},
		{"http.response.status_code": "200", "counterfoil.tenant": "acme", "counterfoil.results": "1", "counterfoil.restored": "1", "counterfoil.policy_version": version},
		{"http.response.status_code": "422", "counterfoil.tenant": "acme", "counterfoil.code": "invalid"},
		{"http.response.status_code": "200", "counterfoil.tenant": "acme", "counterfoil.entries": "2"},
		{"http.response.status_code": "401", "counterfoil.code": "unauthenticated"},
		{"http.response.status_code": "404", "counterfoil.code": "not_found"},
		{"http.response.status_code": "200"},
	} {
		got := requests[n].Attributes()
		for _, sized := range []string{"http.request.body.size", "http.response.body.size", "counterfoil.request_id"} {
			if got[sized] == "" {
				t.Errorf("%s has no %s", requests[n].Name, sized)
			}
			delete(got, sized)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", requests[n].Name, diff)
		}
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(version) {
		t.Errorf("policy version %q", version)
	}
	for n, want := range map[int][]string{
		0: {"authenticate", "decode", "read", "detect", "seal", "commit", "render"},
		1: {"authenticate", "decode", "read", "unwrap", "commit", "open", "render"},
		2: {"authenticate", "decode", "commit"}, // the entry of a refusal, and no answer but a problem
		3: {"authenticate", "render"},
		4: nil, // there is no credential to look at
		6: {"render"},
	} {
		if diff := cmp.Diff(want, stagesOf(requests[n], stages)); diff != "" {
			t.Errorf("stages of %s (-want +got):\n%s", requests[n].Name, diff)
		}
	}
	if !strings.Contains(metrics, `counterfoil_trace_spans_total{outcome="dropped"} 0`) || strings.Count(metrics, "\ncounterfoil_trace_spans_total{") != 3 {
		t.Error("the metrics do not say what becomes of spans")
	}
}

func stagesOf(request telemetrytest.Span, stages []telemetrytest.Span) (names []string) {
	for _, s := range stages {
		if string(s.TraceId) == string(request.TraceId) {
			names = append(names, s.Name)
		}
	}
	return names
}

// canaryHeaders are headers in which a value may come, a trace among them.
func canaryHeaders() http.Header {
	const card = "5105105105105100"
	return http.Header{
		"User-Agent": {canary}, "X-Request-Id": {canary}, "Cookie": {canary}, "Counterfoil-End-User": {canary}, "Idempotency-Key": {canary},
		"Traceparent": {"00-0000000000000000" + card + "-00f067aa0ba902b7-01"},
		"Tracestate":  {"vendor=" + card}, "Baggage": {"who=" + canary}, "X-Forwarded-For": {canary}, "Referer": {canary},
	}
}

// Whatever a request holds, nothing of it is in a span, a stage or an event:
// right requests and wrong ones, and every header a proxy may look at.
func TestInvariant12_NothingOfARequestIsInATrace(t *testing.T) {
	w := newTracedWorld(t, nil)
	var out tokenized
	body := fmt.Sprintf(`{"scope":%q,"subject":%q,"text":%q,"spans":[{"start":0,"end":16,"entity":"PERSON"}]}`, canary+"-scope", canary, "Erika Mustermann, "+canary+", 5105 1051 0510 5100")
	w.Post("/v1/tokenize", decode(t, body)).Want(200).Decode(&out)
	w.Post("/v1/detokenize", m{"scope": canary + "-scope", "reason": m{"code": "LLM_RESPONSE", "note": canary}, "text": *out.Text}).Want(200)
	for _, bearer := range []string{"gateway", "onbehalf", "nobody", "stranger", canary} {
		for _, path := range append(canaryPaths(), "/v1/"+canary, "/"+canary+"?"+canary+"="+canary, "/v1/audit/entries?actor="+canary) {
			w.send(bearer, http.MethodGet, path, "", canaryHeaders())
		}
		for _, path := range []string{"/v1/tokenize", "/v1/detokenize", "/v1/scopes"} {
			for _, broken := range malformedBodies(body) {
				w.send(bearer, http.MethodPost, path, broken, canaryHeaders())
			}
			header := canaryHeaders()
			header.Set("Content-Type", canary)
			w.send(bearer, canary, path, body, header)
			w.send(bearer, http.MethodPost, path, body, header)
		}
	}
	metrics := string(w.Get("/metrics").Want(200).Body)
	if wrong := metricstest.List(t, catalogue(t)).Check(metrics); len(wrong) > 0 {
		t.Errorf("the metrics go beyond the list: %v", wrong)
	}
	requests, stages := w.sent()
	if len(requests) < 100 || len(stages) < 100 || len(requests) != len(w.log.events(t)) {
		t.Fatalf("%d requests, %d stages, %d events", len(requests), len(stages), len(w.log.events(t)))
	}
	for _, secret := range append(secrets, *out.Text) {
		if strings.Contains(w.Text(), secret) {
			t.Errorf("the traces hold %q", secret)
		}
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the events hold %q", secret)
		}
		if strings.Contains(metrics, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
	operations := operationIDs(t)
	for _, s := range requests {
		if !slices.Contains(operations, s.Name) || len(s.Events)+len(s.Links) != 0 || s.Status.Message != "" || s.TraceState != "" {
			t.Errorf("span %v", s.Span)
		}
		for key := range s.Attributes() {
			if !slices.Contains(telemetry.Keys(), key) {
				t.Errorf("span %s states %s", s.Name, key)
			}
		}
	}
	for _, s := range stages {
		if !slices.ContainsFunc(stage.Stages(), func(known stage.Stage) bool { return known.String() == s.Name }) ||
			len(s.Span.Attributes)+len(s.Events)+len(s.Links) != 0 || s.Status.Message != "" {
			t.Errorf("stage %v", s.Span)
		}
	}
}

// secrets are parts of what the requests above hold.
var secrets = []string{"kanarie", "Mustermann", "5105105105105100", "5105 1051"}

// operationIDs are the names that a span of a request can have.
func operationIDs(t *testing.T) []string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"none"}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			ids = append(ids, op.OperationID)
		}
	}
	return ids
}

// A panic leaves its text neither in the span of the request nor in that of the
// stage it was in.
func TestInvariant12_APanicIsNotInATrace(t *testing.T) {
	w := newTracedWorld(t, func(c *httpapi.Config) {
		c.Authenticate = func(context.Context, string) (vault.Caller, error) { panic(canary) }
	})
	w.Get("/v1/policy").Want(500)
	requests, stages := w.sent()
	if len(requests) != 1 || requests[0].Attributes()["counterfoil.code"] != "internal" || len(stages) != 1 || stages[0].Name != "authenticate" {
		t.Errorf("requests %v, stages %v", requests, stages)
	}
	if strings.Contains(w.Text()+w.log.String(), "kanarie") {
		t.Error("the panic is shown")
	}
}

// The twin: a value that gets into a span is found by the search.
func TestInvariant12_NothingOfARequestIsInATrace_Twin(t *testing.T) {
	w := newTracedWorld(t, func(c *httpapi.Config) { httpapi.Careless(c) })
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": canary}).Want(200)
	if w.sent(); !strings.Contains(w.Text(), "kanarie") {
		t.Error("the search is blind")
	}
}

// The certificate of a connection reaches the credential's check and the entry.
func TestTheCertificateOfAConnectionIsInTheEntry(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	defer server.Close()
	shown := server.Certificate()
	want := certificate.Fingerprint(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{shown}}})
	var checked []string
	w := newTracedWorld(t, func(c *httpapi.Config) {
		c.Authenticate = nil
		c.AuthenticateOver = func(_ context.Context, bearer, fingerprint string) (vault.Caller, error) {
			checked = append(checked, fingerprint)
			return callers[bearer], nil
		}
	})
	for _, state := range []*tls.ConnectionState{
		nil, {PeerCertificates: []*x509.Certificate{shown}}, // one that nobody has verified is nobody's
		{PeerCertificates: []*x509.Certificate{shown}, VerifiedChains: [][]*x509.Certificate{{shown}}},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/tokenize", strings.NewReader(`{"scope":"chat-1","text":"mail `+canary+`"}`))
		r.Header.Set("Authorization", "Bearer gateway")
		r.Header.Set("Content-Type", "application/json")
		r.TLS = state
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusOK {
			body, _ := io.ReadAll(recorder.Body)
			t.Fatalf("%d %s", recorder.Code, body)
		}
	}
	if diff := cmp.Diff([]string{"", "", want}, checked); diff != "" {
		t.Errorf("fingerprints (-want +got):\n%s", diff)
	}
	var page struct {
		Entries []struct {
			Entry struct {
				Client struct {
					CertFP string `json:"cert_fp"`
				}
			}
		}
	}
	w.As("auditor").Get("/v1/audit/entries?kind=tokenize&order=asc").Want(200).Decode(&page)
	var entered []string
	for _, e := range page.Entries {
		entered = append(entered, e.Entry.Client.CertFP)
	}
	if diff := cmp.Diff([]string{"", "", want}, entered); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// What is missing beside the service is named in the event with the time since
// when; the body names the component and nothing else.
func TestReadinessSaysSinceWhen(t *testing.T) {
	var missing error
	w := newTracedWorld(t, func(c *httpapi.Config) { c.Ready = func() error { return missing } })
	probe := func(status int) map[string]any {
		w.As("").Get("/readyz").Want(status)
		return w.log.last(t)
	}
	if e := probe(200); e["missing"] != nil || e["since"] != nil {
		t.Errorf("ready: %v", e)
	}
	unavailable := vault.Errorf(vault.CodeUnavailable, "issuer keys").Because(errors.New(canary))
	unavailable.RetryAfter = vault.RetryAfter
	missing = unavailable
	first := probe(503)
	if second := probe(503); first["missing"] != "issuer keys" || first["since"] == nil || second["since"] != first["since"] {
		t.Errorf("events: %v, %v", first, second)
	}
	p := w.As("").Get("/readyz").Want(503).Problem()
	if p.Code != "unavailable" || p.Detail != "issuer keys" || p.RetryAfter < 1 {
		t.Errorf("problem: %+v", p)
	}
	missing = errors.New(canary)
	if e := probe(500); e["missing"] != "unnamed" || e["since"] == first["since"] {
		t.Errorf("an error without a name: %v", e)
	}
	missing = nil
	probe(200)
	missing = unavailable
	if e := probe(503); e["since"] == first["since"] {
		t.Errorf("a new absence since the old one: %v", e)
	}
	if strings.Contains(w.log.String(), "kanarie") {
		t.Error("the cause is told")
	}
}
