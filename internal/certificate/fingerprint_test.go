package certificate_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/certificate"
)

// exampleOfRFC8705 is the certificate of RFC 8705 appendix A, and what the same
// appendix says that its thumbprint is.
const (
	exampleOfRFC8705 = `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----`
	thumbprintOfRFC8705 = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
)

func TestFingerprint(t *testing.T) {
	block, _ := pem.Decode([]byte(exampleOfRFC8705))
	cert := must(x509.ParseCertificate(block.Bytes))
	another := newAuthority("a").cert
	for name, tt := range map[string]struct {
		state *tls.ConnectionState
		want  string
	}{
		"no TLS":              {nil, ""},
		"no certificate":      {&tls.ConnectionState{}, ""},
		"shown, not verified": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, ""},
		"an empty chain":      {&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}, ""},
		"the one that was":    {&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{cert, another}}}, thumbprintOfRFC8705},
		"not the one on the way": {&tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{another}, VerifiedChains: [][]*x509.Certificate{{cert, another}},
		}, thumbprintOfRFC8705},
	} {
		if got := certificate.Fingerprint(tt.state); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// What the server of a keeper sees of a client is its own certificate.
func TestFingerprintOfAConnection(t *testing.T) {
	a, clients := newAuthority("a"), newAuthority("clients")
	f := newFolder(t, a)
	f.ClientCA = filepath.Join(filepath.Dir(f.Cert), "clients.crt")
	if err := os.WriteFile(f.ClientCA, clients.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	k := must(certificate.Open(f.Files, time.Now))
	first, second := clients.client("gw-1"), clients.client("gw-2")
	seen := map[string]bool{}
	for _, client := range []tls.Certificate{first, second, first} {
		state := handshake(t, k, &tls.Config{RootCAs: a.pool(), ServerName: "localhost", Certificates: []tls.Certificate{client}})
		want := certificate.Fingerprint(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{client.Leaf}}})
		if got := certificate.Fingerprint(&state); got != want || got == "" {
			t.Errorf("%q, want %q", got, want)
		}
		seen[want] = true
	}
	if len(seen) != 2 {
		t.Errorf("%d fingerprints of two certificates", len(seen))
	}
}

// handshake connects a client with the keeper and returns what the server knows.
func handshake(t *testing.T, k *certificate.Keeper, config *tls.Config) tls.ConnectionState {
	t.Helper()
	listener := must(tls.Listen("tcp", "127.0.0.1:0", k.TLS()))
	defer func() { _ = listener.Close() }()
	done := make(chan error, 1)
	go func() {
		conn, err := tls.Dial("tcp", listener.Addr().String(), config)
		if err == nil {
			_, _ = conn.Read(make([]byte, 1)) // until the server closes
			err = conn.Close()
		}
		done <- err
	}()
	conn := must(listener.Accept()).(*tls.Conn)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	state := conn.ConnectionState()
	_ = conn.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return state
}
