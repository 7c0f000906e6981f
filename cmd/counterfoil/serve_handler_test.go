package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/telemetry/telemetrytest"
)

// Requests to a service that traces come out at the collector, under the trace of
// their caller, and the last of them when the service ends; none of their values
// does.
func TestServeTraces(t *testing.T) {
	collector := telemetrytest.New(t, true)
	s := newSite(t, "data: data", "data: data\ntelemetry: {otlp_endpoint: "+collector.URL+", sample_ratio: 1, headers_file: headers, ca: collector.pem}")
	s.write("headers", []byte("Api-Key: canary-key\n"))
	s.write("collector.pem", armour("CERTIFICATE", collector.Certificate().Raw))
	v := s.ready().serve()
	if err := roundTrip(s.client(), v.url, s.issuer.credential("acme", "llm-gateway"), "chat-1"); err != nil {
		t.Fatal(err)
	}
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	request := must(http.NewRequest("GET", v.url+"/v1/jane.doe@example.com?q=jane.doe@example.com", nil))
	request.Header = http.Header{
		"Traceparent": {"00-" + trace + "-" + parent + "-00"}, "Tracestate": {"v=jane.doe"}, "Baggage": {"who=jane.doe"},
		"User-Agent": {"jane.doe"},
	}
	answer := must(s.client().Do(request))
	_ = answer.Body.Close()
	v.end()
	names := map[string]bool{}
	for _, span := range collector.Spans() {
		names[span.Name] = true
		joined := hex.EncodeToString(span.TraceId) == trace && hex.EncodeToString(span.ParentSpanId) == parent
		if joined != (span.Name == "none") || span.Resource["service.instance.id"] != "vault-1" {
			t.Errorf("%v of %v", span.Span, span.Resource)
		}
	}
	for _, name := range []string{"tokenize", "detokenize", "none", "authenticate", "decode", "read", "detect", "seal", "unwrap", "commit", "open", "render"} {
		if !names[name] {
			t.Errorf("there is no span %s of %v", name, names)
		}
	}
	if first := collector.Requests()[0]; first.Header.Get("Api-Key") != "canary-key" {
		t.Errorf("headers: %v", first.Header)
	}
	if line := v.log.line("request"); line["trace_id"] == nil {
		t.Errorf("event: %v", line)
	}
	if strings.Contains(collector.Text()+v.log.String(), "jane") || strings.Contains(v.log.String(), "canary-key") {
		t.Error("a value, or the headers, came out")
	}
}

// A service whose collector is down serves and ends all the same.
func TestServeWithoutItsCollector(t *testing.T) {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	nobody := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "data: data", "data: data\ntelemetry: {otlp_endpoint: 'http://"+nobody+"', sample_ratio: 1}")
	v := s.ready().serve()
	if err := roundTrip(s.client(), v.url, s.issuer.credential("acme", "llm-gateway"), "chat-1"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	v.end()
	if took := time.Since(began); took > flushTimeout+telemetry.ExportTimeout {
		t.Errorf("the end took %v", took)
	}
	if v.log.line("traces cannot be sent") == nil {
		t.Error("nobody is told")
	}
}

// Rates of the configuration bound each caller, and all callers of a tenant.
func TestServeBoundsCallers(t *testing.T) {
	const rates = "rates: {caller: {per_second: 0.001, burst: 2}, tenant: {per_second: 0.001, burst: 3}}"
	s := newSite(t, "data: data", "data: data\n"+rates).ready()
	v := s.serve()
	client := s.client()
	for n, call := range []struct {
		caller string
		status int
		limit  string
	}{
		{"gw-1", 200, ""}, {"gw-1", 200, ""}, {"gw-1", 429, `"limit":"caller_rate"`}, {"gw-2", 200, ""}, {"gw-2", 429, `"limit":"tenant_rate"`},
	} {
		bearer := s.issuer.credentialWith("acme", "llm-gateway", object{"sub": call.caller})
		status, raw, err := callWith(client, "GET", v.url+"/v1/limits", bearer, nil, nil)
		if err != nil || status != call.status || !strings.Contains(string(raw), call.limit) {
			t.Errorf("call %d: %d %v %s", n, status, err, raw)
		}
	}
}

