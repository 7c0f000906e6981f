package authn_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// network answers what a test sets, without a network, so that the clock of a
// bubble decides when something happens.
type network struct {
	mu      sync.Mutex
	answer  string            // "" never answers
	others  map[string]string // the answers of further addresses
	hold    chan struct{}     // when set, an answer is on its way until it is closed
	fetched int
}

func (n *network) set(answer string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = answer
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.fetched++
	answer, hold := n.answer, n.hold
	if other, ok := n.others[r.URL.String()]; ok {
		answer, hold = other, nil
	}
	n.mu.Unlock()
	if hold != nil {
		<-hold
	}
	switch answer {
	case "":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "down":
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

func (n *network) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fetched
}

// bubble runs a test with an issuer in a bubble whose clock stands still while
// somebody works.
func bubble(t *testing.T, answer string, test func(*testing.T, *authn.Verifier, *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &network{answer: answer}
		v, err := authn.New([]authn.Issuer{{
			Issuer: issuerP, Audience: "counterfoil", Algorithms: []string{"ES256"},
			JWKS:        &authn.JWKS{URL: "https://p.example/jwks"},
			TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme"},
		}}, authn.WithTransport(n))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		synctest.Wait()
		test(t, v, n)
	})
}

func TestKeysAreFetchedAtIntervals(t *testing.T) {
	old, next := newSigner("old"), newSigner("next")
	bubble(t, jwkSet(old.public()), func(t *testing.T, v *authn.Verifier, n *network) {
		token := old.token(issuerP)
		accepts(t, v, token, "at the start")
		n.set(jwkSet(next.public()))
		time.Sleep(authn.RefreshEvery - time.Second)
		accepts(t, v, token, "withdrawn, and nobody has looked yet")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		refuses(t, v, token, authn.ReasonKey, "withdrawn, after the interval")
		before := n.count()
		accepts(t, v, next.token(issuerP), "the new key")
		if n.count() != before {
			t.Error("a key that is known was fetched again")
		}
	})
}

// A fetch that is under way says what the issuer published when it was asked.
// Who joins it with a key that was published since is not refused for that.
func TestKeyThatIsPublishedDuringAFetch(t *testing.T) {
	old, next := newSigner("old"), newSigner("next")
	bubble(t, jwkSet(old.public()), func(t *testing.T, v *authn.Verifier, n *network) {
		n.mu.Lock()
		n.hold = make(chan struct{})
		n.mu.Unlock()
		time.Sleep(authn.RefreshEvery)
		synctest.Wait() // the fetch of the interval has its answer and is held
		n.mu.Lock()
		held := n.hold
		n.answer, n.hold = jwkSet(old.public(), next.public()), nil
		n.mu.Unlock()
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() { accepts(t, v, next.token(issuerP), "published during the fetch") })
		}
		synctest.Wait() // all have joined it
		before := n.count()
		close(held)
		group.Wait()
		if fetched := n.count() - before; fetched != 1 {
			t.Errorf("%d further fetches, want one for all", fetched)
		}
	})
}

// A failure is tried again sooner, and an issuer that does not answer is not
// waited for.
func TestFailedFetchIsTriedAgain(t *testing.T) {
	key := newSigner("k1")
	bubble(t, "down", func(t *testing.T, v *authn.Verifier, n *network) {
		cannotTell(t, v, key.token(issuerP), "down")
		n.set(jwkSet(key.public()))
		time.Sleep(authn.RetryEvery)
		synctest.Wait()
		before := n.count()
		accepts(t, v, key.token(issuerP), "up again")
		if n.count() != before {
			t.Error("the keys were fetched by the request, not before it")
		}
		n.set("")
		asked := time.Now()
		cannotTell(t, v, newSigner("k2").token(issuerP), "a new key of an issuer that does not answer")
		if waited := time.Since(asked); waited != authn.JWKSTimeout {
			t.Errorf("the request waited for %v", waited)
		}
	})
}

// Strangers who make kids up cannot make the service ask its issuer more often
// than the limits say.
func TestMadeUpKidsAreBounded(t *testing.T) {
	key := newSigner("k1")
	bubble(t, jwkSet(key.public()), func(t *testing.T, v *authn.Verifier, n *network) {
		began, before := time.Now(), n.count()
		for range 1000 {
			refuses(t, v, newSignerLike(key, "made up").token(issuerP), authn.ReasonKey, "a kid that is made up")
		}
		if fetched := n.count() - before; fetched != authn.UnknownKeyBurst {
			t.Errorf("%d fetches at once, want %d", fetched, authn.UnknownKeyBurst)
		}
		for range 60 {
			time.Sleep(time.Second)
			refuses(t, v, newSignerLike(key, "made up").token(issuerP), authn.ReasonKey, "a kid that is made up")
		}
		most := authn.UnknownKeyBurst + int(time.Since(began)/authn.UnknownKeyEvery) + 1 // the one of the interval
		if fetched := n.count() - before; fetched > most {
			t.Errorf("%d fetches in a minute, want at most %d", fetched, most)
		}
	})
}

// newSignerLike signs with a key under another kid, since keys are dear to make.
func newSignerLike(s signer, kid string) signer { return signer{kid, s.key} }

// A slow issuer holds a bounded number of requests; the others are told to
// come again at once.
func TestRequestsThatWaitAreBounded(t *testing.T) {
	key := newSigner("k1")
	bubble(t, jwkSet(key.public()), func(t *testing.T, v *authn.Verifier, n *network) {
		n.set("")
		token := newSignerLike(key, "k2").token(issuerP)
		var mu sync.Mutex
		at := map[time.Duration]int{}
		began := time.Now()
		var group sync.WaitGroup
		for range authn.MaxKeyWaiters + 50 {
			group.Go(func() {
				cannotTell(t, v, token, "a new key of an issuer that does not answer")
				mu.Lock()
				at[time.Since(began)]++
				mu.Unlock()
			})
		}
		group.Wait()
		if at[0] != 50 || at[authn.JWKSTimeout] != authn.MaxKeyWaiters {
			t.Errorf("answered after: %v", at)
		}
		accepts(t, v, key.token(issuerP), "a key that is known")
	})
}

// Closing while a fetch is under way ends it.
func TestCloseEndsAFetch(t *testing.T) {
	bubble(t, "", func(t *testing.T, v *authn.Verifier, n *network) {
		if n.count() != 1 {
			t.Fatalf("%d fetches under way", n.count())
		}
		began := time.Now()
		v.Close()
		v.Close() // may be called again
		if time.Since(began) != 0 {
			t.Error("closing waited for the answer")
		}
		if err := v.Refresh(t.Context()); err == nil {
			t.Error("a refresh after the end: no error")
		}
	})
}
