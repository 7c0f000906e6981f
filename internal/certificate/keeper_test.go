package certificate_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/certificate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

var serial atomic.Int64

func template(name string, from, to time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: to, BasicConstraintsValid: true,
	}
}

func newAuthority(name string) *authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := template(name, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign
	der := must(x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key))
	return &authority{must(x509.ParseCertificate(der)), key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue returns a certificate and its key as PEM.
func (a *authority) issue(name string, from, to time.Duration) (cert, key []byte) {
	return a.sign(template(name, time.Now().Add(from), time.Now().Add(to)))
}

func (a *authority) sign(t *x509.Certificate) (cert, key []byte) {
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t.DNSNames, t.ExtKeyUsage = []string{"localhost"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der := must(x509.CreateCertificate(rand.Reader, t, a.cert, &private.PublicKey, a.key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))})
}

func (a *authority) client(name string) tls.Certificate {
	return must(tls.X509KeyPair(a.issue(name, -time.Minute, time.Hour)))
}

// folder holds the files of a keeper.
type folder struct{ certificate.Files }

func newFolder(t *testing.T, a *authority) folder {
	dir := t.TempDir()
	f := folder{certificate.Files{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}}
	f.show(t, a, "first")
	return f
}

// show replaces certificate and key.
func (f folder) show(t *testing.T, a *authority, name string) {
	cert, key := a.issue(name, -time.Minute, time.Hour)
	write(t, f.Cert, cert)
	write(t, f.Key, key)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve answers with the name of the client, over the keeper's TLS.
func serve(t *testing.T, k *certificate.Keeper) (address string) {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	server := &http.Server{
		ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := "nobody"
			if len(r.TLS.PeerCertificates) > 0 {
				name = r.TLS.PeerCertificates[0].Subject.CommonName
			}
			_, _ = fmt.Fprint(w, r.Proto, " ", name)
		}),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(tls.NewListener(listener, k.TLS())) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return listener.Addr().String()
}

// ask makes one request over a new connection and returns the answer and the
// name of the server.
func ask(address string, config *tls.Config) (answer, server string, err error) {
	config.ServerName = "localhost"
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	response, err := (&http.Client{Transport: transport}).Get("https://" + address)
	if err != nil {
		return "", "", err
	}
	body, err := io.ReadAll(response.Body)
	return string(body), response.TLS.PeerCertificates[0].Subject.CommonName, errors.Join(err, response.Body.Close())
}

func TestOnlyTLS13(t *testing.T) {
	a := newAuthority("a")
	f := newFolder(t, a)
	address := serve(t, must(certificate.Open(f.Files, time.Now)))
	for version, ok := range map[uint16]bool{
		tls.VersionTLS13: true, tls.VersionTLS12: false, tls.VersionTLS11: false, tls.VersionTLS10: false,
	} {
		answer, server, err := ask(address, &tls.Config{RootCAs: a.pool(), MinVersion: tls.VersionTLS10, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("TLS %x: %v, want ok=%v", version, err, ok)
		}
		if ok && (answer != "HTTP/2.0 nobody" || server != "first") {
			t.Errorf("%q of %q", answer, server)
		}
	}
}

func TestClientsMustShowACertificate(t *testing.T) {
	a, clients, strangers := newAuthority("a"), newAuthority("clients"), newAuthority("strangers")
	f := newFolder(t, a)
	f.ClientCA = filepath.Join(filepath.Dir(f.Cert), "clients.crt")
	write(t, f.ClientCA, clients.pem)
	k := must(certificate.Open(f.Files, time.Now))
	address := serve(t, k)
	with := func(certs ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: a.pool(), Certificates: certs, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	}
	expired := must(tls.X509KeyPair(clients.issue("late", -time.Hour, -time.Minute)))
	for name, tt := range map[string]struct {
		config *tls.Config
		ok     bool
	}{
		"a client of the authority": {with(clients.client("gw-1")), true},
		"no certificate":            {with(), false},
		"of another authority":      {with(strangers.client("gw-1")), false},
		"of the server's authority": {with(a.client("gw-1")), false},
		"expired":                   {with(expired), false},
	} {
		answer, _, err := ask(address, tt.config)
		if (err == nil) != tt.ok || (tt.ok && !strings.HasSuffix(answer, " gw-1")) {
			t.Errorf("%s: %q, %v, want ok=%v", name, answer, err, tt.ok)
		}
	}
	// An authority that is taken out lets nobody in again, tickets or not.
	known := with(clients.client("gw-1"))
	for range 2 {
		if _, _, err := ask(address, known); err != nil {
			t.Fatal(err)
		}
	}
	write(t, f.ClientCA, strangers.pem)
	k.Check(slog.New(slog.DiscardHandler))
	if _, _, err := ask(address, known); err == nil {
		t.Error("a client of an authority that was taken out")
	}
	if _, _, err := ask(address, with(strangers.client("gw-2"))); err != nil {
		t.Errorf("a client of the new authority: %v", err)
	}
}

func TestSessionsAreNotResumed(t *testing.T) {
	a := newAuthority("a")
	address := serve(t, must(certificate.Open(newFolder(t, a).Files, time.Now)))
	config := &tls.Config{RootCAs: a.pool(), ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	for range 3 {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		response, err := client.Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.Body.Close() != nil || response.TLS.DidResume {
			t.Errorf("resumed %v, %v", response.TLS.DidResume, err)
		}
	}
}

// Without the authorities anybody gets in: the refusals above are theirs.
func TestClientsMustShowACertificateTwin(t *testing.T) {
	a := newAuthority("a")
	address := serve(t, must(certificate.Open(newFolder(t, a).Files, time.Now)))
	if answer, _, err := ask(address, &tls.Config{RootCAs: a.pool()}); err != nil || !strings.HasSuffix(answer, "nobody") {
		t.Errorf("%q, %v", answer, err)
	}
}

// Replacing the files while connections come in loses none of them.
func TestRotationLosesNoRequest(t *testing.T) {
	old, next := newAuthority("old"), newAuthority("next")
	f := newFolder(t, old)
	k := must(certificate.Open(f.Files, time.Now))
	address, both := serve(t, k), old.pool()
	both.AddCert(next.cert)
	logger := slog.New(slog.DiscardHandler)
	var sent, lost atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sent.Add(1)
				if _, _, err := ask(address, &tls.Config{RootCAs: both}); err != nil {
					lost.Add(1)
					t.Log(err)
				}
			}
		})
	}
	for n := range 10 {
		for before := sent.Load(); sent.Load() < before+30; {
			runtime.Gosched() // the load goes on between two rotations
		}
		name := fmt.Sprint("cert-", n)
		cert, key := next.issue(name, -time.Minute, time.Hour)
		write(t, f.Cert, cert)
		k.Check(logger) // the key is not there yet
		write(t, f.Key, key)
		k.Check(logger)
		if _, server, err := ask(address, &tls.Config{RootCAs: both}); err != nil || server != name {
			t.Errorf("%s shown, want %s (%v)", server, name, err)
		}
	}
	close(stop)
	group.Wait()
	if lost.Load() != 0 || sent.Load() < 300 {
		t.Errorf("%d of %d requests lost", lost.Load(), sent.Load())
	}
	t.Logf("%d requests", sent.Load())
}

