package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func armour(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func newAuthority() *authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	return &authority{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)))), key}
}

func (a *authority) pem() []byte { return armour("CERTIFICATE", a.cert.Raw) }

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue returns a certificate for localhost and its key as PEM.
func (a *authority) issue(serial int64) (cert, key []byte) {
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key))
	return armour("CERTIFICATE", der), armour("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))
}

// identity is an issuer of credentials that publishes its keys.
type identity struct {
	*httptest.Server
	mu   sync.Mutex
	kids []string // published, the last one signs
	keys map[string]*ecdsa.PrivateKey
	held bool // nothing is published
}

func newIdentity(t testing.TB) *identity {
	i := &identity{keys: map[string]*ecdsa.PrivateKey{}}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.held {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var set struct {
			Keys []map[string]string `json:"keys"`
		}
		set.Keys = []map[string]string{}
		for _, kid := range i.kids {
			point := must(i.keys[kid].PublicKey.Bytes())
			encode := base64.RawURLEncoding.EncodeToString
			set.Keys = append(set.Keys, map[string]string{"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": encode(point[1:33]), "y": encode(point[33:])})
		}
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(i.Close)
	i.publish("k1")
	return i
}

// publish makes these the keys, new ones where need be.
func (i *identity) publish(kids ...string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, kid := range kids {
		if i.keys[kid] == nil {
			i.keys[kid] = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		}
	}
	i.kids = kids
}

// hold stops the publishing, or lets it go on.
func (i *identity) hold(held bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.held = held
}

// credential is signed with the key that was published last.
func (i *identity) credential(tenant, role string) string {
	return i.credentialWith(tenant, role, nil)
}

// credentialWith says more than a usual credential.
func (i *identity) credentialWith(tenant, role string, more object) string {
	i.mu.Lock()
	kid := i.kids[len(i.kids)-1]
	key := i.keys[kid]
	i.mu.Unlock()
	segment := func(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }
	claims := object{
		"iss": i.URL, "aud": "counterfoil", "sub": "svc-1", "azp": "gw-1", "tenant": tenant, "roles": []string{role},
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(claims, more)
	signed := segment(object{"alg": "ES256", "kid": kid}) + "." + segment(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		panic(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// site is a folder with everything that a configured service needs.
type site struct {
	t         testing.TB
	dir, file string
	ca        *authority
	issuer    *identity
}

// newSite writes the configuration; change alters its text.
func newSite(t testing.TB, change ...string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), ca: newAuthority(), issuer: newIdentity(t)}
	s.file = filepath.Join(s.dir, "counterfoil.yaml")
	text := strings.NewReplacer("ISSUER", s.issuer.URL).Replace(`
listen: 127.0.0.1:0
environment: staging
replica: vault-1
log_prefix: vault.example/log
data: data
anchors: anchors
store: {sqlite: {path: store/counterfoil.db}}
keys: {local: {file: secret/local.key}}
finality: {key_backup_retention: 2d}
issuers:
  - issuer: ISSUER
    audience: counterfoil
    algorithms: [ES256]
    jwks: {url: "ISSUER/jwks", ca: issuer.pem}
    tenant_claim: tenant
    roles_claim: roles
    role_map: {llm-gateway: gateway, audit: auditor}
    client_claim: azp
    tenants: [acme, initech]
tls: {cert: tls.crt, key: tls.key}
`)
	for n := 0; n < len(change); n += 2 {
		if !strings.Contains(text, change[n]) {
			t.Fatalf("there is no %q to change", change[n])
		}
		text = strings.Replace(text, change[n], change[n+1], 1)
	}
	s.write("counterfoil.yaml", []byte(text))
	s.write("issuer.pem", armour("CERTIFICATE", s.issuer.Certificate().Raw))
	s.write("clients.pem", s.ca.pem())
	s.certify(2)
	return s
}

func (s *site) write(name string, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// certify replaces the certificate of the service.
func (s *site) certify(serial int64) {
	s.t.Helper()
	cert, key := s.ca.issue(serial)
	s.write("tls.crt", cert)
	s.write("tls.key", key)
}

// run runs a command with --config.
func (s *site) run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), append(args, "--config", s.file), &out, &errs)
	return code, out.String(), errs.String()
}

// must runs a command that is to succeed.
func (s *site) must(args ...string) string {
	s.t.Helper()
	code, out, stderr := s.run(args...)
	if code != exitOK {
		s.t.Fatalf("%v: %d: %s", args, code, stderr)
	}
	return out
}

// ready makes the key file and a tenant.
func (s *site) ready() *site {
	s.t.Helper()
	s.must("keys", "init")
	s.must("tenant", "create", "--tenant", "acme")
	return s
}

// served is `counterfoil serve` in this process.
type served struct {
	t    testing.TB
	url  string
	log  *serveLog
	stop context.CancelFunc
	done chan struct{}
	code int
}

// serveLog is the log of a service.
type serveLog struct {
	syncBuffer
	once    sync.Once
	serving chan struct{} // closed when the service says that it serves
}

func (l *serveLog) Write(p []byte) (int, error) {
	n, err := l.syncBuffer.Write(p)
	if l.line("serving") != nil {
		l.once.Do(func() { close(l.serving) })
	}
	return n, err
}

// line returns the first line with a message, if there is one.
func (l *serveLog) line(message string) object {
	for text := range strings.Lines(l.String()) {
		var line object
		if json.Unmarshal([]byte(text), &line) == nil && line["msg"] == message {
			return line
		}
	}
	return nil
}

// serve starts the service and waits until it says that it serves.
func (s *site) serve() *served {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	v := &served{t: s.t, log: &serveLog{serving: make(chan struct{})}, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(v.done)
		v.code = run(ctx, []string{"serve", "--config", s.file}, &bytes.Buffer{}, v.log)
	}()
	select {
	case <-v.log.serving:
	case <-v.done:
		s.t.Fatalf("the service ended: %d: %s", v.code, v.log.String())
	}
	s.t.Cleanup(v.end)
	v.url = "https://" + v.log.line("serving")["listen"].(string)
	return v
}

// end stops the service and waits until it has drained.
func (v *served) end() {
	v.t.Helper()
	v.stop()
	if <-v.done; v.code != exitOK {
		v.t.Errorf("the service ended with %d: %s", v.code, v.log.String())
	}
}

// client speaks TLS with the service.
func (s *site) client(certificates ...tls.Certificate) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: s.ca.pool(), ServerName: "localhost", Certificates: certificates},
		ForceAttemptHTTP2: true,
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
