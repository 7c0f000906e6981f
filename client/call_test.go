package client_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

const (
	secret = "eyJhbGciOiJFUzI1NiJ9.kanarie.signature"
	value  = "kanarie-7c1e@example.org"
)

func constant(token string) client.TokenSource {
	return func(context.Context) (string, error) { return token, nil }
}

// pinned is some key of some log.
func pinned(t *testing.T) []string {
	return []string{newLedger(t, acmeLog, 1).signer.VerifierKey()}
}

// noted is what a stub got.
type noted struct {
	path, key, bearer, body string
	header                  http.Header
}

// stub is a service that answers the n-th request by the n-th script, and
// further ones by the last.
type stub struct {
	*httptest.Server

	mu    sync.Mutex
	noted []noted
}

// got is what came so far.
func (s *stub) got() []noted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.noted)
}

// note takes a request down and returns how many came before it.
func (s *stub) note(n noted) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noted = append(s.noted, n)
	return len(s.noted) - 1
}

func newStub(t *testing.T, script ...http.HandlerFunc) *stub {
	t.Helper()
	s := &stub{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		n := s.note(noted{r.URL.Path, r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"), string(sent), r.Header})
		script[min(n, len(script)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) client(t *testing.T, change ...func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{Token: constant(secret), LogKeys: pinned(t)}
	for _, f := range change {
		f(&cfg)
	}
	return newClient(t, s.URL, cfg)
}

// says answers with a status, a type and a body.
func says(status int, media, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func refuses(status int, code string, headers ...string) http.HandlerFunc {
	return says(status, "application/problem+json", fmt.Sprintf(`{"code":%q,"status":%d}`, code, status), headers...)
}

// hangsUp ends the connection without an answer.
func hangsUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// halfway ends it in the middle of one.
func halfway(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"text":"x`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

var preambleOK = says(200, "application/json", `{"text":"some words"}`)

func TestInvariant16_WhatIsTriedAgainAndWhatIsNot(t *testing.T) {
	date := time.Unix(1e9, 0).UTC()
	for name, c := range map[string]struct {
		first    http.HandlerFunc
		attempts int
		least    time.Duration // of the pause, where there is one
		most     time.Duration
	}{
		"503 with advice":        {refuses(503, "unavailable", "Retry-After", "2"), 2, 2 * time.Second, 3 * time.Second},
		"503 without":            {refuses(503, "unavailable"), 1, 0, 0},
		"429 with advice":        {refuses(429, "exhausted", "Retry-After", "1"), 2, time.Second, 1500 * time.Millisecond},
		"429 without":            {refuses(429, "exhausted"), 1, 0, 0},
		"advice of a date":       {refuses(503, "unavailable", "Retry-After", date.Add(4*time.Second).Format(http.TimeFormat)), 2, 4 * time.Second, 6 * time.Second},
		"advice of the past":     {refuses(503, "unavailable", "Retry-After", date.Add(-time.Hour).Format(http.TimeFormat)), 1, 0, 0},
		"advice of nothing":      {refuses(503, "unavailable", "Retry-After", "soon"), 1, 0, 0},
		"advice below nothing":   {refuses(503, "unavailable", "Retry-After", "-5"), 1, 0, 0},
		"advice of an hour":      {refuses(503, "unavailable", "Retry-After", "3600"), 1, 0, 0},
		"a balancer":             {says(503, "text/html", "<html>", "Retry-After", "1"), 2, time.Second, 1500 * time.Millisecond},
		"a balancer's 502":       {says(502, "text/html", "<html>", "Retry-After", "1"), 1, 0, 0},
		"500 with advice":        {refuses(500, "internal", "Retry-After", "1"), 1, 0, 0},
		"403 with advice":        {refuses(403, "denied", "Retry-After", "1"), 1, 0, 0},
		"409":                    {refuses(409, "conflict"), 1, 0, 0},
		"422":                    {refuses(422, "invalid"), 1, 0, 0},
		"401":                    {refuses(401, "unauthenticated"), 1, 0, 0},
		"a redirect":             {says(307, "text/plain", "", "Location", "/elsewhere", "Retry-After", "1"), 1, 0, 0},
		"no answer":              {hangsUp, 2, 50 * time.Millisecond, 100 * time.Millisecond},
		"half an answer":         {halfway, 2, 50 * time.Millisecond, 100 * time.Millisecond},
		"an answer not of ours":  {says(200, "text/html", `{"text":"some words"}`), 1, 0, 0},
		"an answer out of JSON":  {says(200, "application/json", "{"), 1, 0, 0},
		"an answer of nothing":   {says(204, "application/json", ""), 1, 0, 0},
		"an answer that is good": {preambleOK, 1, 0, 0},
	} {
		s := newStub(t, c.first, preambleOK)
		one := s.client(t)
		slept := one.WithClock(date)
		text, err := one.Preamble(t.Context())
		if len(s.got()) != c.attempts || len(*slept) != c.attempts-1 {
			t.Errorf("%s: %d attempts, %d pauses, want %d attempts; %v", name, len(s.got()), len(*slept), c.attempts, err)
			continue
		}
		if good := c.attempts > 1 || strings.HasSuffix(name, "good"); good != (err == nil) || good != (text == "some words") {
			t.Errorf("%s: %q %v", name, text, err)
		}
		if c.attempts > 1 && ((*slept)[0] < c.least || (*slept)[0] > c.most) {
			t.Errorf("%s: paused %v, want %v to %v", name, (*slept)[0], c.least, c.most)
		}
	}
}

func TestInvariant17_RetriesAreBounded(t *testing.T) {
	busy := refuses(503, "unavailable", "Retry-After", "3")
	for name, c := range map[string]struct {
		change   func(*client.Config)
		attempts int
	}{
		"by their number":     {func(cfg *client.Config) { cfg.RetryFor = time.Hour }, client.DefaultAttempts},
		"by another number":   {func(cfg *client.Config) { cfg.RetryFor, cfg.Attempts = time.Hour, 7 }, 7},
		"to none":             {func(cfg *client.Config) { cfg.Attempts = 1 }, 1},
		"by time":             {func(cfg *client.Config) { cfg.RetryFor, cfg.Attempts = 9*time.Second, 100 }, 3},
		"by less than a wait": {func(cfg *client.Config) { cfg.RetryFor = 2 * time.Second }, 1},
	} {
		s := newStub(t, busy)
		one := s.client(t, c.change)
		one.WithClock(time.Unix(1e9, 0))
		_, err := one.Preamble(t.Context())
		var p *client.Problem
		if !errors.As(err, &p) || !errors.Is(err, client.ErrUnavailable) || p.RetryAfter != 3*time.Second {
			t.Errorf("%s: %v", name, err)
		}
		// Pauses are random between 3 and 4.5 seconds.
		if n := len(s.got()); n > c.attempts || n < c.attempts-1 || c.attempts < 3 && n != c.attempts {
			t.Errorf("%s: %d attempts, want %d", name, n, c.attempts)
		}
	}
	// The deadline of the caller ends it before a pause that would pass it.
	s := newStub(t, busy)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := s.client(t).Preamble(ctx); !errors.Is(err, client.ErrUnavailable) || ctx.Err() != nil || len(s.got()) != 1 {
		t.Errorf("%d attempts, %v", len(s.got()), err)
	}
}

func TestAContextThatIsCancelledEndsACall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newStub(t, func(http.ResponseWriter, *http.Request) { cancel(); hangsUp(nil, nil) }, preambleOK)
	if _, err := s.client(t).Preamble(ctx); err == nil || len(s.got()) != 1 {
		t.Errorf("%d attempts, %v", len(s.got()), err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	s = newStub(t, func(w http.ResponseWriter, r *http.Request) {
		refuses(503, "unavailable", "Retry-After", "10")(w, r)
		time.AfterFunc(time.Millisecond, cancel)
	}, preambleOK)
	_, err := s.client(t).Preamble(ctx)
	if !errors.Is(err, context.Canceled) || len(s.got()) != 1 {
		t.Errorf("%d attempts, %v", len(s.got()), err)
	}
}

// A service that is slow is not asked twice.
func TestATimeoutIsNotTriedAgain(t *testing.T) {
	s := newStub(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, preambleOK)
	one := s.client(t, func(cfg *client.Config) { cfg.Timeout = 20 * time.Millisecond })
	if _, err := one.Preamble(t.Context()); !errors.Is(err, context.DeadlineExceeded) || len(s.got()) != 1 {
		t.Errorf("%d attempts, %v", len(s.got()), err)
	}
}

func TestAServiceThatIsNotThereIsTriedAgain(t *testing.T) {
	s := newStub(t, preambleOK)
	one := s.client(t)
	slept := one.WithClock(time.Unix(1e9, 0))
	s.Close()
	if _, err := one.Preamble(t.Context()); err == nil || len(*slept) != client.DefaultAttempts-1 {
		t.Errorf("%d pauses, %v", len(*slept), err)
	}
	most := 100 * time.Millisecond
	for i, pause := range *slept {
		if pause < most/2 || pause > most {
			t.Errorf("pause %d was %v, want %v to %v", i+1, pause, most/2, most)
		}
		most *= 2
	}
}

func TestACertificateThatIsNotTrustedIsNotTriedAgain(t *testing.T) {
	server := httptest.NewUnstartedServer(preambleOK)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	for name, transport := range map[string]*http.Transport{
		"unknown authority": {}, "no common version": {TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}},
	} {
		c := newClient(t, server.URL, client.Config{Token: constant(secret), LogKeys: pinned(t), HTTP: &http.Client{Transport: transport}})
		slept := c.WithClock(time.Unix(1e9, 0))
		if _, err := c.Preamble(t.Context()); err == nil || len(*slept) != 0 {
			t.Errorf("%s: %d pauses, %v", name, len(*slept), err)
		}
	}
}

// broken is a network that fails in one way.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

func TestWhichConnectionsHaveFailed(t *testing.T) {
	failed := func(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
	for name, c := range map[string]struct {
		err   error
		again bool
	}{
		"refused":           {failed("dial", syscall.ECONNREFUSED), true},
		"a dial too long":   {failed("dial", os.ErrDeadlineExceeded), true},
		"reset":             {failed("read", syscall.ECONNRESET), true},
		"reset in a write":  {failed("write", syscall.EPIPE), true},
		"closed":            {io.EOF, true},
		"cut":               {fmt.Errorf("x: %w", io.ErrUnexpectedEOF), true},
		"a read too long":   {failed("read", os.ErrDeadlineExceeded), false},
		"an alert of TLS":   {failed("remote error", errors.New("tls: bad certificate")), false},
		"a proxy":           {failed("proxyconnect", syscall.ECONNREFUSED), false},
		"nobody knows what": {errors.New("something"), false},
	} {
		one := newClient(t, "https://vault.example.com", client.Config{
			Token: constant(secret), LogKeys: pinned(t), HTTP: &http.Client{Transport: broken{c.err}},
		})
		slept := one.WithClock(time.Unix(1e9, 0))
		if _, err := one.Preamble(t.Context()); !errors.Is(err, c.err) || c.again != (len(*slept) > 0) {
			t.Errorf("%s: %d pauses, %v", name, len(*slept), err)
		}
	}
}

func TestInvariant16_OneKeyForAllAttemptsOfACall(t *testing.T) {
	// On a connection that was used before net/http itself would send it again.
	s := newStub(t, refuses(503, "unavailable", "Retry-After", "1", "Connection", "close"), hangsUp, refuses(403, "denied"))
	tokens := 0
	one := s.client(t, func(cfg *client.Config) {
		cfg.Token = func(context.Context) (string, error) { tokens++; return fmt.Sprintf("token-%d", tokens), nil }
	})
	one.WithClock(time.Unix(1e9, 0))
	if _, err := one.Tokenize(t.Context(), prompt("mail "+value)); !errors.Is(err, client.ErrDenied) {
		t.Fatal(err)
	}
	if len(s.got()) != 3 || s.got()[0].body != s.got()[2].body || len(s.got()[0].key) != 32 {
		t.Fatalf("%d attempts, key %q", len(s.got()), s.got()[0].key)
	}
	for i, got := range s.got() {
		if got.key != s.got()[0].key || got.bearer != fmt.Sprintf("Bearer token-%d", i+1) || got.path != "/v1/tokenize" {
			t.Errorf("attempt %d: %q %q %q", i+1, got.key, got.bearer, got.path)
		}
	}
	// The twin: another call of the same words is another wish.
	_, _ = one.Tokenize(t.Context(), prompt("mail "+value))
	own := prompt("x")
	own.IdempotencyKey, own.OnBehalfOf = "order-4711", "Jané"
	_, _ = one.Tokenize(t.Context(), own)
	if s.got()[3].key == s.got()[0].key || s.got()[4].key != "order-4711" || s.got()[4].header.Get("Counterfoil-End-User") != "Jané" {
		t.Errorf("%q %q", s.got()[3].key, s.got()[4].key)
	}
	_, _ = one.Preamble(t.Context())
	if last := s.got()[5]; last.key != "" || last.header.Get("User-Agent") != client.DefaultUserAgent {
		t.Errorf("%+v", last.header)
	}
}

func TestARedirectGetsNoCredential(t *testing.T) {
	elsewhere := newStub(t, preambleOK)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newStub(t, says(status, "text/plain", "", "Location", elsewhere.URL+"/v1/preamble"))
		follow := s.client(t, func(cfg *client.Config) {
			cfg.HTTP = &http.Client{Transport: http.DefaultTransport, CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
		})
		for _, c := range []*client.Client{s.client(t), follow} {
			if _, err := c.Preamble(t.Context()); !errors.Is(err, client.ErrRedirect) {
				t.Errorf("%d: %v", status, err)
			}
			if _, err := c.Tokenize(t.Context(), prompt("x")); !errors.Is(err, client.ErrRedirect) {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
	if len(elsewhere.got()) != 0 {
		t.Errorf("%d requests went elsewhere", len(elsewhere.got()))
	}
}

func TestInvariant17_AnswersAreBounded(t *testing.T) {
	body := `{"text":"some words"}`
	s := newStub(t, says(200, "application/json", body))
	for most, good := range map[int]bool{len(body): true, len(body) - 1: false} {
		c := s.client(t, func(cfg *client.Config) { cfg.MaxAnswer = int64(most) })
		if _, err := c.Preamble(t.Context()); good != (err == nil) || !good && !errors.Is(err, client.ErrAnswer) {
			t.Errorf("%d: %v", most, err)
		}
	}
	// A refusal that has no end is still one.
	endless := newStub(t, says(403, "application/problem+json", `{"code":"denied","detail":"`+strings.Repeat("x", 1<<20)))
	var p *client.Problem
	if _, err := endless.client(t).Preamble(t.Context()); !errors.As(err, &p) || p.Status != 403 || p.Code != "" {
		t.Errorf("%v", err)
	}
}

func TestEachCodeHasItsSentinel(t *testing.T) {
	all := []client.Code{
		client.ErrInvalid, client.ErrUnauthenticated, client.ErrDenied, client.ErrNotFound, client.ErrConflict,
		client.ErrHeld, client.ErrExhausted, client.ErrUnavailable, client.ErrInternal,
	}
	for _, code := range all {
		s := newStub(t, refuses(418, string(code)))
		_, err := s.client(t).Preamble(t.Context())
		for _, other := range all {
			if errors.Is(err, other) != (code == other) {
				t.Errorf("%v is %v: %v", err, other, errors.Is(err, other))
			}
		}
	}
	s := newStub(t, says(403, "text/plain", `{"code":"denied"}`))
	if _, err := s.client(t).Preamble(t.Context()); errors.Is(err, client.ErrDenied) || errors.Is(err, client.Code("")) || err.Error() != "counterfoil: refused (403)" {
		t.Errorf("the refusal of a proxy: %v", err)
	}
}

// Whoever answers, and whatever: neither the credential nor a value gets into
// the text of an error.
func TestInvariant12_NoErrorRepeatsACredentialOrAValue(t *testing.T) {
	echo := value + " " + secret
	quoted, _ := json.Marshal(echo)
	problem := fmt.Sprintf(`{"code":%[1]s,"title":%[1]s,"detail":%[1]s,"instance":%[1]s,"limit":%[1]s,"errors":[{"field":%[1]s,"rule":%[1]s}]}`, quoted)
	for name, answer := range map[string]http.HandlerFunc{
		"a problem":        says(422, "application/problem+json", problem, "Request-Id", echo),
		"a page":           says(502, "text/html", echo),
		"a redirect":       says(302, "text/html", echo, "Location", "https://example.org/"+secret),
		"text":             says(200, "text/plain", echo),
		"not JSON":         says(200, "application/json", echo),
		"the wrong type":   says(200, "application/json", `{"text":"x","audit":`+string(quoted)+`}`),
		"the wrong number": says(200, "application/json", `{"text":"x","audit":{"index":`+string(quoted)+`}}`),
		"a bad receipt":    says(200, "application/json", `{"text":"x","audit":{"log":`+string(quoted)+`,"checkpoint":`+string(quoted)+`}}`),
		"a bad status":     says(299, "application/json", echo),
		"nothing":          hangsUp,
	} {
		one := newStub(t, answer).client(t, func(cfg *client.Config) { cfg.Attempts = 1 })
		out, err := one.Tokenize(t.Context(), prompt(value))
		if err == nil || out != nil {
			t.Errorf("%s: %+v %v", name, out, err)
			continue
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v", err, err)} {
			if strings.Contains(text, "kanarie") || strings.Contains(text, "eyJ") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	// The twin: the words of the service are there for who asks for them.
	_, err := newStub(t, says(422, "application/problem+json", problem)).client(t).Tokenize(t.Context(), prompt(value))
	var p *client.Problem
	if !errors.As(err, &p) || p.Detail != echo || p.Violations[0].Rule != echo {
		t.Errorf("%+v", p)
	}
}

func TestATokenThatIsNoneIsNotSent(t *testing.T) {
	s := newStub(t, preambleOK)
	broken := errors.New("the issuer does not answer")
	for name, source := range map[string]client.TokenSource{
		"none": constant(""), "two lines": constant("a\r\nHost: x"), "two words": constant(secret + " x"), "too long": constant(strings.Repeat("x", 9000)),
		"an error": func(context.Context) (string, error) { return "", fmt.Errorf("%w: %w", broken, io.EOF) },
	} {
		one := s.client(t, func(cfg *client.Config) { cfg.Token = source })
		slept := one.WithClock(time.Unix(1e9, 0))
		_, err := one.Preamble(t.Context())
		if !errors.Is(err, client.ErrToken) || len(*slept) > 0 || strings.Contains(err.Error(), "eyJ") || errors.Is(err, broken) != (name == "an error") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.got()) != 0 {
		t.Errorf("%d requests", len(s.got()))
	}
}
