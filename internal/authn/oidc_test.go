package authn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/authn/oidctest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// The resources of the provider: a token of each is signed in another way, or
// is for somebody else.
const (
	ours       = "urn:counterfoil"
	oursByRSA  = "urn:counterfoil:rsa"
	oursOpaque = "urn:counterfoil:opaque"
	billing    = "urn:billing"
)

// trusting verifies the tokens of a real provider.
func trusting(t *testing.T, p *oidctest.Provider, opts ...authn.Option) *authn.Verifier {
	t.Helper()
	v, err := authn.New([]authn.Issuer{{
		Issuer: p.Issuer, Audience: "counterfoil", Algorithms: []string{"ES256", "RS256"}, JWKS: &authn.JWKS{URL: p.JWKS},
		TenantClaim: "tenant", RolesClaim: "roles", PersonClaim: "employee", Tenants: []string{"acme"},
	}}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// certificate is one that a client shows.
func certificate() *x509.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))))
}

func thumbprintOf(c *x509.Certificate) string {
	digest := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// One provider for all of these: it takes a second to start.
func TestRealProvider(t *testing.T) {
	p := oidctest.Start(t)
	t.Run("who calls", func(t *testing.T) { realCallers(t, p) })
	t.Run("bound to a certificate", func(t *testing.T) { realBinding(t, p) })
	t.Run("what is for others", func(t *testing.T) { realStrangers(t, p) })
	t.Run("rotation", func(t *testing.T) { realRotation(t, p) })
	t.Run("unknown kids", func(t *testing.T) { realUnknownKids(t, p) })
	t.Run("provider down", func(t *testing.T) { realOutage(t, p) })
}

func realCallers(t *testing.T, p *oidctest.Provider) {
	v := trusting(t, p)
	gateway := vault.Caller{Tenant: "acme", Subject: "gw-1", Client: "gw-1", Roles: []string{"gateway"}}
	for _, tt := range []struct {
		client, resource string
		want             vault.Caller
	}{
		{"gw-1", ours, gateway},
		{"gw-1", oursByRSA, gateway},
		{"staff-1", ours, vault.Caller{
			Tenant: "acme", Subject: "staff-1", Client: "staff-1", Roles: []string{"restorer"}, MFA: true,
			ACR: "urn:example:silver", Person: "alice@example.com", Attributes: map[string]string{"on_call": "true"},
		}},
		{"agent-1", ours, vault.Caller{
			Tenant: "acme", Subject: "agent-7", EndUser: "agent-1", EndUserAssurance: vault.AssuranceToken,
			Client: "agent-1", Roles: []string{"gateway"}, Person: "bob",
		}},
	} {
		token := p.Token(t, tt.client, tt.resource, nil)
		got, err := v.Verify(t.Context(), token)
		if err != nil {
			t.Errorf("%s of %s: %v", tt.resource, tt.client, err)
			continue
		}
		if diff := differ(tt.want, got, cmpopts.IgnoreFields(vault.Caller{}, "JTIDigest")); diff != "" || got.JTIDigest == "" {
			t.Errorf("%s of %s: jti %q (-want +got):\n%s", tt.resource, tt.client, got.JTIDigest, diff)
		}
	}
}

// The provider puts the certificate of the connection into cnf (RFC 8705).
func realBinding(t *testing.T, p *oidctest.Provider) {
	v, mine := trusting(t, p), certificate()
	token := p.Token(t, "bound-1", ours, mine)
	for range 2 {
		for shown, ok := range map[string]bool{thumbprintOf(mine): true, thumbprintOf(certificate()): false, "": false} {
			_, err := v.VerifyOver(t.Context(), token, shown)
			if (err == nil) != ok || (!ok && authn.ReasonOf(err) != authn.ReasonBinding) {
				t.Errorf("over %q: %v", shown, err)
			}
		}
	}
}

// Tokens that the provider gave, and that are not for this service, or not
// for this tenant, or that somebody has had a hand in.
func realStrangers(t *testing.T, p *oidctest.Provider) {
	v := trusting(t, p)
	good := p.Token(t, "gw-1", ours, nil)
	accepts(t, v, good, "a token of the provider")
	parts, others := strings.Split(good, "."), strings.Split(p.Token(t, "staff-1", ours, nil), ".")
	for name, tt := range map[string]struct {
		token  string
		reason authn.Reason
	}{
		"for another service":          {p.Token(t, "gw-1", billing, nil), authn.ReasonAudience},
		"no JWT":                       {p.Token(t, "gw-1", oursOpaque, nil), authn.ReasonMalformed},
		"of another tenant":            {p.Token(t, "stranger-1", ours, nil), authn.ReasonTenant},
		"with the claims of another":   {parts[0] + "." + others[1] + "." + parts[2], authn.ReasonSignature},
		"with the signature of one":    {parts[0] + "." + parts[1] + "." + others[2], authn.ReasonSignature},
		"without a signature":          {parts[0] + "." + parts[1] + ".", authn.ReasonSignature},
		"under a header of our making": {segment(map[string]any{"alg": "none"}) + "." + parts[1] + ".", authn.ReasonAlgorithm},
	} {
		refuses(t, v, tt.token, tt.reason, name)
	}
}

// A key signs as soon as it is published, and no longer than it is.
func realRotation(t *testing.T, p *oidctest.Provider) {
	v := trusting(t, p)
	before := p.Token(t, "gw-1", ours, nil)
	accepts(t, v, before, "before the rotation")
	p.Introduce(t)
	after := p.Token(t, "gw-1", ours, nil)
	accepts(t, v, after, "by the new key, at once")
	accepts(t, v, before, "by the old key, which is still published")
	p.Withdraw(t)
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	refuses(t, v, before, authn.ReasonKey, "by the old key, which is withdrawn")
	accepts(t, v, after, "by the new key")
	accepts(t, v, p.Token(t, "gw-1", oursByRSA, nil), "by the key that was left alone")
}

// Strangers who make kids up cannot make this service ask for more.
func realUnknownKids(t *testing.T, p *oidctest.Provider) {
	v := trusting(t, p)
	token := p.Token(t, "gw-1", ours, nil)
	accepts(t, v, token, "a known kid")
	rest, before := token[strings.IndexByte(token, '.'):], p.Fetches(t)
	for n := range 200 {
		header := segment(map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": fmt.Sprint("made-up-", n)})
		refuses(t, v, header+rest, authn.ReasonKey, "a kid that is made up")
	}
	if asked := p.Fetches(t) - before; asked == 0 || asked > authn.UnknownKeyBurst+1 {
		t.Errorf("%d kids cost %d fetches", 200, asked)
	}
	accepts(t, v, p.Token(t, "gw-1", ours, nil), "a known kid, after all that")
}

// Without its provider a service accepts what it can tell and says of the rest
// that it cannot.
func realOutage(t *testing.T, p *oidctest.Provider) {
	v := trusting(t, p)
	known, bySomebody := p.Token(t, "gw-1", ours, nil), p.Token(t, "staff-1", ours, nil)
	accepts(t, v, known, "while it is up")
	p.Introduce(t)
	unknown := p.Token(t, "gw-1", ours, nil)
	p.Down(t)
	fresh := trusting(t, p)
	if err := v.Refresh(t.Context()); err == nil {
		t.Fatal("the provider is not down")
	}
	accepts(t, v, known, "verified before")
	accepts(t, v, bySomebody, "by a known key")
	cannotTell(t, v, unknown, "by a key that nobody has seen")
	cannotTell(t, fresh, known, "by a service that has just started")
	p.Up(t)
	for _, one := range []*authn.Verifier{v, fresh} {
		if err := one.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		accepts(t, one, unknown, "after the outage")
	}
}
