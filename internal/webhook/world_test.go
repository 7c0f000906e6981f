package webhook_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// now is a time without a fraction, as a receiver sees it.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var secretA, secretB = bytes.Repeat([]byte("a"), 32), bytes.Repeat([]byte("b"), 64)

// received is what a receiver got.
type received struct {
	header http.Header
	body   []byte
}

// receiver is an endpoint on this machine, called localhost.
type receiver struct {
	*httptest.Server
	roots *x509.CertPool

	mu     sync.Mutex
	got    []received
	answer http.HandlerFunc
}

// receive starts a receiver over TLS that answers 204 until it is told otherwise.
func receive(t testing.TB) *receiver {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := must(x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key))
	r := &receiver{roots: x509.NewCertPool()}
	r.roots.AddCert(must(x509.ParseCertificate(der)))
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil || q.Method != http.MethodPost {
			t.Errorf("%s: %v", q.Method, err)
		}
		r.mu.Lock()
		r.got = append(r.got, received{q.Header, body})
		answer := r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, q)
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	r.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// status makes the receiver answer so, with pairs of header fields.
func (r *receiver) status(code int, pairs ...string) {
	r.answers(func(w http.ResponseWriter, _ *http.Request) {
		for n := 0; n < len(pairs); n += 2 {
			w.Header().Set(pairs[n], pairs[n+1])
		}
		w.WriteHeader(code)
	})
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// host is the receiver by its name, as an address has it.
func (r *receiver) host() string { return "localhost:" + must(url.Parse(r.URL)).Port() }

// config tells the receiver everything of acme.
func (r *receiver) config(change ...func(*webhook.Config)) webhook.Config {
	c := webhook.Config{
		Endpoints: []webhook.Endpoint{{
			Name: "pager", URL: "https://" + r.host() + "/hook?key=canary-in-url",
			Secrets: [][]byte{secretA, secretB}, Tenants: []string{"acme"}, Internal: true,
		}},
		AllowHosts: []string{r.host()}, Now: func() time.Time { return now }, Roots: r.roots,
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func (r *receiver) sender(t testing.TB, change ...func(*webhook.Config)) *webhook.Sender {
	t.Helper()
	s, err := webhook.New(r.config(change...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func notice(id string) webhook.Notice {
	return webhook.Notice{ID: id, Tenant: "acme", Kind: "restore", At: now.Add(-time.Minute), Body: []byte(`{"entry": 7, "note": "canary-in-body"}`)}
}

// failureOf is the failure that err must be.
func failureOf(t *testing.T, err error) *webhook.Failure {
	t.Helper()
	var f *webhook.Failure
	if !errors.As(err, &f) {
		t.Fatalf("error %v, want a Failure", err)
	}
	if bytes.Contains([]byte(err.Error()), []byte("canary")) || bytes.Contains([]byte(err.Error()), []byte("localhost")) {
		t.Errorf("the error shows what it must not: %v", err)
	}
	return f
}
