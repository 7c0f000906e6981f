package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
)

const plainText = "mail jane.doe@example.com"

// roundTrip tokenizes and restores a text and says what did not work.
func roundTrip(client *http.Client, url, bearer, scope string) error {
	var made, given struct{ Text string }
	status, raw, err := callWith(client, "POST", url+"/v1/tokenize", bearer, object{"scope": scope, "text": plainText}, &made)
	if err != nil || status != 200 || strings.Contains(made.Text, "jane") {
		return fmt.Errorf("tokenize: %d %w %s", status, err, raw)
	}
	status, raw, err = callWith(client, "POST", url+"/v1/detokenize", bearer, object{
		"scope": scope, "reason": object{"code": "LLM_RESPONSE"}, "text": made.Text,
	}, &given)
	if err != nil || status != 200 || given.Text != plainText {
		return fmt.Errorf("detokenize: %d %w %s", status, err, raw)
	}
	return nil
}

// From nothing to a value that came back, over TLS, for an issuer that
// publishes its keys; and the logs verify.
func TestServe(t *testing.T) {
	s := newSite(t).ready()
	v := s.serve()
	client, gateway := s.client(), s.issuer.credential("acme", "llm-gateway")
	if err := roundTrip(client, v.url, gateway, "chat-1"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		bearer string
		status int
	}{
		"nobody":                         {"x", 401},
		"a role that is not mapped":      {s.issuer.credential("acme", "gateway"), 403},
		"a tenant of no issuer":          {s.issuer.credential("globex", "llm-gateway"), 401},
		"a tenant that nobody has made":  {s.issuer.credential("initech", "llm-gateway"), 403},
		"a tenant of the service itself": {s.issuer.credential("_system", "llm-gateway"), 401},
	} {
		status, raw, err := callWith(client, "POST", v.url+"/v1/tokenize", tt.bearer, object{"scope": "s", "text": "x"}, nil)
		if err != nil || status != tt.status {
			t.Errorf("%s: %d %v, want %d: %s", name, status, err, tt.status, raw)
		}
	}
	if status, _, err := callWith(client, "GET", v.url+"/readyz", "", nil, nil); status != 200 {
		t.Errorf("readyz: %d %v", status, err)
	}
	var page struct {
		Entries []struct {
			Entry struct{ Environment, Replica string }
		}
	}
	auditor := s.issuer.credential("acme", "audit")
	status, raw, err := callWith(client, "GET", v.url+"/v1/audit/entries?kind=restore", auditor, nil, &page)
	if err != nil || len(page.Entries) != 1 || page.Entries[0].Entry.Environment != "staging" || page.Entries[0].Entry.Replica != "vault-1" {
		t.Errorf("entries: %d %v %s", status, err, raw)
	}
	if tenants := s.must("tenant", "list"); !strings.HasPrefix(tenants, "acme 20") || strings.Count(tenants, "\n") != 1 {
		t.Errorf("tenants: %q", tenants)
	}
	v.end()
	if sound := s.must("verify"); strings.Count(sound, "SOUND tenant=") != 2 {
		t.Errorf("verify: %s", sound)
	}
	again := s.serve()
	if err := roundTrip(s.client(), again.url, gateway, "chat-1"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// The one line that says what serves holds names and no secret.
func TestServeSaysWhatServes(t *testing.T) {
	s := newSite(t, "/jwks\"", "/jwks?secret=canary\"").ready()
	v := s.serve()
	line := v.log.line("serving")
	for _, changing := range []string{"time", "listen", "certificate_expires"} {
		if line[changing] == nil {
			t.Errorf("%s is missing", changing)
		}
		delete(line, changing)
	}
	want := object{
		"level": "INFO", "msg": "serving", "version": version, "environment": "staging", "replica": "vault-1",
		"log_prefix": "vault.example/log", "issuers": []any{s.issuer.URL}, "tenants": 1.0, "tls": "1.3", "client_certificates": false,
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if warning := v.log.line("an issuer may speak for a tenant that is not made"); warning["tenant"] != "initech" {
		t.Errorf("warning: %v", warning)
	}
	s.issuer.Close() // and what is said of an issuer that is down
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	v.end()
	var key struct{ Versions []struct{ Key string } }
	text, err := os.ReadFile(filepath.Join(s.dir, "secret", "local.key"))
	if err != nil || json.Unmarshal(text, &key) != nil || len(key.Versions) != 1 {
		t.Fatalf("the key file cannot be read: %v", err)
	}
	for name, secret := range map[string]string{"key": key.Versions[0].Key, "query": "canary", "TLS key": "PRIVATE KEY"} {
		if strings.Contains(v.log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// Connections are TLS 1.3, and where an authority of clients is named, those of
// its clients.
func TestServeDemandsTLS(t *testing.T) {
	s := newSite(t, "key: tls.key}", "key: tls.key, client_ca: clients.pem}").ready()
	v := s.serve()
	gateway := s.issuer.credential("acme", "llm-gateway")
	pair := func(a *authority) tls.Certificate { return must(tls.X509KeyPair(a.issue(9))) }
	if err := roundTrip(s.client(pair(s.ca)), v.url, gateway, "chat-1"); err != nil {
		t.Errorf("a client of the authority: %v", err)
	}
	old := s.client(pair(s.ca))
	old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
	strict := s.client(pair(s.ca))
	strict.Transport.(*http.Transport).TLSClientConfig.RootCAs = x509.NewCertPool()
	for name, client := range map[string]*http.Client{
		"no certificate": s.client(), "another authority's": s.client(pair(newAuthority())), "TLS 1.2": old, "who trusts nobody": strict,
	} {
		if status, _, err := callWith(client, "GET", v.url+"/healthz", "", nil, nil); err == nil {
			t.Errorf("%s: %d", name, status)
		}
	}
	status, raw, err := callWith(http.DefaultClient, "GET", strings.Replace(v.url, "https", "http", 1)+"/healthz", "", nil, nil)
	if err == nil && status != 400 {
		t.Errorf("plain HTTP: %d %s", status, raw)
	}
}

// Keys of the issuer and certificates of the service change under load, and no
// request is lost. A key that is withdrawn works no longer.
func TestServeRotationsLoseNoRequest(t *testing.T) {
	s := newSite(t).ready()
	v := s.serve()
	withdrawn := s.issuer.credential("acme", "llm-gateway")
	if err := roundTrip(s.client(), v.url, withdrawn, "chat-0"); err != nil {
		t.Fatal(err)
	}
	var sent, lost atomic.Int64
	stop := make(chan struct{})
	var load sync.WaitGroup
	for worker := range 4 {
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				client := s.client() // a handshake of its own
				if err := roundTrip(client, v.url, s.issuer.credential("acme", "llm-gateway"), fmt.Sprintf("chat-%d-%d", worker, n%5)); err != nil {
					lost.Add(1)
					t.Log(err)
				}
				client.CloseIdleConnections()
				sent.Add(1)
			}
		})
	}
	kids := []string{"k1"}
	for n := range 3 {
		for before := sent.Load(); sent.Load() < before+8; { // the load goes on in between
			if err := roundTrip(s.client(), v.url, s.issuer.credential("acme", "llm-gateway"), "chat-x"); err != nil {
				t.Fatal(err)
			}
		}
		kids = append(kids, fmt.Sprint("k", n+2))
		s.issuer.publish(kids...)
		s.certify(int64(n) + 10)
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		waitForSerial(t, s, v, int64(n)+10)
	}
	close(stop)
	load.Wait()
	if lost.Load() != 0 || sent.Load() < 24 {
		t.Errorf("%d of %d lost", lost.Load(), sent.Load())
	}
	s.issuer.publish(kids[1:]...)
	v.refuses(t, s, withdrawn)
	t.Logf("%d round trips", sent.Load())
}

// waitForSerial waits until the service shows a certificate.
func waitForSerial(t *testing.T, s *site, v *served, serial int64) {
	t.Helper()
	config := s.client().Transport.(*http.Transport).TLSClientConfig
	for {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(v.url, "https://"), config)
		if err != nil {
			t.Fatal(err)
		}
		shown := conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
		_ = conn.Close()
		if shown == serial {
			return
		}
	}
}

// refuses asks for the keys at once and waits until a credential is refused.
func (v *served) refuses(t *testing.T, s *site, bearer string) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	client := s.client()
	for began := time.Now(); time.Since(began) < authn.RefreshEvery/2; {
		status, raw, err := callWith(client, "POST", v.url+"/v1/tokenize", bearer, object{"scope": "s", "text": "x"}, nil)
		if status == 401 {
			return
		}
		if err != nil || status != 200 {
			t.Fatalf("%d %v %s", status, err, raw)
		}
	}
	t.Error("a hangup does not read the keys of the issuers")
}

// What serve refuses, and what it says to do about it.
func TestServeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		site *site
		code int
		says string
	}{
		"no key file":       {newSite(t), exitError, "counterfoil keys init"},
		"no certificate":    {newSite(t, "cert: tls.crt", "cert: none.crt").ready(), exitError, "none.crt"},
		"another's key":     {newSite(t, "key: tls.key", "key: secret/local.key").ready(), exitError, "cert and key"},
		"plain HTTP":        {newSite(t, "127.0.0.1:0", "0.0.0.0:0", "tls: {cert: tls.crt, key: tls.key}", ""), exitUsage, "tls: is required off the loopback interface"},
		"no audience":       {newSite(t, "    audience: counterfoil\n", ""), exitUsage, "issuers[0].audience: is required"},
		"an unknown name":   {newSite(t, "data: data", "date: data"), exitUsage, "date: is no setting"},
		"a limit too high":  {newSite(t, "data: data", "data: data\nlimits: {body_bytes: 99999999}"), exitUsage, "limits.body_bytes: must be from 1 to 4194304"},
		"no issuers":        {newSite(t, "    tenants: [acme, initech]\n", ""), exitUsage, "issuers[0].tenants: is required"},
		"a key beside data": {damaged(t), exitError, "a new key is not made beside it"},
	} {
		code, out, stderr := tt.site.run("serve")
		if code != tt.code || !strings.Contains(stderr, tt.says) || out != "" {
			t.Errorf("%s: %d %q, want %d and %q", name, code, stderr, tt.code, tt.says)
		}
	}
	if code := run(t.Context(), []string{"serve"}, &syncBuffer{}, &syncBuffer{}); code != exitUsage {
		t.Errorf("without --config: %d", code)
	}
}

