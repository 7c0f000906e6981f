package authn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const issuerP = "https://p.example"

func publishers(p ...*publisher) []*publisher { return p }

// accepts and refuses say what a verifier must do with a token now.
func accepts(t *testing.T, v *authn.Verifier, token, why string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("%s: %v", why, err)
	}
}

func refuses(t *testing.T, v *authn.Verifier, token string, reason authn.Reason, why string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); authn.ReasonOf(err) != reason {
		t.Errorf("%s: %v, want the reason %s", why, err, reason)
	}
}

func cannotTell(t *testing.T, v *authn.Verifier, token, why string) {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	if !errors.Is(err, authn.ErrKeysUnavailable) || vault.CodeOf(err) != vault.CodeUnavailable || errors.Is(err, authn.ErrUnauthenticated) {
		t.Errorf("%s: %v, want ErrKeysUnavailable", why, err)
	}
}

// load verifies what sign gives from many goroutines until the rotation is
// done, and counts what was refused. The rotation waits, at each of its steps,
// until the load has gone on for a while.
func load(t *testing.T, v *authn.Verifier, sign func(n int) string, rotation func(goOn func())) (sent, lost int64) {
	t.Helper()
	var all, refused atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			for n := worker; ; n += 16 {
				select {
				case <-stop:
					return
				default:
				}
				all.Add(1)
				if _, err := v.Verify(t.Context(), sign(n)); err != nil {
					refused.Add(1)
				}
			}
		})
	}
	rotation(func() {
		for before := all.Load(); all.Load() < before+200; {
			runtime.Gosched()
		}
	})
	close(stop)
	group.Wait()
	return all.Load(), refused.Load()
}

// rotate moves the load from the old key to the new one, the moment it is
// published, and then withdraws the old one.
func rotate(t *testing.T, prepare func(*authn.Verifier)) (v *authn.Verifier, sent, lost int64, before string) {
	t.Helper()
	from, to := newSigner("2026-01"), newSigner("2026-02")
	p := publish(t, issuerP, from.public())
	v = verifierOf(t, publishers(p))
	prepare(v)
	var current atomic.Pointer[signer]
	current.Store(&from)
	before = from.token(issuerP)
	accepts(t, v, before, "before the rotation")
	sign := func(n int) string { return current.Load().token(issuerP, "sub", fmt.Sprint("svc-", n%40)) }
	sent, lost = load(t, v, sign, func(goOn func()) {
		goOn()
		accepts(t, v, before, "the old key, cached")
		p.keys(from.public(), to.public())
		current.Store(&to)
		goOn()
		accepts(t, v, from.token(issuerP), "the old key, in the overlap")
		p.keys(to.public())
		if err := v.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		goOn()
	})
	return v, sent, lost, before
}

func TestRotationLosesNoRequest(t *testing.T) {
	v, sent, lost, before := rotate(t, func(*authn.Verifier) {})
	if lost != 0 || sent < 600 {
		t.Errorf("%d of %d requests lost", lost, sent)
	}
	refuses(t, v, before, authn.ReasonKey, "a cached token whose key was withdrawn")
	t.Logf("%d requests", sent)
}

// Without the fetch for a kid that is not known, a key works only a while
// after it is published.
func TestRotationLosesNoRequestTwin(t *testing.T) {
	if _, sent, lost, _ := rotate(t, (*authn.Verifier).NeverAsk); lost == 0 {
		t.Errorf("none of %d requests lost without the guard", sent)
	}
}

// A new key that many requests bring at once costs one fetch, or two where one
// was under way already.
func TestManyRequestsShareAFetch(t *testing.T) {
	from, to := newSigner("k1"), newSigner("k2")
	p := publish(t, issuerP, from.public())
	v := verifierOf(t, publishers(p))
	p.keys(from.public(), to.public())
	before := p.fetches.Load()
	var group sync.WaitGroup
	for n := range 64 {
		token := to.token(issuerP, "sub", fmt.Sprint("svc-", n))
		group.Go(func() { accepts(t, v, token, "a new key") })
	}
	group.Wait()
	if fetched := p.fetches.Load() - before; fetched > 2 {
		t.Errorf("%d fetches", fetched)
	}
}

