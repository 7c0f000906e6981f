//go:build unix

package failuretest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestMain(m *testing.M) {
	// A key service of somebody else is neither stopped nor sealed: the tests
	// start their own.
	if err := os.Unsetenv("VAULT_ADDR"); err != nil {
		panic(err)
	}
	os.Exit(pgtest.Main(m).Run())
}

type object = map[string]any

// options are how the services of these tests call themselves.
var options = assembly.Options{LogPrefix: "vault.example/log", Environment: "staging", Replica: "vault-1"}

// The callers of the tests. Each is its own bearer.
var callers = map[string]vault.Caller{
	"gateway": {Tenant: "acme", Subject: "gw-1", Client: "gw-1", Roles: []string{"gateway"}},
	"globex":  {Tenant: "globex", Subject: "gw-2", Client: "gw-2", Roles: []string{"gateway"}},
}

// place is where a service has its parts: a database, a key service, a folder.
type place struct {
	t        testing.TB
	db       *pgtest.Database
	vault    *transittest.Server
	backends assembly.Backends
	options  assembly.Options
	book     *journal // what all replicas acknowledged
}

// newPlace makes a tenant in an empty database, and its key.
func newPlace(t testing.TB, db *pgtest.Database) *place {
	t.Helper()
	p := &place{t: t, db: db, vault: transittest.Start(t), options: options, book: &journal{}}
	serving, keys := p.vault.Serving(t), p.vault.Keys(t)
	dir := t.TempDir()
	p.backends = assembly.Backends{
		Files:    config.Files{Anchors: filepath.Join(dir, "anchors"), LogKeys: filepath.Join(dir, "log-keys")},
		Postgres: &postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy}, AuditDSN: db.Audit,
		Transit: &serving, Administration: &keys,
	}
	ctx := context.Background()
	if err := assembly.MakeKey(ctx, p.backends, vault.SystemTenant); err != nil {
		t.Fatal(err)
	}
	if err := assembly.CreateTenant(ctx, p.backends, "acme", options); err != nil {
		t.Fatal(err)
	}
	return p
}

// service is a process of its own, but for the process: a whole service behind
// a listener.
type service struct {
	*place
	in     *assembly.Instance
	url    string
	bearer string
	client *http.Client
	log    *eventLog
}

// patience is how long a request may take before it is answered with 503.
// Usual is httpapi.RequestTimeout; here what hangs is to be seen sooner.
const patience = 3 * time.Second

// serve opens a service at a place, until the test ends.
func (p *place) serve() *service {
	p.t.Helper()
	s := &service{place: p, bearer: "gateway", log: &eventLog{}}
	var err error
	if s.in, err = assembly.OpenService(context.Background(), p.backends, issuers(p.t), p.options); err != nil {
		p.t.Fatal(err)
	}
	handler, err := httpapi.New(httpapi.Config{
		Service: s.in.Service, Logger: slog.New(slog.NewJSONHandler(s.log, nil)), Registry: prometheus.NewRegistry(),
		Version: "test", Limits: httpapi.Limits{Request: patience},
		Authenticate: func(_ context.Context, bearer string) (vault.Caller, error) {
			if caller, known := callers[bearer]; known {
				return caller, nil
			}
			return vault.Caller{}, fmt.Errorf("test: %w", authn.ErrUnauthenticated)
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	s.url = server.URL
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	// Every exchange is held against the OpenAPI document.
	s.client = &http.Client{Transport: httpapitest.NewTransport(p.t, transport)}
	working, stopWork := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { s.in.Worker.Run(working) })
	p.t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		stopWork()
		work.Wait()
		// What failed in the test may be failing still: then the stop is not
		// recorded.
		start := time.Now()
		if err := s.in.Close(context.Background()); err != nil {
			p.t.Logf("close, after %s: %v", time.Since(start).Round(time.Millisecond), err)
		}
	})
	return s
}

// issuers are what a service is not opened without.
func issuers(t testing.TB) []authn.Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return []authn.Issuer{{
		Issuer: "https://a.example", Audience: "counterfoil", Algorithms: []string{"ES256"},
		Keys:        []authn.Key{{ID: "k1", Public: &key.PublicKey}},
		TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme"},
	}}
}

// answer is what a request came to, and how long that took.
type answer struct {
	status int
	retry  string // Retry-After
	took   time.Duration
	raw    []byte
	body   struct {
		Values  []string
		Results []struct{ Status string }
		Audit   *audit.Receipt
		// Of a problem.
		Code, Detail, Limit string
	}
}

func (a answer) ok() bool { return a.status == http.StatusOK }