// What cannot serve is refused at the start; later, the last good files stay.
func TestFilesThatCannotServe(t *testing.T) {
	a := newAuthority("a")
	for name, spoil := range map[string]func(folder){
		"no certificate":        func(f folder) { _ = os.Remove(f.Cert) },
		"no key":                func(f folder) { _ = os.Remove(f.Key) },
		"no client CA":          func(f folder) { _ = os.Remove(f.ClientCA) },
		"an empty certificate":  func(f folder) { write(t, f.Cert, nil) },
		"a certificate cut off": func(f folder) { c := must(os.ReadFile(f.Cert)); write(t, f.Cert, c[:len(c)/2]) },
		"a certificate as key":  func(f folder) { write(t, f.Key, must(os.ReadFile(f.Cert))) },
		"another's key":         func(f folder) { _, key := a.issue("x", -time.Minute, time.Hour); write(t, f.Key, key) },
		"a client CA of text":   func(f folder) { write(t, f.ClientCA, []byte("authorities")) },
		"a file too large":      func(f folder) { write(t, f.ClientCA, bytes.Repeat([]byte("\n"), certificate.MaxFileBytes+1)) },
		"an expired one": func(f folder) {
			cert, key := a.issue("x", -time.Hour, -time.Minute)
			write(t, f.Cert, cert)
			write(t, f.Key, key)
		},
		"one of tomorrow": func(f folder) {
			cert, key := a.issue("x", time.Hour, 2*time.Hour)
			write(t, f.Cert, cert)
			write(t, f.Key, key)
		},
	} {
		f := newFolder(t, a)
		f.ClientCA = filepath.Join(filepath.Dir(f.Cert), "clients.crt")
		write(t, f.ClientCA, a.pem)
		k := must(certificate.Open(f.Files, time.Now))
		address := serve(t, k)
		spoil(f)
		if _, err := certificate.Open(f.Files, time.Now); !errors.Is(err, certificate.ErrFiles) {
			t.Errorf("%s, at the start: %v", name, err)
		}
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		k.Check(logger)
		k.Check(logger)
		if strings.Count(log.String(), "refused") != 2 || strings.Contains(log.String(), "PRIVATE KEY-----\n") { // message and error
			t.Errorf("%s: the log has not one line:\n%s", name, &log)
		}
		_, server, err := ask(address, &tls.Config{RootCAs: a.pool(), Certificates: []tls.Certificate{a.client("gw")}})
		if err != nil || server != "first" {
			t.Errorf("%s: %q shown, %v", name, server, err)
		}
		f.show(t, a, "mended")
		write(t, f.ClientCA, a.pem)
		k.Check(logger)
		_, server, err = ask(address, &tls.Config{RootCAs: a.pool(), Certificates: []tls.Certificate{a.client("gw")}})
		if err != nil || server != "mended" {
			t.Errorf("%s, mended: %q shown, %v", name, server, err)
		}
	}
}

func TestWatchReadsAtIntervals(t *testing.T) {
	a := newAuthority("a")
	f := newFolder(t, a)
	synctest.Test(t, func(t *testing.T) {
		// The bubble's clock begins in the year 2000; validity is not at stake.
		k := must(certificate.Open(f.Files, func() time.Time { return a.cert.NotBefore.Add(time.Hour) }))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go k.Watch(ctx, slog.New(slog.DiscardHandler))
		shown := func() string {
			config := must(k.TLS().GetConfigForClient(nil))
			return config.Certificates[0].Leaf.Subject.CommonName
		}
		cert, key := a.sign(template("second", a.cert.NotBefore, a.cert.NotAfter))
		write(t, f.Cert, cert)
		write(t, f.Key, key)
		time.Sleep(certificate.CheckEvery - time.Second)
		synctest.Wait()
		if shown() != "first" {
			t.Error("read before the interval was over")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if shown() != "second" {
			t.Error("not read at the interval")
		}
	})
}
