//go:build unix

package objectstoretest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/counterfoil/counterfoil/internal/objectstore"
)

// The credential of the server's own root, which may do whatever anybody may.
const (
	accessKey = "counterfoil-test"
	secretKey = "canary-secret-of-the-store"
	region    = "eu-central-1"
)

// Secret is the secret of the server, to be looked for where it must not be.
const Secret = secretKey

// Server is a running server.
type Server struct {
	address string
	dir     string
	process *exec.Cmd
	hold    io.Closer // the process ends when this is closed
	roots   *x509.CertPool
}

// Start starts a server, and stops it when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := binary(); err != nil {
		t.Skipf("objectstoretest: versitygw %s cannot be installed here: %v", version, err)
	}
	s := &Server{dir: t.TempDir()}
	for _, name := range []string{"buckets", "versions"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"access": accessKey, "secret": secretKey} {
		if err := os.WriteFile(s.path(name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.certify(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s.Run(t)
	t.Cleanup(s.Stop)
	return s
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// certify makes a certificate that vouches for itself.
func (s *Server) certify(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{
		"cert.pem": certificate, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	} {
		if err := os.WriteFile(s.path(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(certificate)
}

// script ends the server when nobody holds its input any more, so that it never
// outlives the test.
const script = `"$@" & server=$!; read -r _; kill -9 $server; wait $server 2>/dev/null`

// Run starts the server, again after Stop, at its address and with what it had.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s.process = exec.Command("/bin/sh", "-c", script, "sh", path, "--port", s.address, "--quiet", "--region", region,
		"--cert", s.path("cert.pem"), "--key", s.path("key.pem"), "posix", "--versioning-dir", s.path("versions"), s.path("buckets"))
	s.process.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+accessKey, "ROOT_SECRET_ACCESS_KEY="+secretKey)
	s.process.Stderr = os.Stderr
	if s.hold, err = s.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		connection, err := net.DialTimeout("tcp", s.address, time.Second)
		if err == nil {
			_ = connection.Close() // it was only to see who listens
			return
		}
		if time.Now().After(end) {
			t.Fatalf("objectstoretest: the server does not answer: %v", err)
		}
	}
}

// Stop kills the server.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.hold.Close()   // the script notices, whatever this says
	_ = s.process.Wait() // it was killed, which is no success
	s.process, s.hold = nil, nil
}

// Options are those of a bucket on this server.
func (s *Server) Options(bucket string) objectstore.Options {
	return objectstore.Options{
		Endpoint: "https://" + s.address, Region: region, Bucket: bucket, PathStyle: true, Roots: s.roots,
		AccessKeyFile: s.path("access"), SecretKeyFile: s.path("secret"),
	}
}

// Root is a client that may do whatever anybody may.
func (s *Server) Root(t testing.TB) *s3.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return s3.New(s3.Options{
		Region: region, UsePathStyle: true, BaseEndpoint: aws.String("https://" + s.address), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		HTTPClient:  &http.Client{Transport: transport, Timeout: time.Minute},
	})
}

// Bucket makes a bucket, with Object Lock or without.
func (s *Server) Bucket(t testing.TB, name string, lock bool) {
	t.Helper()
	_, err := s.Root(t).CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: &lock})
	if err != nil {
		t.Fatalf("objectstoretest: bucket %s: %v", name, err)
	}
}
