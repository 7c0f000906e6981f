package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Verifier verifies bearer tokens of the configured issuers. It is safe for
// concurrent use.
type Verifier struct {
	settings settings
	issuers  map[string]*issuer
	checks   []check
	cache    *cache
	remote   []*remoteKeys // of the issuers that publish their keys
	started  time.Time
}

type settings struct {
	now         func() time.Time
	maxLifetime time.Duration
	cached      int
	logger      *slog.Logger
	transport   http.RoundTripper // nil is that of newJWKSClient
}

// Option changes a setting that has a safe default.
type Option func(*settings)

// WithClock replaces time.Now.
func WithClock(now func() time.Time) Option { return func(s *settings) { s.now = now } }

// WithMaxLifetime replaces [MaxLifetime].
func WithMaxLifetime(d time.Duration) Option { return func(s *settings) { s.maxLifetime = d } }

// WithCacheSize replaces [MaxCachedTokens]; 0 turns the cache off.
func WithCacheSize(n int) Option { return func(s *settings) { s.cached = n } }

// WithLogger tells what becomes of the keys that issuers publish. Without it
// nobody is told.
func WithLogger(l *slog.Logger) Option { return func(s *settings) { s.logger = l } }

func newSettings(opts []Option) settings {
	s := settings{
		now: time.Now, maxLifetime: MaxLifetime, cached: MaxCachedTokens,
		logger: slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		opt(&s)
	}
	return s
}

// New checks the configuration of every issuer and refuses, with [ErrConfig],
// what is incomplete, weak or ambiguous. It does not wait for the issuers that
// publish their keys: until one has answered, its credentials are neither
// accepted nor refused. Such a verifier is to be closed.
func New(issuers []Issuer, opts ...Option) (*Verifier, error) {
	s := newSettings(opts)
	if s.now == nil || s.logger == nil || s.maxLifetime <= 0 || s.cached < 0 {
		return nil, fmt.Errorf("%w: clock, logger, lifetime or cache size", ErrConfig)
	}
	if len(issuers) == 0 {
		return nil, fmt.Errorf("%w: no issuer", ErrConfig)
	}
	if faults := Check(issuers); len(faults) > 0 {
		return nil, joined(faults)
	}
	v := &Verifier{settings: s, issuers: map[string]*issuer{}, checks: checks, cache: newCache(s.cached), started: s.now()}
	for _, c := range issuers {
		checked := newIssuer(c, issuers)
		if c.JWKS != nil {
			remote := newRemoteKeys(c, s)
			remote.start()
			checked.keys, v.remote = remote, append(v.remote, remote)
		}
		v.issuers[c.Issuer] = checked
	}
	return v, nil
}

// Refresh asks every issuer that publishes its keys for them, anew. What they
// have withdrawn does not work any more when it returns without an error.
func (v *Verifier) Refresh(ctx context.Context) error {
	failed := make([]error, len(v.remote))
	var all sync.WaitGroup
	for n, remote := range v.remote {
		all.Go(func() { failed[n] = remote.refresh(ctx) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// Close stops asking for keys. Credentials of the issuers that publish them
// are not verified any more.
func (v *Verifier) Close() {
	for _, remote := range v.remote {
		remote.close()
	}
}

// check is one step of the verification. A step may rely on every step before
// it having passed.
type check struct {
	name string
	run  func(context.Context, *credential, *Verifier, time.Time) error
}

// checks are run in this order. Before the signature nothing of the payload is
// read but iss, and that only to choose whose keys to try.
var checks = []check{
	{"header", checkHeader},
	{"issuer", checkIssuer},
	{"algorithm", checkAlgorithm},
	{"key", checkKey},
	{"signature", checkSignature},
	{"claims", checkClaims},
	{"expiry", checkExpiry},
	{"lifetime", checkLifetime},
	{"not_before", checkNotBefore},
	{"audience", checkAudience},
	{"tenant", checkTenant},
	{"binding", checkBinding},
}

// Verify is [Verifier.VerifyOver] for a connection that shows no certificate.
func (v *Verifier) Verify(ctx context.Context, bearer string) (vault.Caller, error) {
	return v.VerifyOver(ctx, bearer, "")
}

// VerifyOver returns the caller that bearer, a token without the word Bearer,
// stands for. It came over a connection whose client has shown, and proved to
// have the key of, the certificate with this fingerprint (RFC 8705 x5t#S256), or
// none where it is empty. A refusal is [ErrUnauthenticated] and has a [Reason]; any other
// error is [ErrKeysUnavailable] or that of ctx, and says nothing about the token.
func (v *Verifier) VerifyOver(ctx context.Context, bearer, fingerprint string) (vault.Caller, error) {
	if err := ctx.Err(); err != nil {
		// A signature check is the dearest thing that a stranger can ask for;
		// nobody waits for this one.
		return vault.Caller{}, fmt.Errorf("authn: %w", err)
	}
	if len(bearer) > MaxTokenBytes {
		return vault.Caller{}, refuse(ReasonTooLarge, "longer than the limit")
	}
	// The digest covers header, payload and signature, so that a hit is for a
	// token that was verified byte for byte.
	digest, now := sha256.Sum256([]byte(bearer)), v.settings.now()
	if caller, ok := v.cache.get(digest, fingerprint, now); ok {
		return caller, nil
	}
	c, err := parseCompact(bearer)
	if err != nil {
		return vault.Caller{}, err
	}
	c.shown = fingerprint
	for _, step := range v.checks {
		if err := step.run(ctx, c, v, now); err != nil {
			return vault.Caller{}, err
		}
	}
	v.cache.put(digest, c)
	return cloneCaller(c.caller), nil
}
