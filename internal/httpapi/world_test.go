package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// canary is personal data that must not come back in an error, an event or a
// metric, wherever a request puts it.
const canary = "kanarie-7c1e@example.org"

// world is an interface over a real service, in which bearers are names.
type world struct {
	*httpapitest.Client
	handler http.Handler
	service *vault.Service
	log     *logBuffer

	mu           sync.Mutex
	authenticate func(ctx context.Context, bearer string) (vault.Caller, error)
}

// The callers of the tests. Each is its own bearer.
var callers = map[string]vault.Caller{
	"gateway":  {Tenant: "acme", Subject: "gw-1", Client: "gw-1", Roles: []string{"gateway"}},
	"gateway2": {Tenant: "acme", Subject: "gw-2", Client: "gw-2", Roles: []string{"gateway"}},
	"onbehalf": {
		Tenant: "acme", Subject: "gw-1", Client: "gw-1", Roles: []string{"gateway"},
		EndUser: "erika", EndUserAssurance: vault.AssuranceToken,
	},
	"auditor":  {Tenant: "acme", Subject: "ann", Client: "console", Roles: []string{"auditor"}},
	"restorer": {Tenant: "acme", Subject: "rob", Client: "desk", Roles: []string{"restorer"}, Person: "staff-7"},
	// Robert under another name.
	"alias":     {Tenant: "acme", Subject: "robert", Client: "console", Roles: []string{"approver"}, Person: "staff-7"},
	"restorer2": {Tenant: "acme", Subject: "ron", Client: "desk", Roles: []string{"restorer"}},
	"oncall": {
		Tenant: "acme", Subject: "olga", Client: "desk", Roles: []string{"restorer"},
		MFA: true, Attributes: map[string]string{"on_call": "true"},
	},
	"approver":  {Tenant: "acme", Subject: "amy", Client: "console", Roles: []string{"approver"}},
	"approver2": {Tenant: "acme", Subject: "abe", Client: "console", Roles: []string{"approver"}},
	"operator2": {Tenant: "acme", Subject: "otto", Client: "console", Roles: []string{"operator"}},
	"auditor2":  {Tenant: "globex", Subject: "ann", Client: "console", Roles: []string{"auditor"}},
	"operator":  {Tenant: "acme", Subject: "ole", Client: "console", Roles: []string{"operator"}},
	"privacy":   {Tenant: "acme", Subject: "paula", Client: "console", Roles: []string{"privacy_officer"}},
	"legal":     {Tenant: "acme", Subject: "lea", Client: "console", Roles: []string{"legal"}},
	"legal2":    {Tenant: "acme", Subject: "leo", Client: "console", Roles: []string{"legal"}},
	"privacy2":  {Tenant: "globex", Subject: "pat", Client: "console", Roles: []string{"privacy_officer"}},
	"counsel2":  {Tenant: "globex", Subject: "leo", Client: "console", Roles: []string{"legal"}},
	"nobody":    {Tenant: "acme", Subject: "nob", Client: "none"},
	"stranger":  {Tenant: "nowhere", Subject: "x", Client: "x", Roles: []string{"gateway"}},
}

func newWorld(t testing.TB, limits httpapi.Limits) *world {
	t.Helper()
	return newWorldOf(t, vaulttest.New(t).Service, limits)
}

func newWorldOf(t testing.TB, service *vault.Service, limits httpapi.Limits) *world {
	t.Helper()
	w := &world{service: service, log: &logBuffer{}, authenticate: known}
	handler, err := httpapi.New(httpapi.Config{
		Service: service, Logger: slog.New(slog.NewJSONHandler(w.log, nil)),
		Registry: prometheus.NewRegistry(), Version: "test", Limits: limits,
		Authenticate: func(ctx context.Context, bearer string) (vault.Caller, error) {
			w.mu.Lock()
			authenticate := w.authenticate
			w.mu.Unlock()
			return authenticate(ctx, bearer)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.handler = handler
	w.Client = httpapitest.NewClient(t, handler, "gateway")
	return w
}

// known authenticates the callers of the tests.
func known(_ context.Context, bearer string) (vault.Caller, error) {
	if caller, ok := callers[bearer]; ok {
		return caller, nil
	}
	return vault.Caller{}, fmt.Errorf("test: %w", authn.ErrUnauthenticated)
}

// authenticateBy replaces the authentication.
func (w *world) authenticateBy(f func(ctx context.Context, bearer string) (vault.Caller, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.authenticate = f
}

// metrics returns what /metrics says.
func (w *world) metrics(t *testing.T) string {
	t.Helper()
	return string(w.Get("/metrics").Want(http.StatusOK).Body)
}

// logBuffer holds the operational log.
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

// events reads the log, one event for each line.
func (b *logBuffer) events(t *testing.T) []map[string]any {
	t.Helper()
	var events []map[string]any
	for line := range strings.Lines(b.String()) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("a line of the log: %v", err)
		}
		events = append(events, e)
	}
	return events
}

// last returns the event of the last request.
func (b *logBuffer) last(t *testing.T) map[string]any {
	t.Helper()
	events := b.events(t)
	if len(events) == 0 {
		t.Fatal("no event")
	}
	return events[len(events)-1]
}

type m = map[string]any
