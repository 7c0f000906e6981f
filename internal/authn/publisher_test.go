package authn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// publisher is an issuer that publishes its keys, over TLS.
type publisher struct {
	*httptest.Server
	name    string
	fetches atomic.Int64

	mu     sync.Mutex
	answer http.HandlerFunc
}

// publish starts an issuer that publishes the documents that the test sets.
func publish(t testing.TB, name string, keys ...jwk) *publisher {
	t.Helper()
	p := &publisher{name: name}
	p.keys(keys...)
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		p.mu.Lock()
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) does(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *publisher) says(document string) {
	p.does(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(document)) })
}

func (p *publisher) keys(keys ...jwk) { p.says(jwkSet(keys...)) }

// issuer is the configuration that trusts the publisher.
func (p *publisher) issuer() authn.Issuer {
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	return authn.Issuer{
		Issuer: p.name, Audience: "counterfoil", Algorithms: []string{"ES256", "RS256", "EdDSA"},
		JWKS:        &authn.JWKS{URL: p.URL + "/jwks.json?canary=secret-canary", Roots: roots},
		TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme"},
	}
}

// verifier trusts the publishers. It has fetched their keys, and is closed with
// the test.
func verifierOf(t testing.TB, publishers []*publisher, opts ...authn.Option) *authn.Verifier {
	t.Helper()
	var issuers []authn.Issuer
	for n, p := range publishers {
		issuers = append(issuers, p.issuer())
		if n > 0 {
			issuers[n].Namespace = fmt.Sprint("publisher-", n) // all speak for one tenant
		}
	}
	v, err := authn.New(issuers, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	_ = v.Refresh(t.Context()) // a test of a publisher that is down wants to go on
	return v
}

// jwk is a key as it is published.
type jwk map[string]any

func jwkSet(keys ...jwk) string {
	return string(must(json.Marshal(map[string]any{"keys": append([]jwk{}, keys...)})))
}

// jwkOfKey is the published form of a public key.
func jwkOfKey(kid string, public crypto.PublicKey) jwk {
	encode := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		point := must(k.Bytes())
		half := (len(point) - 1) / 2
		return jwk{
			"kty": "EC", "kid": kid, "crv": k.Curve.Params().Name,
			"x": encode(point[1 : 1+half]), "y": encode(point[1+half:]),
		}
	case *rsa.PublicKey:
		return jwk{"kty": "RSA", "kid": kid, "n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes())}
	case ed25519.PublicKey:
		return jwk{"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": encode(k)}
	}
	panic("no published form")
}

func (j jwk) with(pairs ...any) jwk { return with(j, pairs...) }

// signer signs for an issuer under one kid.
type signer struct {
	kid string
	key *ecdsa.PrivateKey
}

func newSigner(kid string) signer {
	return signer{kid, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

func (s signer) public() jwk { return jwkOfKey(s.kid, &s.key.PublicKey) }

// configured is the key as it stands in a configuration.
func (s signer) configured() authn.Key { return authn.Key{ID: s.kid, Public: &s.key.PublicKey} }

func (s signer) token(issuer string, pairs ...any) string {
	now := time.Now()
	claims := map[string]any{
		"iss": issuer, "aud": "counterfoil", "sub": "svc-1", "client_id": "gw-1", "tenant": "acme",
		"iat": now.Unix(), "exp": now.Add(12 * time.Hour).Unix(),
	}
	return sign(jwt.SigningMethodES256, s.key, map[string]any{"alg": "ES256", "kid": s.kid}, with(claims, pairs...))
}