// send sends a request. It is for any goroutine.
func (s *service) send(method, path string, body any) answer {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			panic("failuretest: " + err.Error())
		}
	}
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, bytes.NewReader(encoded))
	if err != nil {
		panic("failuretest: " + err.Error())
	}
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	r.Header.Set("Content-Type", "application/json")
	var a answer
	start := time.Now()
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Errorf("%s: no answer: %v", path, err)
		return a
	}
	defer func() { _ = response.Body.Close() }()
	a.raw, err = io.ReadAll(response.Body)
	a.status, a.retry, a.took = response.StatusCode, response.Header.Get("Retry-After"), time.Since(start)
	if err == nil {
		err = json.Unmarshal(a.raw, &a.body)
	}
	if err != nil {
		s.t.Errorf("%s: %d: %v", path, a.status, err)
	}
	return a
}

// tokenize tokenizes a value, and journals what was acknowledged.
func (s *service) tokenize(scope, value string) answer {
	a := s.send(http.MethodPost, "/v1/tokenize", object{
		"scope": scope, "values": []object{{"entity": "PERSON", "value": value}},
	})
	if a.ok() {
		s.book.write(note{"tokenize", scope, a.body.Values[0], value, a.body.Audit})
	}
	return a
}

// restore restores tokens of a scope. Who knows what they stand for journals it.
func (s *service) restore(scope string, tokens ...string) answer {
	return s.send(http.MethodPost, "/v1/detokenize", object{
		"scope": scope, "reason": object{"code": "LLM_RESPONSE"}, "tokens": tokens,
	})
}

// restored restores what was acknowledged before, and journals it.
func (s *service) restored(n note) answer {
	a := s.restore(n.Scope, n.Token)
	if a.ok() {
		if a.body.Values[0] != n.Value {
			s.t.Errorf("an acknowledged token was lost: %s", a.raw)
		}
		s.book.write(note{"restore", n.Scope, n.Token, n.Value, a.body.Audit})
	}
	return a
}

// must tokenizes a value that nothing keeps from it.
func (s *service) must(scope, value string) note {
	s.t.Helper()
	a := s.tokenize(scope, value)
	if !a.ok() {
		s.t.Fatalf("tokenize: %d %s", a.status, a.raw)
	}
	return note{"tokenize", scope, a.body.Values[0], value, a.body.Audit}
}

// unavailable is the answer that every row asks for: it names the part that is
// missing, says when to ask again, and gives no value.
func (s *service) unavailable(a answer, detail string) {
	s.t.Helper()
	if a.status != http.StatusServiceUnavailable || a.body.Code != "unavailable" || a.retry == "" || a.retry == "0" ||
		a.body.Detail != detail || len(a.body.Values) > 0 {
		s.t.Errorf("%d, Retry-After %q: %s: want 503 unavailable, of %s", a.status, a.retry, a.raw, detail)
	}
	for _, leak := range []string{"127.0.0.1", "SQLSTATE", "transit/", "counterfoil_"} {
		if bytes.Contains(a.raw, []byte(leak)) {
			s.t.Errorf("the answer tells %q: %s", leak, a.raw)
		}
	}
}

// soon is how fast a refusal comes where it is known that the part is missing.
const soon = 250 * time.Millisecond

// quickly asks several times: each refusal is one, and the fastest half of them
// comes soon. What else the machine does is not held against the service.
func (s *service) quickly(detail string, ask func() answer) {
	s.t.Helper()
	const times = 9
	late := 0
	var slowest time.Duration
	for range times {
		a := ask()
		s.unavailable(a, detail)
		if slowest = max(slowest, a.took); a.took > soon {
			late++
		}
	}
	if late > times/2 {
		s.t.Errorf("%d of %d refusals took longer than %s, one %s", late, times, soon, slowest)
	}
	s.t.Logf("refused: 503 unavailable (%s), the slowest of %d after %s", detail, times, slowest.Round(100*time.Microsecond))
}

// comeback is how long a service may take to serve again.
const comeback = 40 * time.Second

// recovers waits until a request succeeds again, with nobody's help.
func (s *service) recovers(ask func() answer) {
	s.t.Helper()
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		a := ask()
		if a.ok() {
			s.t.Logf("served again after %s", time.Since(start).Round(time.Millisecond))
			return
		}
		if time.Since(start) > comeback {
			s.t.Fatalf("it does not recover: %d %s", a.status, a.raw)
		}
	}
}

// ready asks the probe.
func (s *service) ready() answer { return s.send(http.MethodGet, "/readyz", nil) }

// eventLog is the operational log of a service.
type eventLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *eventLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// refusals counts the events of an operation that say unavailable.
func (l *eventLog) refusals(t testing.TB, operation string) int {
	t.Helper()
	l.mu.Lock()
	text := l.buf.String()
	l.mu.Unlock()
	n := 0
	for line := range strings.Lines(text) {
		var e struct{ Operation, Code string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("a line of the log: %v", err)
		}
		if e.Operation == operation && e.Code == "unavailable" {
			n++
		}
	}
	return n
}
