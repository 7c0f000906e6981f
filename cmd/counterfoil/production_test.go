//go:build unix

package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }

// production is a site on a real PostgreSQL and a real transit engine.
type production struct {
	*site
	db    *pgtest.Database
	vault *transittest.Server
}

func newProduction(t *testing.T) production {
	t.Helper()
	p := production{db: pgtest.New(t), vault: transittest.Start(t)}
	// The serving identity keeps the anchors too, in the KV engine.
	if _, err := p.vault.Root().Logical().Write("auth/approle/role/counterfoil-serving", map[string]any{
		"token_policies": "counterfoil-serving,counterfoil-anchors", "token_ttl": "20m",
	}); err != nil {
		t.Fatal(err)
	}
	serving, keys := p.vault.Serving(t).Login.AppRole, p.vault.Keys(t).Login.AppRole
	p.site = newSite(t,
		"store: {sqlite: {path: store/counterfoil.db}}", `store:
  postgres:
    app_dsn_file: app.dsn
    destroy_dsn_file: destroy.dsn
    audit_dsn_file: audit.dsn
    owner_dsn_file: owner.dsn`,
		"anchors: anchors\n", "",
		"keys: {local: {file: secret/local.key}}", `keys:
  transit:
    anchors: {mount: secret}
    address: `+p.vault.Address+`
    serving: {approle: {role_id_file: `+serving.RoleIDFile+`, secret_id_file: `+serving.SecretIDFile+`}}
    administration: {approle: {role_id_file: `+keys.RoleIDFile+`, secret_id_file: `+keys.SecretIDFile+`}}`)
	for name, dsn := range map[string]string{
		"app.dsn": p.db.App, "destroy.dsn": p.db.Destroy, "audit.dsn": p.db.Audit, "owner.dsn": p.db.Owner,
	} {
		p.write(name, []byte(dsn+"\n"))
	}
	return p
}

// replica is another process on the same backends.
func (p production) replica(name string) *site {
	p.t.Helper()
	text, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(name+".yaml", []byte(strings.Replace(string(text), "replica: vault-1", "replica: "+name, 1)))
	other := *p.site
	other.file = filepath.Join(p.dir, name+".yaml")
	return &other
}

// TestProduction: from empty backends to a value that one replica tokenized and
// another restored, a key epoch and a suspension while both serve, and logs that
// verify. Neither the database nor the key service's audit log holds a value.
func TestProduction(t *testing.T) {
	p := newProduction(t)
	if out := p.must("config", "check"); !strings.HasSuffix(out, "OK\n") {
		t.Errorf("config check: %s", out)
	}
	if out := p.must("migrate", "up"); out != "nothing to apply\n" {
		t.Errorf("migrate up: %s", out) // the template is migrated
	}
	if out := p.must("migrate", "check"); out != "OK\n" {
		t.Errorf("migrate check: %s", out)
	}
	if out := p.must("migrate", "status"); !strings.HasPrefix(out, "001 001_init.sql 20") {
		t.Errorf("migrate status: %s", out)
	}
	p.ready()
	a, b := p.replica("vault-a").serve(), p.replica("vault-b").serve()
	gateway := p.issuer.credential("acme", "llm-gateway")
	for _, v := range []*served{a, b} {
		if err := roundTrip(p.client(), v.url, gateway, "chat-1"); err != nil {
			t.Fatal(err)
		}
	}
	p.across(a, b, gateway)
	// Both replicas go on while the keys move.
	if out := p.must("keys", "rotate"); !strings.Contains(out, "acme: version 2 wraps\n") {
		t.Errorf("keys rotate: %s", out)
	}
	if err := roundTrip(p.client(), a.url, gateway, "chat-2"); err != nil {
		t.Error(err)
	}
	if out := p.must("keys", "rewrap", "--tenant", "acme"); !strings.HasPrefix(out, "acme: ") {
		t.Errorf("keys rewrap: %s", out)
	}
	if out := p.must("keys", "status", "--tenant", "acme"); out != "acme: version 2 wraps, none older than 2 is written, 0 to be wrapped anew\n" {
		t.Errorf("keys status: %s", out)
	}
	p.across(b, a, gateway)
	p.must("tenant", "suspend", "--tenant", "acme")
	for _, v := range []*served{a, b} {
		if err := roundTrip(p.client(), v.url, gateway, "chat-1"); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("a suspended tenant is served: %v", err)
		}
	}
	p.must("tenant", "resume", "--tenant", "acme")
	p.across(a, b, gateway)
	if out := p.must("verify"); strings.Count(out, "SOUND") != 2 {
		t.Errorf("verify: %s", out)
	}
	b.end()
	a.end()
	p.must("verify")
	p.refusesWhatIsBehindItsAnchor()
	p.holdsNo("jane.doe@example.com", "4111 1111 1111 1111")
}

