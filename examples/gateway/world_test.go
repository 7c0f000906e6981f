package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// What the application knows and the model must not.
const (
	mail  = "jane.doe@example.com"
	card  = "4111 1111 1111 1111"
	iban  = "DE89 3704 0044 0532 0130 00"
	apiID = "sk-of-the-application"
)

var values = []string{mail, card, iban}

// world is an embedded service, the gateway before it, and a model behind that.
type world struct {
	vault   *vaulttest.Vault
	service *httptest.Server
	gateway *httptest.Server
	behind  *httptest.Server // serves the model
	model   *model
	begun   func() // is called when the application has the beginning of an answer
}

func newWorld(t testing.TB, v *vaulttest.Vault, answer answering) *world {
	t.Helper()
	handler, err := httpapi.New(httpapi.Config{
		Service: v.Service, Authenticate: v.Verifier.Verify, Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{vault: v, service: httptest.NewServer(handler), model: &model{answer: answer}}
	t.Cleanup(w.service.Close)
	w.behind = httptest.NewServer(w.model)
	t.Cleanup(w.behind.Close)
	address, err := url.Parse(w.behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{w.client(t), address, "openai/us"}
	w.gateway = httptest.NewServer(g.handler())
	t.Cleanup(w.gateway.Close)
	return w
}

func (w *world) client(t testing.TB) *client.Client {
	t.Helper()
	keys, err := w.vault.Service.LogKeys(context.Background(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(w.service.URL, client.Config{
		LogKeys: []string{keys[0].Key}, Attempts: 1, // nobody waits for a service that is down
		Token: func(context.Context) (string, error) {
			return w.vault.Issuer.Sign(authn.Claims{Subject: "gw-1", Tenant: "acme", Roles: []string{"gateway"}, TTL: time.Minute})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// sound checks the log as an auditor does, and that nothing was ever given back
// without an entry that says so.
func (w *world) sound(t *testing.T) {
	t.Helper()
	if results, err := assembly.Verify(t.Context(), w.vault.Dir); err != nil || len(results) == 0 {
		t.Errorf("the log: %d, %v", len(results), err)
	}
}

// answering is how a model answers a request with tokens in it.
type answering func(w http.ResponseWriter, path string, body []byte)

// model records every byte that comes to it.
type model struct {
	answer answering

	mu     sync.Mutex
	bodies [][]byte
	seen   bytes.Buffer
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := httputil.DumpRequest(r, true)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(r.Body) // DumpRequest put it back
	m.mu.Lock()
	m.seen.Write(raw)
	m.bodies = append(m.bodies, body)
	m.mu.Unlock()
	m.answer(w, r.URL.Path, body)
}

func (m *model) requests() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.bodies)
}

// knows tells which values the model has seen, as they are or in the letters of JSON.
func (m *model) knows() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var known []string
	for _, value := range values {
		if bare := strings.ReplaceAll(value, " ", ""); bytes.Contains(m.seen.Bytes(), []byte(value)) || bytes.Contains(m.seen.Bytes(), []byte(bare)) {
			known = append(known, value)
		}
	}
	return known
}

// body is that of one request, from the first.
func (m *model) body(i int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bodies[i]
}

var tokenPattern = regexp.MustCompile(`\[([A-Z][A-Z0-9_]*)_[0-9A-Z]{10}\]`)

// tokensIn are the tokens of a body by their entity, the first of each.
func tokensIn(body []byte) map[string]string {
	found := map[string]string{}
	for _, m := range tokenPattern.FindAllSubmatch(body, -1) {
		if entity := string(m[1]); found[entity] == "" {
			found[entity] = string(m[0])
		}
	}
	return found
}

func quoted(text string) string {
	out, _ := json.Marshal(text) // a string has JSON
	return string(out)
}

// withTool is the policy of tests with one tool whose arguments are restored.
func withTool(t testing.TB, tool string) fs.FS {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(vaulttest.Alone(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(vaulttest.Alone(), path)
		bundle[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const shipped = "places: [prose, code]\n    tools: []"
	text := string(bundle["reasons.yaml"].Data)
	if !strings.Contains(text, shipped) {
		t.Fatal("the policy has no such line to change")
	}
	bundle["reasons.yaml"].Data = []byte(strings.Replace(text, shipped, "places: [prose, code, tool]\n    tools: ["+tool+"]", 1))
	return bundle
}
