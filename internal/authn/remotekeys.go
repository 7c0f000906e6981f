package authn

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// ErrKeysUnavailable says that it cannot be told whether a credential is good,
// because its issuer's keys are not to be had. It comes with the code
// unavailable: the bearer should try again, not get a new credential.
var ErrKeysUnavailable = errors.New("authn: the keys of the issuer are not available")

// remoteKeys are the keys that an issuer publishes. One goroutine fetches
// them, so that sets are adopted in the order in which they were asked for.
type remoteKeys struct {
	issuer     string
	address    string
	client     *http.Client
	algorithms []string
	now        func() time.Time
	logger     *slog.Logger

	current atomic.Pointer[keySet]
	limiter *rate.Limiter
	waiters chan struct{} // holds one for each request that waits
	asked   chan struct{} // wakes run; holds at most one
	stop    context.CancelFunc
	ended   chan struct{} // closed when run has returned

	mu      sync.Mutex
	fetch   *fetch // asked for or under way, or nil
	closed  bool
	failing time.Time // since when no fetch has succeeded; zero where the last one has
}

// keySet is what the issuer said at one time. It is never changed, only
// replaced as a whole.
type keySet struct {
	keys  map[string]*publicKey
	asked time.Time
}

// fetch is one look at what the issuer publishes, shared by all who wait.
type fetch struct {
	done chan struct{} // closed at the end
	err  error         // once done is closed
}

func newRemoteKeys(c Issuer, s settings) *remoteKeys {
	client := newJWKSClient(*c.JWKS)
	if s.transport != nil {
		client.Transport = s.transport
	}
	return &remoteKeys{
		issuer: c.Issuer, address: c.JWKS.URL, client: client, algorithms: slices.Clone(c.Algorithms),
		now: s.now, logger: s.logger,
		limiter: rate.NewLimiter(rate.Every(UnknownKeyEvery), UnknownKeyBurst),
		waiters: make(chan struct{}, MaxKeyWaiters), asked: make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
}

// find returns a key that is known without waiting. For a kid that is not, it
// looks again at what the issuer publishes.
func (r *remoteKeys) find(ctx context.Context, kid string) (*publicKey, error) {
	if key := r.lookup(kid); key != nil {
		return key, nil
	}
	// A fetch that is under way may have begun before the issuer published the
	// key, so that one more may be needed.
	for _, next := range []func() *fetch{r.underWay, func() *fetch { return r.ask(kid) }} {
		f := next()
		if f == nil {
			continue
		}
		if err := r.wait(ctx, f); err != nil {
			return nil, err
		}
		if key := r.lookup(kid); key != nil {
			return key, nil
		}
		if f.err != nil {
			break // one more would fail too, and this one took its time
		}
	}
	// ask may have been refused because somebody else's fetch ended just now.
	if key := r.lookup(kid); key != nil {
		return key, nil
	}
	if !r.trusted() {
		return nil, unavailable()
	}
	return nil, refuse(ReasonKey, "kid names no key of the issuer")
}

func (r *remoteKeys) holds(kid string, key *publicKey) bool { return r.lookup(kid) == key }

// lookup finds a key in a set that still counts: beyond KeepKeysFor nobody
// knows what the issuer has withdrawn.
func (r *remoteKeys) lookup(kid string) *publicKey {
	set := r.current.Load()
	if set == nil || r.now().Sub(set.asked) >= KeepKeysFor {
		return nil
	}
	return set.keys[kid]
}

// trusted tells whether a kid that is not in the set is nobody's: the set is
// what the issuer said when it was last asked.
func (r *remoteKeys) trusted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.current.Load()
	return set != nil && r.failing.IsZero() && r.now().Sub(set.asked) < KeepKeysFor
}

// wait waits beside a bounded number of others, so that a slow issuer cannot
// stop those whose keys are known.
func (r *remoteKeys) wait(ctx context.Context, f *fetch) error {
	select {
	case r.waiters <- struct{}{}:
	default:
		return unavailable()
	}
	defer func() { <-r.waiters }()
	return f.wait(ctx)
}

func unavailable() error {
	return (&vault.Error{Code: vault.CodeUnavailable, Detail: "issuer keys", RetryAfter: vault.RetryAfter}).
		Because(ErrKeysUnavailable)
}
