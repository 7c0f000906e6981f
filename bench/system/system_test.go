package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/bench/system"
)

// site opens a site that closes with the test.
func site(t *testing.T, o system.Options) *system.Site {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := system.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// post sends a request and decodes its answer.
func post(ctx context.Context, t *testing.T, url, bearer string, body, out any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	if closed := response.Body.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	if err := json.Unmarshal(answer, out); err != nil && response.StatusCode == http.StatusOK {
		t.Fatalf("%d %s: %v", response.StatusCode, answer, err)
	}
	return response.StatusCode
}

type reason struct {
	Code string `json:"code"`
}

// exchange is a request to the service, and what matters of its answer.
type exchange struct {
	Scope  string  `json:"scope"`
	Reason *reason `json:"reason,omitempty"`
	Text   string  `json:"text"`
}

const plain = "Write to jane.doe@example.org about it."

// roundTrip has one replica take an address out of a text and another put it back.
func roundTrip(ctx context.Context, t *testing.T, s *system.Site, tenant string, a, b *system.Service) {
	t.Helper()
	var made, given exchange
	gateway := s.Credential(tenant, "gateway")
	if status := post(ctx, t, a.URL+"/v1/tokenize", gateway, exchange{Scope: "chat-1", Text: plain}, &made); status != http.StatusOK {
		t.Fatalf("tokenize: %d", status)
	}
	if strings.Contains(made.Text, "jane") {
		t.Error("the text has its address still")
	}
	status := post(ctx, t, b.URL+"/v1/detokenize", gateway, exchange{"chat-1", &reason{"LLM_RESPONSE"}, made.Text}, &given)
	if status != http.StatusOK || given.Text != plain {
		t.Errorf("detokenize: %d, the same: %t", status, given.Text == plain)
	}
}

// TestSite is all of it on one site, which takes some seconds to make.
func TestSite(t *testing.T) {
	ctx := t.Context()
	var said []string
	s := site(t, system.Options{Tenants: 2, Say: func(format string, _ ...any) { said = append(said, format) }})
	if len(said) == 0 {
		t.Error("nothing was said")
	}
	serve := func(start func(context.Context) (*system.Service, error)) *system.Service {
		t.Helper()
		v, err := start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if v.ReadyAfter <= 0 || v.PID == 0 {
			t.Errorf("%s: ready after %s as %d", v.Name, v.ReadyAfter, v.PID)
		}
		return v
	}
	replica := func(name string) *system.Service {
		return serve(func(ctx context.Context) (*system.Service, error) { return s.Serve(ctx, name) })
	}
	a, b := replica("vault-a"), replica("vault-b")
	embedded := serve(s.Embedded)
	floor, floorSQLite := serve(s.Floor), serve(s.FloorSQLite)
	t.Run("service", func(t *testing.T) {
		for _, tenant := range s.Tenants() {
			roundTrip(ctx, t, s, tenant, a, b)
			roundTrip(ctx, t, s, tenant, embedded, embedded)
		}
		var none exchange
		if status := post(ctx, t, a.URL+"/v1/tokenize", s.Credential("t0", "auditor"), exchange{Scope: "chat-1", Text: plain}, &none); status != http.StatusForbidden {
			t.Errorf("an auditor may tokenize: %d", status)
		}
	})
	t.Run("sample", func(t *testing.T) { testSample(ctx, t, s, a, b, floor) })
	t.Run("floor", func(t *testing.T) { testFloor(ctx, t, floor, floorSQLite) })
	t.Run("policy", func(t *testing.T) { testPolicy(ctx, t, s) })
	t.Run("durable twin", func(t *testing.T) { testDurable(ctx, t, s) })
	t.Run("facts", func(t *testing.T) { testFacts(ctx, t, s) })
	t.Run("again", func(t *testing.T) { testAgain(ctx, t, s, embedded) })
	if err := s.Analyze(ctx); err != nil {
		t.Error(err)
	}
	testClose(t, s, []int{a.PID, b.PID, floor.PID, floorSQLite.PID})
}

func testFloor(ctx context.Context, t *testing.T, floors ...*system.Service) {
	type values struct {
		Scope  string   `json:"scope"`
		Tokens []string `json:"tokens,omitempty"`
		Values []string `json:"values,omitempty"`
	}
	type value struct {
		Entity string `json:"entity"`
		Value  string `json:"value"`
	}
	type tokenize struct {
		Scope  string  `json:"scope"`
		Values []value `json:"values"`
	}
	for _, floor := range floors {
		var echoed, made, given values
		if post(ctx, t, floor.URL+"/echo", "", values{Scope: "s"}, &echoed); echoed.Scope != "s" {
			t.Errorf("%s: an echo of %+v", floor.Name, echoed)
		}
		post(ctx, t, floor.URL+"/tokenize", "", tokenize{"s", []value{{"PERSON", "v"}}}, &made)
		post(ctx, t, floor.URL+"/restore", "", values{Scope: "s", Tokens: made.Tokens}, &given)
		if !slices.Equal(given.Values, []string{"v"}) {
			t.Errorf("%s: restored %d values", floor.Name, len(given.Values))
		}
	}
}

func testSample(ctx context.Context, t *testing.T, s *system.Site, a, b, floor *system.Service) {
	before, err := s.Sample(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	// Long enough for a backend to hand in its counts, once a second, and for ticks
	// of CPU.
	for began := time.Now(); time.Since(began) < 1500*time.Millisecond; {
		roundTrip(ctx, t, s, "t0", a, b)
	}
	after, err := s.Sample(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	u := before.Until(after)
	for _, name := range []string{system.Counterfoil, system.Postgres, system.Load} {
		if u.CPU[name] <= 0 || u.CPU[name] > 100*u.Elapsed {
			t.Errorf("%s used %s in %s", name, u.CPU[name], u.Elapsed)
		}
	}
	for _, name := range []string{system.Counterfoil, system.Postgres, system.Transit, system.Load} {
		if u.RSS[name] < 1<<20 || u.RSS[name] > 8<<30 {
			t.Errorf("%s has %d bytes", name, u.RSS[name])
		}
	}
	if u.Fsyncs == 0 || u.WALBytes < 1000 {
		t.Errorf("%d fsyncs of %d bytes", u.Fsyncs, u.WALBytes)
	}
	if u.Allocs == 0 || u.AllocBytes < u.Allocs || u.Goroutines < 10 || u.HeapInUse < 1<<20 {
		t.Errorf("%d allocations of %d bytes, %d goroutines, %d bytes in use", u.Allocs, u.AllocBytes, u.Goroutines, u.HeapInUse)
	}
	// The anchors go there every second, if nothing else does.
	if u.VaultCalls <= 0 {
		t.Errorf("%d vault calls", u.VaultCalls)
	}
	t.Logf("%+v", u)
	// The floor has CPU and memory of its own, and no metrics.
	alone, err := s.Sample(ctx, floor)
	if u := alone.Until(alone); err != nil || u.RSS[system.Floor] == 0 || u.RSS[system.Counterfoil] != 0 || u.Goroutines != 0 {
		t.Errorf("%+v, %v", u, err)
	}
	// Who was not started here has no process to look at.
	if _, err := s.Sample(ctx, &system.Service{Name: system.Transit, URL: s.TransitURL()}); err != nil {
		t.Error(err)
	}
	// Nothing happened between a sample and itself.
	if u := after.Until(after); u.VaultCalls != 0 || u.Fsyncs != 0 || u.CPU[system.Counterfoil] != 0 {
		t.Errorf("of nothing: %+v", u)
	}
}

func testPolicy(ctx context.Context, t *testing.T, s *system.Site) {
	text, err := os.ReadFile(filepath.Join(s.PolicyDir(), "policy.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if rules := strings.Count("\n"+string(text), "\np, "); rules < 100 {
		t.Errorf("%d rules", rules)
	}
	// Every decision is what the shipped tables say.
	if out, err := s.PolicyTest(ctx); err != nil || !strings.Contains(out, "0 failures") {
		t.Errorf("%v: %s", err, out)
	}
}

func testFacts(ctx context.Context, t *testing.T, s *system.Site) {
	machine := s.Machine(ctx)
	for _, name := range []string{"cores", "cpu", "memory", "kernel", "disk", "fsync", "postgresql"} {
		if machine[name] == "" {
			t.Errorf("nothing of %s", name)
		}
	}
	if !strings.HasPrefix(machine["postgresql"], "fsync=on synchronous_commit=on") {
		t.Errorf("postgresql: %s", machine["postgresql"])
	}
	versions := s.Versions(ctx)
	for _, name := range []string{"go", "postgresql", "vault", "counterfoil", "policy"} {
		if versions[name] == "" {
			t.Errorf("no version of %s", name)
		}
	}
	t.Log(machine, versions)
}

// testAgain stops a service and starts it on what it left.
func testAgain(ctx context.Context, t *testing.T, s *system.Site, v *system.Service) {
	var made, given exchange
	gateway := s.Credential("t0", "gateway")
	post(ctx, t, v.URL+"/v1/tokenize", gateway, exchange{Scope: "chat-2", Text: plain}, &made)
	if err := v.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if !gone(v.PID) {
		t.Errorf("%d runs", v.PID)
	}
	if _, err := s.Sample(ctx, v); err == nil {
		t.Error("a sample of a service that does not run")
	}
	next, err := s.Again(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	status := post(ctx, t, next.URL+"/v1/detokenize", gateway, exchange{"chat-2", &reason{"LLM_RESPONSE"}, made.Text}, &given)
	if status != http.StatusOK || given.Text != plain {
		t.Errorf("detokenize: %d, the same: %t", status, given.Text == plain)
	}
}

// testClose: neither a process nor a folder is left, nor the folder of PostgreSQL.
func testClose(t *testing.T, s *system.Site, pids []int) {
	pids = append(pids, s.PIDs()...)
	config, err := pgx.ParseConfig(s.AdminDSN())
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if gone(pid) {
			t.Errorf("%d does not run", pid)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("%d runs", pid)
		}
	}
	for _, dir := range []string{s.Dir(), config.Host} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// testDurable: the server says that its commits are durable; one that says otherwise,
// here to one session alone, is not measured.
func testDurable(ctx context.Context, t *testing.T, s *system.Site) {
	conn, err := pgx.Connect(ctx, s.AdminDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost with it
	if err := system.Durable(ctx, conn); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	if err := system.Durable(ctx, conn); !errors.Is(err, system.ErrNotDurable) {
		t.Errorf("synchronous_commit=off: %v", err)
	}
}

// What could not be opened leaves nothing.
func TestOpen_Cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := system.Open(ctx, system.Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d left: %v", len(left), err)
	}
}