// damaged is a service whose key file is lost.
func damaged(t *testing.T) *site {
	s := newSite(t).ready()
	if err := os.Remove(filepath.Join(s.dir, "secret", "local.key")); err != nil {
		t.Fatal(err)
	}
	return s
}

// Two replicas on one database file are refused, and so is a tenant while one
// is running.
func TestServeHasTheDatabaseAlone(t *testing.T) {
	s := newSite(t).ready()
	v := s.serve()
	if code, _, stderr := s.run("serve"); code != exitError || !strings.Contains(stderr, "one process at a time") {
		t.Errorf("a second replica: %d %s", code, stderr)
	}
	if code, _, stderr := s.run("tenant", "create", "--tenant", "initech"); code != exitError || !strings.Contains(stderr, "the service is running: stop it") {
		t.Errorf("a tenant while it is running: %d %s", code, stderr)
	}
	if err := roundTrip(s.client(), v.url, s.issuer.credential("acme", "llm-gateway"), "chat-1"); err != nil {
		t.Errorf("the first one: %v", err)
	}
	v.end()
	s.must("tenant", "create", "--tenant", "initech")
	if code, _, stderr := s.run("tenant", "create", "--tenant", "initech"); code != exitError || !strings.Contains(stderr, "the tenant exists") {
		t.Errorf("a tenant twice: %d %s", code, stderr)
	}
	if out := s.must("tenant", "create", "--tenant", "hooli"); !strings.Contains(out, "issuers[].tenants") {
		t.Errorf("a tenant of no issuer: %s", out)
	}
	if tenants := s.must("tenant", "list"); strings.Count(tenants, "\n") != 3 {
		t.Errorf("tenants: %s", tenants)
	}
}

