package oidctest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Provider is one that runs.
type Provider struct {
	// Issuer is what its tokens say in iss, JWKS where it publishes its keys.
	Issuer, JWKS string

	secret, tokens string // of every client; the address of the token endpoint
	commands       io.Writer
	answers        *bufio.Scanner
	client         *http.Client
}

// The timeouts of a test: what takes longer hangs.
const (
	requestTimeout = 30 * time.Second
	stopTimeout    = 10 * time.Second
)

// maxDocumentBytes bounds what the provider may answer.
const maxDocumentBytes = 1 << 20

// Start starts a provider that ends with the test.
func Start(t testing.TB) *Provider {
	t.Helper()
	if err := findNode(t.Context()); errors.Is(err, errNoNode) {
		t.Skip(err)
	}
	packages, err := installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{client: &http.Client{Timeout: requestTimeout, Transport: &http.Transport{DisableKeepAlives: true}}}
	if err := p.run(t, packages); err != nil {
		t.Fatal(err)
	}
	if err := p.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// run starts the process in a folder of its own, from which node finds the
// packages by a link.
func (p *Provider) run(t testing.TB, packages string) error {
	folder := t.TempDir()
	script := filepath.Join(folder, "provider.mjs")
	if err := os.WriteFile(script, program, 0o600); err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(folder, "node_modules")); err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	// Not under the test's context: that ends before the cleanup, and the
	// provider is to end by itself.
	process := exec.CommandContext(context.Background(), "node", script)
	var complaints bytes.Buffer
	process.Dir, process.Stderr, process.WaitDelay = folder, &complaints, stopTimeout
	input, err := process.StdinPipe()
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	if err := process.Start(); err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	t.Cleanup(func() {
		stop := time.AfterFunc(stopTimeout, func() { _ = process.Process.Kill() })
		defer stop.Stop()
		if err := errors.Join(input.Close(), process.Wait()); err != nil || t.Failed() {
			t.Logf("the provider ended: %v\n%s", err, complaints.Bytes())
		}
	})
	p.commands, p.answers = input, bufio.NewScanner(output)
	if !p.answers.Scan() {
		return errors.New("oidctest: the provider did not start")
	}
	var started struct{ Issuer, Secret string }
	if err := json.Unmarshal(p.answers.Bytes(), &started); err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	p.Issuer, p.secret = started.Issuer, started.Secret
	return nil
}

// discover reads where everything is (OpenID Connect Discovery 1.0).
func (p *Provider) discover(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	var found struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
		Tokens string `json:"token_endpoint"`
	}
	if err := p.ask(request, &found); err != nil {
		return err
	}
	if found.Issuer != p.Issuer || found.JWKS == "" || found.Tokens == "" {
		return errors.New("oidctest: the provider does not say where it is")
	}
	p.JWKS, p.tokens = found.JWKS, found.Tokens
	return nil
}

func (p *Provider) ask(request *http.Request, out any) (err error) {
	response, err := p.client.Do(request)
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxDocumentBytes))
	if err != nil {
		return fmt.Errorf("oidctest: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("oidctest: %s: %s", response.Status, text)
	}
	return json.Unmarshal(text, out)
}

// Token is a token that the client gets for itself (RFC 6749 section 4.4), for a
// resource of provider.mjs and over a connection that shows the certificate, or
// none.
func (p *Provider) Token(t testing.TB, client, resource string, certificate *x509.Certificate) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {resource}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.tokens, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(client, p.secret)
	if certificate != nil {
		request.Header.Set("X-Client-Certificate", base64.StdEncoding.EncodeToString(certificate.Raw))
	}
	var granted struct {
		Token string `json:"access_token"`
	}
	if err := p.ask(request, &granted); err != nil {
		t.Fatal(err)
	}
	return granted.Token
}

// Introduce makes a new key the one that signs. The one before it is still
// published.
func (p *Provider) Introduce(t testing.TB) (kid string) { return p.command(t, "introduce") }

// Withdraw stops publishing all keys but those that sign.
func (p *Provider) Withdraw(t testing.TB) { p.command(t, "withdraw") }

// Down makes the provider one that does not answer, Up one that does again.
func (p *Provider) Down(t testing.TB) { p.command(t, "down") }

// Up is the opposite of Down.
func (p *Provider) Up(t testing.TB) { p.command(t, "up") }

// Fetches is how often its keys were asked for.
func (p *Provider) Fetches(t testing.TB) int {
	t.Helper()
	n, err := strconv.Atoi(p.command(t, "fetches"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// command sends a line and returns the line that comes back.
func (p *Provider) command(t testing.TB, name string) string {
	t.Helper()
	if _, err := io.WriteString(p.commands, name+"\n"); err != nil {
		t.Fatal(err)
	}
	if !p.answers.Scan() {
		t.Fatalf("oidctest: no answer to %s: %v", name, p.answers.Err())
	}
	return p.answers.Text()
}