func TestWithdrawnKeyTakesItsCachedTokensWithIt(t *testing.T) {
	gone, stays := newSigner("gone"), newSigner("stays")
	p := publish(t, issuerP, gone.public(), stays.public())
	v := verifierOf(t, publishers(p))
	cached, other := gone.token(issuerP), stays.token(issuerP)
	accepts(t, v, cached, "the key is published")
	accepts(t, v, other, "the other key is published")
	p.keys(stays.public())
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepts(t, v.CacheOnly(), other, "a cached token whose key stays")
	refuses(t, v, cached, authn.ReasonKey, "a cached token whose key was withdrawn")
	if v.Cached() != 1 {
		t.Errorf("%d callers cached, want the one whose key stays", v.Cached())
	}
	p.keys(gone.public().with("alg", "ES256"), stays.public().with("alg", "RS256"))
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepts(t, v, cached, "published again")
	refuses(t, v, other, authn.ReasonKey, "a key that is for another algorithm now")
}

// A cache that did not ask for the key would let the token work to its end.
func TestWithdrawnKeyTakesItsCachedTokensWithItTwin(t *testing.T) {
	gone := newSigner("gone")
	p := publish(t, issuerP, gone.public())
	v := verifierOf(t, publishers(p))
	cached := gone.token(issuerP)
	accepts(t, v, cached, "the key is published")
	v.TrustCachedKeys()
	p.keys()
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepts(t, v, cached, "the guard taken out")
}

// A kid that names another key now vouches for nothing that the old one signed.
func TestAnotherKeyUnderTheSameKid(t *testing.T) {
	first, second := newSigner("k1"), newSigner("k1")
	p := publish(t, issuerP, first.public())
	v := verifierOf(t, publishers(p))
	cached := first.token(issuerP)
	accepts(t, v, cached, "the first key")
	p.keys(second.public())
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	refuses(t, v, cached, authn.ReasonSignature, "signed by the first key")
	accepts(t, v, second.token(issuerP), "signed by the second key")
}

// Two issuers may use one kid; a key of one does not sign for the other.
func TestOneKidAtTwoIssuers(t *testing.T) {
	a, b := newSigner("k1"), newSigner("k1")
	pa, pb := publish(t, issuerA, a.public()), publish(t, issuerB, b.public())
	v := verifierOf(t, publishers(pa, pb))
	accepts(t, v, a.token(issuerA), "A's key for A")
	accepts(t, v, b.token(issuerB), "B's key for B")
	refuses(t, v, a.token(issuerB), authn.ReasonSignature, "A's key for B")
	refuses(t, v, b.token(issuerA), authn.ReasonSignature, "B's key for A")
	only := newSigner("only-a")
	pa.keys(only.public())
	refuses(t, v, only.token(issuerB), authn.ReasonKey, "a kid that only A has, for B")
	accepts(t, v, only.token(issuerA), "a kid that only A has, for A")
}

func TestIssuerThatIsDown(t *testing.T) {
	key := newSigner("k1")
	p := publish(t, issuerP, key.public())
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	p.does(down)
	now := &clock{now: time.Now()}
	var log bytes.Buffer
	v := verifierOf(t, publishers(p), authn.WithClock(now.get), authn.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	cannotTell(t, v, key.token(issuerP), "down from the start")
	p.keys(key.public())
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	cached := key.token(issuerP)
	accepts(t, v, cached, "up")
	p.Close() // nobody listens any more
	if err := v.Refresh(t.Context()); err == nil {
		t.Fatal("a refresh of an issuer that is down: no error")
	}
	now.advance(authn.KeepKeysFor - time.Minute)
	accepts(t, v, cached, "down, the last known keys still count, cached")
	accepts(t, v, key.token(issuerP, "sub", "svc-2"), "down, the last known keys still count")
	cannotTell(t, v, newSigner("k2").token(issuerP), "down, a key that is not known")
	now.advance(time.Minute)
	cannotTell(t, v, cached, "down for too long, cached")
	cannotTell(t, v, key.token(issuerP, "sub", "svc-3"), "down for too long")
	v.Close() // the log is read below
	if text := log.String(); strings.Contains(text, "canary") || strings.Count(text, "cannot be fetched") < 2 || !strings.Contains(text, "fetched again") {
		t.Errorf("log:\n%s", text)
	}
}

// Sets that never grow old would let a withdrawn key work for as long as its
// issuer cannot be reached.
func TestIssuerThatIsDownTwin(t *testing.T) {
	key := newSigner("k1")
	p := publish(t, issuerP, key.public())
	now := &clock{now: time.Now()}
	v := verifierOf(t, publishers(p), authn.WithClock(now.get))
	p.Close()
	v.KeepForEver()
	now.advance(authn.KeepKeysFor)
	accepts(t, v, key.token(issuerP), "the guard taken out")
}

// Requests with a known key do not wait for an issuer that is slow, the others
// for as long as they want to.
func TestIssuerThatIsSlow(t *testing.T) {
	key := newSigner("k1")
	p := publish(t, issuerP, key.public())
	v := verifierOf(t, publishers(p))
	arrived := make(chan struct{}, 8)
	p.does(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := v.Verify(impatient, newSigner("k2").token(issuerP))
		left <- err
	}()
	<-arrived
	accepts(t, v, key.token(issuerP), "a known key while a fetch is under way")
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) || errors.Is(err, authn.ErrUnauthenticated) {
		t.Errorf("who left: %v", err)
	}
	go func() {
		_, err := v.Verify(t.Context(), newSigner("k3").token(issuerP))
		left <- err
	}()
	v.Close()
	if err := <-left; !errors.Is(err, authn.ErrKeysUnavailable) {
		t.Errorf("who waited when the verifier was closed: %v", err)
	}
	cannotTell(t, v, key.token(issuerP), "after the end")
}

