package authn

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What every development issuer is called. Nobody can own the name: it is not
// resolvable, and a service that lists no such issuer refuses its tokens.
const (
	DevIssuerName = "https://dev.counterfoil.local"
	DevAudience   = "counterfoil"
)

// ErrClaims is a request for a token that [Verifier.Verify] would refuse, or
// that would set a claim which Sign sets itself.
var ErrClaims = errors.New("authn: these claims cannot be signed")

// DevIssuer signs tokens for development with the key file of a data folder.
// Whoever reads that file can be anybody: it is for one developer's machine.
type DevIssuer struct {
	key  *ecdsa.PrivateKey
	kid  string
	opts []Option
}

// Claims is what a development token says.
type Claims struct {
	Subject string
	// Client defaults to the actor: act where Extra has one, else Subject.
	Client string
	Tenant string
	Roles  []string
	// TTL is at least a second and at most the maximum lifetime.
	TTL time.Duration
	// Extra are further claims; person is the one that names a person. A string amr is a comma separated list, and a
	// string act is the sub of the actor, so that both can be typed at a
	// prompt as name=value.
	Extra map[string]any
}

// DevTenants are the tenants of a new development set-up.
func DevTenants() []string { return []string{"acme", "globex"} }

// CreateDevIssuer makes a key in dir, which is created if need be. It fails
// with [io/fs.ErrExist] if there is one already: a key is never replaced.
func CreateDevIssuer(dir string, opts ...Option) (*DevIssuer, error) {
	key, err := createDevKey(dir)
	if err != nil {
		return nil, err
	}
	return newDevIssuer(key, opts)
}

// OpenDevIssuer reads the key in dir. It fails with [io/fs.ErrNotExist] if
// there is none, and with [ErrDevKey] if others than its owner may read it.
func OpenDevIssuer(dir string, opts ...Option) (*DevIssuer, error) {
	key, err := readDevKey(dir)
	if err != nil {
		return nil, err
	}
	return newDevIssuer(key, opts)
}

func newDevIssuer(key *ecdsa.PrivateKey, opts []Option) (*DevIssuer, error) {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: no point of its curve", ErrDevKey)
	}
	return &DevIssuer{key: key, kid: thumbprint(point), opts: opts}, nil
}

// thumbprint is the RFC 7638 thumbprint of an uncompressed P-256 point: the
// same key has the same kid after each start.
func thumbprint(point []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	x, y := encode(point[1:33]), encode(point[33:65])
	digest := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	return encode(digest[:])
}

// Issuer is the configuration by which a [Verifier] accepts the tokens, for
// [DevTenants]; a set-up with other tenants replaces that field.
func (d *DevIssuer) Issuer() Issuer {
	return Issuer{
		Issuer: DevIssuerName, Audience: DevAudience, Algorithms: []string{"ES256"},
		Keys:        []Key{{ID: d.kid, Public: &d.key.PublicKey}},
		TenantClaim: "tenant", RolesClaim: "roles", PersonClaim: "person", Tenants: DevTenants(),
	}
}

// Sign returns a token that says c. It fails with [ErrClaims] rather than give
// out a token that would be refused.
func (d *DevIssuer) Sign(c Claims) (string, error) {
	if c.TTL < time.Second {
		return "", fmt.Errorf("%w: the ttl is under a second", ErrClaims)
	}
	now := newSettings(d.opts).now()
	client, extra := c.Client, devExtra(c.Extra)
	if client == "" {
		client = defaultClient(c.Subject, extra)
	}
	claims := jwt.MapClaims{
		"iss": DevIssuerName, "aud": DevAudience, "sub": c.Subject, "client_id": client,
		"tenant": c.Tenant, "roles": append([]string{}, c.Roles...), "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(c.TTL).Unix(),
	}
	for name := range extra {
		// nbf and cnf are no exceptions: a token that nobody can use yet, or
		// without a proof, helps nobody at a prompt.
		if _, set := claims[name]; set || slices.Contains([]string{"nbf", "cnf"}, name) {
			return "", fmt.Errorf("%w: a further claim has the name of one that is set already", ErrClaims)
		}
	}
	maps.Copy(claims, extra)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = d.kid
	signed, err := token.SignedString(d.key)
	if err != nil {
		return "", fmt.Errorf("authn: signing a development token: %w", err)
	}
	if err := d.selfCheck(signed, c.Tenant); err != nil {
		return "", err
	}
	return signed, nil
}

// selfCheck verifies what was signed, so that no rule is written twice. The
// tenant is taken for one that exists; its spelling is still checked.
func (d *DevIssuer) selfCheck(signed, tenant string) error {
	config := d.Issuer()
	config.Tenants = []string{tenant}
	v, err := New([]Issuer{config}, append(slices.Clone(d.opts), WithCacheSize(0))...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrClaims, err)
	}
	if _, err := v.Verify(context.Background(), signed); err != nil {
		return fmt.Errorf("%w: %w", ErrClaims, err)
	}
	return nil
}

// devExtra gives the claims that are typed as name=value their JSON form.
func devExtra(typed map[string]any) map[string]any {
	extra := maps.Clone(typed)
	if list, ok := extra["amr"].(string); ok {
		extra["amr"] = strings.Split(list, ",")
	}
	if actor, ok := extra["act"].(string); ok {
		extra["act"] = map[string]any{"sub": actor}
	}
	return extra
}

func defaultClient(subject string, extra map[string]any) string {
	if azp, ok := extra["azp"].(string); ok {
		return azp
	}
	if act, ok := extra["act"].(map[string]any); ok {
		if actor, ok := act["sub"].(string); ok {
			return actor
		}
	}
	return subject
}