// A credential that is bound to a certificate works over the connection of that
// client only, and the entry says which certificate it was.
func TestServeHoldsCredentialsToTheirCertificate(t *testing.T) {
	s := newSite(t, "key: tls.key}", "key: tls.key, client_ca: clients.pem}").ready()
	v := s.serve()
	mine, other := must(tls.X509KeyPair(s.ca.issue(8))), must(tls.X509KeyPair(s.ca.issue(9)))
	digest := sha256.Sum256(mine.Certificate[0])
	fingerprint := base64.RawURLEncoding.EncodeToString(digest[:])
	bound := s.issuer.credentialWith("acme", "llm-gateway", object{"cnf": object{"x5t#S256": fingerprint}})
	owner, thief := s.client(mine), s.client(other)
	tokenize := func(client *http.Client, bearer string) (status int) {
		t.Helper()
		status, raw, err := callWith(client, "POST", v.url+"/v1/tokenize", bearer, object{"scope": "chat-1", "text": plainText}, nil)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		return status
	}
	for n, call := range []struct {
		client *http.Client
		bearer string
		status int
	}{
		{thief, bound, 401}, {owner, bound, 200}, {thief, bound, 401}, // now it is in the cache
		{thief, s.issuer.credential("acme", "llm-gateway"), 200}, // one that is not bound
	} {
		if got := tokenize(call.client, call.bearer); got != call.status {
			t.Errorf("call %d: %d, want %d", n, got, call.status)
		}
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
	status, raw, err := callWith(owner, "GET", v.url+"/v1/audit/entries?kind=tokenize&order=asc", s.issuer.credential("acme", "audit"), nil, &page)
	if err != nil || len(page.Entries) != 2 || page.Entries[0].Entry.Client.CertFP != fingerprint ||
		page.Entries[1].Entry.Client.CertFP == fingerprint || page.Entries[1].Entry.Client.CertFP == "" {
		t.Errorf("entries: %d %v %s", status, err, raw)
	}
}

// Where TLS ends in front of the service there is no certificate, whatever a
// header says, and a bound credential is refused.
func TestServeBehindAProxyTakesNoBoundCredential(t *testing.T) {
	s := newSite(t, "tls: {cert: tls.crt, key: tls.key}", "tls: {terminated_upstream: true}").ready()
	v := s.serve()
	url := strings.Replace(v.url, "https", "http", 1)
	fingerprint := base64.RawURLEncoding.EncodeToString(make([]byte, sha256.Size))
	bound := s.issuer.credentialWith("acme", "llm-gateway", object{"cnf": object{"x5t#S256": fingerprint}})
	request := must(http.NewRequest("GET", url+"/v1/policy", nil))
	request.Header.Set("Authorization", "Bearer "+bound)
	request.Header.Set("X-Client-Cert-Fingerprint", fingerprint)
	request.Header.Set("Client-Cert", ":"+fingerprint+":")
	answer := must(http.DefaultClient.Do(request))
	_ = answer.Body.Close()
	if answer.StatusCode != 401 {
		t.Errorf("%d", answer.StatusCode)
	}
}

// A service whose issuer has not answered yet is alive and not ready, tells
// strangers no more than that, and is ready as soon as it has.
func TestServeWaitsForTheKeysOfItsIssuer(t *testing.T) {
	s := newSite(t).ready()
	s.issuer.hold(true)
	v := s.serve()
	client := s.client()
	probe := func(path string) (int, string) {
		t.Helper()
		status, raw, err := callWith(client, "GET", v.url+path, "", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return status, string(raw)
	}
	if status, body := probe("/readyz"); status != 503 || !strings.Contains(body, `"detail":"issuer keys"`) || strings.Contains(body, s.issuer.URL) {
		t.Errorf("readyz: %d %s", status, body)
	}
	if status, _ := probe("/healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	if line := v.log.line("request"); line["missing"] != "issuer keys" || line["since"] == nil {
		t.Errorf("event: %v", line)
	}
	s.issuer.hold(false)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; {
		status, body := probe("/readyz")
		if status == 200 {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d %s", status, body)
		}
	}
	if line := v.log.line("the keys of an issuer cannot be fetched"); line["issuer"] != s.issuer.URL || line["since"] == nil {
		t.Errorf("log: %v", line)
	}
}