// What is no key set leaves the keys as they are.
func TestAnswersThatAreNoKeySet(t *testing.T) {
	key, other := newSigner("k1"), newSigner("k2")
	p := publish(t, issuerP, key.public())
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(jwkSet(other.public())))
	}))
	t.Cleanup(elsewhere.Close)
	say := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	var written atomic.Int64
	good := jwkSet(other.public())
	for name, answer := range map[string]http.HandlerFunc{
		"HTML":               say("<html>Sign in</html>"),
		"an empty body":      say(""),
		"an empty object":    say("{}"),
		"null":               say(`{"keys":null}`),
		"an object of keys":  say(`{"keys":{}}`),
		"an array":           say("[" + good + "]"),
		"cut short":          say(good[:len(good)-2]),
		"more behind it":     say(good + "{}"),
		"keys twice":         say(good[:len(good)-1] + `,"keys":[]}`),
		"keys and KEYS":      say(good[:len(good)-1] + `,"KEYS":[]}`),
		"a member twice":     say(strings.Replace(good, `"kty":"EC"`, `"kty":"EC","kty":"EC"`, 1)),
		"no UTF-8":           say(strings.Replace(good, "k2", "k\xff", 1)),
		"too many keys":      say(jwkSet(make([]jwk, authn.MaxJWKSKeys+1)...)),
		"an error":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write([]byte(good)) },
		"204":                func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"206":                func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206); _, _ = w.Write([]byte(good)) },
		"a redirect to http": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"a body too large":   say(good[:len(good)-1] + strings.Repeat(" ", authn.MaxJWKSBytes) + "}"),
		"headers too large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
			_, _ = w.Write([]byte(good))
		},
		"a body without end": func(w http.ResponseWriter, _ *http.Request) {
			for block := bytes.Repeat([]byte(" "), 32<<10); ; {
				n, err := w.Write(block)
				if written.Add(int64(n)); err != nil {
					return
				}
			}
		},
	} {
		v := verifierOf(t, publishers(p))
		p.does(answer)
		if err := v.Refresh(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error %v", name, err)
		}
		accepts(t, v, key.token(issuerP), name+": the keys that were known")
		cannotTell(t, v, other.token(issuerP), name+": a key that may be one")
		p.keys(key.public())
	}
	if got := written.Load(); got > 16<<20 {
		t.Errorf("%d bytes were taken of a body without end", got)
	}
}

// An empty set is a set: the issuer has withdrawn all.
func TestEmptyKeySet(t *testing.T) {
	key := newSigner("k1")
	p := publish(t, issuerP, key.public())
	v := verifierOf(t, publishers(p))
	token := key.token(issuerP)
	accepts(t, v, token, "published")
	p.keys()
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	refuses(t, v, token, authn.ReasonKey, "all withdrawn")
}

// Whoever is not vouched for by the configured authorities is not the issuer.
func TestIssuerOfAnotherAuthority(t *testing.T) {
	key := newSigner("k1")
	p := publish(t, issuerP, key.public())
	config := p.issuer()
	config.JWKS.Roots = nil
	v, err := authn.New([]authn.Issuer{config})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.Refresh(t.Context()); err == nil {
		t.Error("no error")
	}
	cannotTell(t, v, key.token(issuerP), "not vouched for")
}

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) get() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