// across tokenizes with one replica and restores with another.
func (p production) across(from, to *served, bearer string) {
	p.t.Helper()
	var made, given struct{ Text string }
	status, raw, err := callWith(p.client(), "POST", from.url+"/v1/tokenize", bearer, object{"scope": "chat-1", "text": plainText}, &made)
	if err != nil || status != http.StatusOK {
		p.t.Fatalf("tokenize: %d %v %s", status, err, raw)
	}
	status, raw, err = callWith(p.client(), "POST", to.url+"/v1/detokenize", bearer, object{
		"scope": "chat-1", "reason": object{"code": "LLM_RESPONSE"}, "text": made.Text,
	}, &given)
	if err != nil || status != http.StatusOK || given.Text != plainText {
		p.t.Fatalf("detokenize: %d %v %s", status, err, raw)
	}
}

// refusesWhatIsBehindItsAnchor says in the key service that the log had come
// further than the database: no replica serves it, and verify says so.
func (p production) refusesWhatIsBehindItsAnchor() {
	p.t.Helper()
	const path = "secret/data/counterfoil/anchors/n-acme-n"
	read, err := p.vault.Root().Logical().Read(path)
	if err != nil || read == nil {
		p.t.Fatalf("the anchor of acme is not in the key service: %v", err)
	}
	text := read.Data["data"].(map[string]any)["anchor"].(string)
	ahead := regexp.MustCompile(`(?m)^(size )?\d+$`).ReplaceAllString(text, "${1}100000")
	if ahead == text {
		p.t.Fatalf("the anchor has no size to change: %s", text)
	}
	put := func(anchor string) {
		if _, err := p.vault.Root().Logical().Write(path, map[string]any{"data": map[string]any{"anchor": anchor}}); err != nil {
			p.t.Fatal(err)
		}
	}
	put(ahead)
	if code, _, stderr := p.run("serve"); code != exitError || !strings.Contains(stderr, "refusing to serve") {
		p.t.Errorf("serve: %d %s", code, stderr)
	}
	if code, _, _ := p.run("verify"); code != exitError {
		p.t.Errorf("verify: %d", code)
	}
	put(text)
	p.must("verify")
}

// holdsNo looks for values in a dump of the database and in the audit log of
// the key service, in the forms in which they might stand there.
func (p production) holdsNo(values ...string) {
	p.t.Helper()
	dump := exec.Command("pg_dump", "--dbname", p.db.Admin, "--inserts")
	text, err := dump.Output()
	if err != nil || !strings.Contains(string(text), "INSERT INTO public.mappings") {
		p.t.Fatalf("pg_dump: %v: it shows nothing", err)
	}
	audit := p.vault.AuditLog(p.t)
	for _, value := range append(values, plainText) {
		b := []byte(value)
		for _, form := range []string{value, base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b), hex.EncodeToString(b)} {
			if strings.Contains(string(text), form) || strings.Contains(string(audit), form) {
				p.t.Errorf("a value stands in the dump or the audit log, as %.16s...", form)
			}
		}
	}
	// The twin: what is there is found.
	if !strings.Contains(string(text), hex.EncodeToString([]byte(`"tenant":"acme"`))) {
		p.t.Error("twin: the dump does not show what the leaves hold")
	}
}

// TestRollingRestart: two replicas are restarted one after the other, under
// load. A balancer that goes to the other one where a connection is refused
// loses no request.
func TestRollingRestart(t *testing.T) {
	p := newProduction(t)
	p.ready()
	sites := []*site{p.replica("vault-a"), p.replica("vault-b")}
	var urls [2]atomic.Pointer[string]
	var running [2]*served
	start := func(i int) {
		running[i] = sites[i].serve()
		urls[i].Store(&running[i].url)
	}
	start(0)
	start(1)
	gateway := p.issuer.credential("acme", "llm-gateway")
	var sent, lost atomic.Int64
	stop := make(chan struct{})
	var load sync.WaitGroup
	for worker := range 4 {
		load.Go(func() {
			client := p.client()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				scope := fmt.Sprintf("chat-%d-%d", worker, n%7)
				err := roundTrip(client, *urls[n%2].Load(), gateway, scope)
				if refused(err) {
					err = roundTrip(client, *urls[(n+1)%2].Load(), gateway, scope)
				}
				if err != nil {
					lost.Add(1)
					t.Log(err)
				}
				sent.Add(1)
			}
		})
	}
	await := func(n int64) {
		for before := sent.Load(); sent.Load() < before+n && lost.Load() == 0; {
			if err := roundTrip(p.client(), *urls[0].Load(), gateway, "chat-x"); err != nil && !refused(err) {
				t.Error(err)
			}
		}
	}
	for range 2 {
		for i := range running {
			await(10)
			running[i].end()
			start(i)
		}
	}
	await(10)
	close(stop)
	load.Wait()
	if lost.Load() != 0 {
		t.Errorf("%d of %d lost", lost.Load(), sent.Load())
	}
	t.Logf("%d round trips over 4 restarts", sent.Load())
}

// refused tells whether a connection was refused, or closed before anything
// was answered on it: what a balancer tries elsewhere.
func refused(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}
