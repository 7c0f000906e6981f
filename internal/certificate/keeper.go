package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// CheckEvery is how often the files are read: certificates are replaced
	// days before they end, and a key that leaked should be gone in seconds.
	CheckEvery = 10 * time.Second
	// MaxFileBytes bounds a file; the bundle of all public authorities has a
	// quarter of that.
	MaxFileBytes = 1 << 20
)

// ErrFiles is every refusal of what the files hold.
var ErrFiles = errors.New("certificate: the files are refused")

// Files are PEM files. ClientCA may be empty: then clients need no certificate.
type Files struct{ Cert, Key, ClientCA string }

// Keeper keeps the last good state of its files. It is safe for concurrent use.
type Keeper struct {
	files   Files
	now     func() time.Time
	current atomic.Pointer[state]

	mu      sync.Mutex // one reads at a time, so that states follow each other
	refused string     // the last refusal, so that it is logged once
}

// state is what was read at one time. It is never changed.
type state struct {
	digests [3][sha256.Size]byte // of cert, key and client_ca
	config  *tls.Config
	leaf    *x509.Certificate
}

// Open reads the files.
func Open(files Files, now func() time.Time) (*Keeper, error) {
	k := &Keeper{files: files, now: now}
	s, err := k.read()
	if err != nil {
		return nil, err
	}
	k.current.Store(s)
	return k, nil
}

// TLS is the configuration for a listener. It follows the files.
func (k *Keeper) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: protocols(),
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return k.current.Load().config, nil
		},
	}
}

func protocols() []string { return []string{"h2", "http/1.1"} }

// Expires is the end of the certificate that is shown now.
func (k *Keeper) Expires() time.Time { return k.current.Load().leaf.NotAfter }

// Watch reads the files at intervals until the context ends.
func (k *Keeper) Watch(ctx context.Context, logger *slog.Logger) {
	ticker := time.NewTicker(CheckEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			k.Check(logger)
		}
	}
}

// Check reads the files now, takes them if they are good, and tells the logger
// what changed.
func (k *Keeper) Check(logger *slog.Logger) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := k.read()
	if err != nil {
		if text := err.Error(); text != k.refused {
			k.refused = text
			logger.Error("the TLS files are refused, the last good ones stay", "error", text, "expires", k.Expires())
		}
		return
	}
	k.refused = ""
	if next.digests == k.current.Load().digests {
		return
	}
	k.current.Store(next)
	logger.Info("the TLS files were replaced", "expires", k.Expires())
}

// read reads all files and checks that they can serve.
func (k *Keeper) read() (*state, error) {
	s, contents := &state{}, [3][]byte{}
	for n, file := range []struct{ name, path string }{
		{"cert", k.files.Cert}, {"key", k.files.Key}, {"client_ca", k.files.ClientCA},
	} {
		if file.path == "" && file.name == "client_ca" {
			continue
		}
		content, err := readFile(file.path)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrFiles, file.name, err)
		}
		contents[n], s.digests[n] = content, sha256.Sum256(content)
	}
	if err := s.build(contents[0], contents[1], contents[2]); err != nil {
		return nil, err
	}
	if now := k.now(); now.Before(s.leaf.NotBefore) || now.After(s.leaf.NotAfter) {
		return nil, fmt.Errorf("%w: cert: it is valid from %s to %s only", ErrFiles,
			s.leaf.NotBefore.Format(time.RFC3339), s.leaf.NotAfter.Format(time.RFC3339))
	}
	return s, nil
}

func (s *state) build(cert, key, clientCA []byte) error {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%w: cert and key: %w", ErrFiles, err)
	}
	s.leaf = pair.Leaf
	s.config = &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: protocols(),
		Certificates: []tls.Certificate{pair}, SessionTicketsDisabled: true,
	}
	if clientCA == nil {
		return nil
	}
	s.config.ClientAuth, s.config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !s.config.ClientCAs.AppendCertsFromPEM(clientCA) {
		return fmt.Errorf("%w: client_ca: it holds no certificate", ErrFiles)
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(content) > MaxFileBytes {
		return nil, fmt.Errorf("larger than %d bytes", MaxFileBytes)
	}
	return content, nil
}