// Where TLS ends in front, and on the machine itself, the service speaks HTTP.
func TestServePlainHTTP(t *testing.T) {
	for name, tt := range map[string][3]string{
		"loopback": {"tls: {cert: tls.crt, key: tls.key}", "", "none"},
		"upstream": {"tls: {cert: tls.crt, key: tls.key}", "tls: {terminated_upstream: true}", "upstream"},
	} {
		s := newSite(t, tt[0], tt[1]).ready()
		v := s.serve()
		if said := v.log.line("serving")["tls"]; said != tt[2] {
			t.Errorf("%s: said to be %v", name, said)
		}
		url := strings.Replace(v.url, "https", "http", 1)
		if err := roundTrip(http.DefaultClient, url, s.issuer.credential("acme", "llm-gateway"), "chat-1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		v.end()
	}
}

// What starting took is returned, once, whatever is asked later.
func TestServeReturnsWhatStartingTook(t *testing.T) {
	s := newSite(t).ready()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.serve().end()
	runtime.ReadMemStats(&after)
	if got := after.NumForcedGC - before.NumForcedGC; got != 1 {
		t.Errorf("memory was returned %d times", got)
	}
}

// Limits of the configuration are in force.
func TestServeLowersLimits(t *testing.T) {
	s := newSite(t, "data: data", "data: data\nlimits: {body_bytes: 2000}").ready()
	v := s.serve()
	gateway := s.issuer.credential("acme", "llm-gateway")
	for size, want := range map[int]int{1000: 200, 3000: 413} {
		status, raw, err := callWith(s.client(), "POST", v.url+"/v1/tokenize", gateway, object{"scope": "s", "text": strings.Repeat("x", size)}, nil)
		if err != nil || status != want {
			t.Errorf("%d bytes: %d %v %s", size, status, err, raw)
		}
	}
}

// A stop lets the requests finish that were accepted.
func TestServeDrains(t *testing.T) {
	s := newSite(t).ready()
	v := s.serve()
	gateway := s.issuer.credential("acme", "llm-gateway")
	var begun sync.WaitGroup
	var clients sync.WaitGroup
	for worker := range 6 {
		begun.Add(1)
		clients.Go(func() {
			client := s.client()
			for n := 0; ; n++ {
				status, raw, err := callWith(client, "POST", v.url+"/v1/tokenize", gateway, object{"scope": fmt.Sprint("chat-", worker), "text": plainText}, nil)
				if n == 0 {
					begun.Done()
				}
				if err != nil {
					return // the listener is closed
				}
				if status != 200 {
					t.Errorf("%d %s", status, raw)
					return
				}
			}
		})
	}
	begun.Wait()
	v.end()
	clients.Wait()
	if sound := s.must("verify"); strings.Count(sound, "SOUND") != 2 {
		t.Errorf("verify: %s", sound)
	}
}

func TestConfigCheck(t *testing.T) {
	s := newSite(t)
	if code, _, stderr := s.run("config", "check"); code != exitError || !strings.Contains(stderr, "keys.local.file: localkey:") {
		t.Errorf("without a key file: %d %s", code, stderr)
	}
	s.must("keys", "init")
	if code, _, stderr := s.run("keys", "init"); code != exitError || !strings.Contains(stderr, "there is a key file already") {
		t.Errorf("a second key file: %d %s", code, stderr)
	}
	if out := s.must("config", "check"); out != "OK\n" {
		t.Errorf("check: %q", out)
	}
	for _, path := range []string{"data", "store", "anchors"} {
		if _, err := os.Stat(filepath.Join(s.dir, path)); err == nil {
			t.Errorf("the check made %s", path)
		}
	}
	s.write("tls.key", []byte("none"))
	if err := os.Chmod(filepath.Join(s.dir, "secret", "local.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := s.run("config", "check")
	if code != exitError || !strings.Contains(stderr, "\n  keys.local.file: ") || !strings.Contains(stderr, "\n  tls: ") {
		t.Errorf("files that are refused: %d %s", code, stderr)
	}
	bad := newSite(t, "audience: counterfoil", "audiance: counterfoil", "algorithms: [ES256]", "algorithms: [HS256]", "tenants: [acme, initech]", "tenants: []")
	code, out, stderr := bad.run("config", "check")
	want := `counterfoil: config: refused:
  issuers[0].audiance: is no setting
  issuers[0].audience: is required
  issuers[0].algorithms[0]: must be one of ES256, ES384, RS256, PS256, EdDSA
  issuers[0].tenants: is required
`
	if code != exitError || out != "" || stderr != want {
		t.Errorf("faults: %d\n%s\nwant:\n%s", code, stderr, want)
	}
	near := newSite(t, "anchors: anchors", "anchors: data/anchors", "file: secret/local.key", "file: data/local.key")
	near.must("keys", "init")
	if out := near.must("config", "check"); strings.Count(out, "advice: ") != 2 || !strings.HasSuffix(out, "OK\n") {
		t.Errorf("advice: %q", out)
	}
}

// The example is a configuration, and its numbers are those that hold when they
// are left out.
func TestExampleConfiguration(t *testing.T) {
	example, err := os.ReadFile("../../deploy/config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.write("counterfoil.yaml", example)
	if err := os.Rename(filepath.Join(s.dir, "clients.pem"), filepath.Join(s.dir, "clients-ca.crt")); err != nil {
		t.Fatal(err)
	}
	s.must("keys", "init")
	if out := s.must("config", "check"); !strings.HasSuffix(out, "OK\n") || strings.Contains(out, "advice") {
		t.Errorf("check: %q", out)
	}
	cfg, err := config.Load(s.file, func(string) string { return "" }, interfaceLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(interfaceLimits(), cfg.Limits); diff != "" {
		t.Errorf("limits (-default +example):\n%s", diff)
	}
}
