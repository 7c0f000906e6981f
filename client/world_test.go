package client_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const email = "erika.mustermann@example.org"

// world is a real service behind TLS. Each exchange is held against the
// OpenAPI document.
type world struct {
	t     *testing.T
	vault *vaulttest.Vault
	url   string
	wire  *wire
}

// wire is the network between a client and its service. It counts, and
// changes what it is told to.
type wire struct {
	base http.RoundTripper

	mu     sync.Mutex
	sent   []*http.Request
	bodies []string
	change func(body []byte) []byte
	lose   int // so many answers, after the service gave them
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	w.mu.Lock()
	w.sent, w.bodies = append(w.sent, r.Clone(context.Background())), append(w.bodies, string(sent))
	change, lost := w.change, w.lose > 0
	w.lose = max(0, w.lose-1)
	w.mu.Unlock()
	answer, err := w.base.RoundTrip(r)
	if err == nil && lost {
		_ = answer.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil || change == nil {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(change(body)))
	return answer, err
}

func (w *wire) CloseIdleConnections() {
	if t, ok := w.base.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// changing changes each answer from now on.
func (w *wire) changing(change func(body []byte) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.change = change
}

// losing loses the next answers.
func (w *wire) losing(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = n
}

func (w *wire) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sent)
}

func newWorld(t *testing.T, options ...vaulttest.Option) *world {
	t.Helper()
	v := vaulttest.New(t, options...)
	handler, err := httpapi.New(httpapi.Config{
		Service: v.Service, Authenticate: v.Verifier.Verify, Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	w := &world{t: t, vault: v, url: server.URL}
	w.wire = &wire{base: httpapitest.NewTransport(t, server.Client().Transport)}
	return w
}

// as gives the bearers of somebody, each signed anew.
func (w *world) as(tenant, subject string, roles ...string) client.TokenSource {
	return func(context.Context) (string, error) {
		return w.vault.Issuer.Sign(authn.Claims{Subject: subject, Tenant: tenant, Roles: roles, TTL: time.Minute})
	}
}

func (w *world) logKey(tenant string) string {
	w.t.Helper()
	keys, err := w.vault.Service.LogKeys(w.t.Context(), tenant)
	if err != nil || len(keys) == 0 {
		w.t.Fatalf("%d keys, %v", len(keys), err)
	}
	return keys[0].Key
}

func (w *world) client(token client.TokenSource, change ...func(*client.Config)) *client.Client {
	w.t.Helper()
	cfg := client.Config{Token: token, LogKeys: []string{w.logKey("acme")}, HTTP: &http.Client{Transport: w.wire}}
	for _, f := range change {
		f(&cfg)
	}
	return newClient(w.t, w.url, cfg)
}

func (w *world) gateway() *client.Client { return w.client(w.as("acme", "gw-1", "gateway")) }

func newClient(t *testing.T, url string, cfg client.Config) *client.Client {
	t.Helper()
	c, err := client.New(url, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func prompt(text string) client.TokenizeRequest {
	return client.TokenizeRequest{Scope: "chat-1", Content: client.Text(text)}
}

func restore(content client.Restorable) client.DetokenizeRequest {
	return client.DetokenizeRequest{Scope: "chat-1", Reason: client.Reason{Code: "LLM_RESPONSE"}, Content: content}
}
