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
	"encoding/pem"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
)

const (
	issuerA = "https://a.example"
	issuerB = "https://b.example"
)

// world is three issuers, their private keys, and a stranger's.
type world struct {
	now              time.Time
	aEC, bEC, bOther *ecdsa.PrivateKey // k1 of A, k1 of B, b-ec of B
	cEC, cK1         *ecdsa.PrivateKey // c-ec and k1 of C
	b384, stranger   *ecdsa.PrivateKey
	aRSA, bRSA       *rsa.PrivateKey
	bEd              ed25519.PrivateKey
}

// theWorld is made once: RSA keys take their time.
var theWorld = sync.OnceValue(func() *world {
	ec := func(curve elliptic.Curve) *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(curve, rand.Reader)) }
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return &world{
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		aEC: ec(elliptic.P256()), bEC: ec(elliptic.P256()), bOther: ec(elliptic.P256()),
		cEC: ec(elliptic.P256()), cK1: ec(elliptic.P256()),
		b384: ec(elliptic.P384()), stranger: ec(elliptic.P256()),
		aRSA: must(rsa.GenerateKey(rand.Reader, 2048)), bRSA: must(rsa.GenerateKey(rand.Reader, 2048)),
		bEd: must(ed, err),
	}
})

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// issuers are the configurations. Issuer A lists PS256 and not RS256, so
// that one RSA key serves the tests of the algorithm list.
func (w *world) issuers() []authn.Issuer {
	return []authn.Issuer{
		{
			Issuer: issuerA, Audience: "counterfoil", Algorithms: []string{"ES256", "PS256"},
			Keys:        []authn.Key{{ID: "k1", Public: &w.aEC.PublicKey}, {ID: "a-rsa", Public: &w.aRSA.PublicKey}},
			TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme", "initech"},
			PersonClaim: "person",
		},
		{
			Issuer: issuerB, Audience: "counterfoil", Algorithms: []string{"ES256", "ES384", "RS256", "EdDSA"},
			Keys: []authn.Key{
				{ID: "k1", Public: &w.bEC.PublicKey}, {ID: "b-ec", Public: &w.bOther.PublicKey},
				{ID: "b-384", Public: &w.b384.PublicKey}, {ID: "b-rsa", Public: &w.bRSA.PublicKey},
				{ID: "b-ed", Public: w.bEd.Public()},
			},
			TenantClaim: "org", RolesClaim: "groups", ClientClaim: "appid", Tenants: []string{"globex"},
			RoleMap: map[string]string{"Fraud Team": "restorer", "Privacy": "privacy_officer"},
		},
		{
			Issuer: issuerC, Audience: "counterfoil", Algorithms: []string{"ES256"}, Namespace: "partner",
			Keys:        []authn.Key{{ID: "k1", Public: &w.cK1.PublicKey}, {ID: "c-ec", Public: &w.cEC.PublicKey}},
			TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme"}, PersonClaim: "person",
		},
	}
}

func (w *world) verifierClock() func() time.Time { return func() time.Time { return w.now } }

func (w *world) verifier(t testing.TB, opts ...authn.Option) *authn.Verifier {
	t.Helper()
	clock := authn.WithClock(func() time.Time { return w.now })
	v, err := authn.New(w.issuers(), append([]authn.Option{clock}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// headerA and claimsA are those of a token of A that is accepted.
func headerA() map[string]any { return map[string]any{"alg": "ES256", "kid": "k1", "typ": "JWT"} }

func (w *world) claimsA() map[string]any {
	return map[string]any{
		"iss": issuerA, "aud": "counterfoil", "sub": "svc-canary-1", "client_id": "gw-canary-1",
		"tenant": "acme", "roles": []string{"gateway"},
		"iat": w.now.Unix(), "exp": w.now.Add(time.Hour).Unix(),
	}
}

func headerB(kid, alg string) map[string]any { return map[string]any{"alg": alg, "kid": kid} }

func (w *world) claimsB() map[string]any {
	return map[string]any{
		"iss": issuerB, "aud": []string{"other", "counterfoil"}, "sub": "svc-canary-2", "appid": "gw-canary-2",
		"org": "globex", "groups": []string{"Fraud Team", "Everybody"},
		"iat": w.now.Unix(), "exp": w.now.Add(time.Hour).Unix(),
	}
}

// with returns claims (or a header) with some members set, and without those
// whose value is absent.
func with(base map[string]any, pairs ...any) map[string]any {
	changed := maps.Clone(base)
	for n := 0; n < len(pairs); n += 2 {
		name := pairs[n].(string)
		if changed[name] = pairs[n+1]; pairs[n+1] == absent {
			delete(changed, name)
		}
	}
	return changed
}

type absence struct{}

var absent = absence{}

// sign signs a header and a payload; strings are taken as raw JSON, so that a
// test can sign what no encoder would write.
func sign(method jwt.SigningMethod, key any, header, payload any) string {
	return signText(method, key, segment(header)+"."+segment(payload))
}

// signText signs two segments as they are, however they are encoded.
func signText(method jwt.SigningMethod, key any, signed string) string {
	return signed + "." + base64.RawURLEncoding.EncodeToString(must(method.Sign(signed, key)))
}

func segment(v any) string {
	if raw, ok := v.(string); ok {
		return base64.RawURLEncoding.EncodeToString([]byte(raw))
	}
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v)))
}

// signA signs with the ES256 key of A.
func (w *world) signA(header, payload any) string {
	return sign(jwt.SigningMethodES256, w.aEC, header, payload)
}

// good is an accepted token of A.
func (w *world) good() string { return w.signA(headerA(), w.claimsA()) }

// publicSecrets are the forms in which a public key lies about, each of which
// an attacker may use as an HMAC secret.
func publicSecrets(w *world) map[string][]byte {
	der := must(x509.MarshalPKIXPublicKey(&w.aEC.PublicKey))
	rsaDER := must(x509.MarshalPKIXPublicKey(&w.aRSA.PublicKey))
	armour := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	point := must(w.aEC.PublicKey.Bytes())
	encode := base64.RawURLEncoding.EncodeToString
	return map[string][]byte{
		"EC PEM": armour("PUBLIC KEY", der), "EC PEM trimmed": []byte(strings.TrimSpace(string(armour("PUBLIC KEY", der)))),
		"EC DER": der, "EC point": point, "EC x": point[1:33],
		"EC JWK":  must(json.Marshal(map[string]string{"crv": "P-256", "kty": "EC", "x": encode(point[1:33]), "y": encode(point[33:])})),
		"RSA PEM": armour("PUBLIC KEY", rsaDER), "RSA DER": rsaDER,
		"RSA PKCS #1 PEM": armour("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&w.aRSA.PublicKey)),
		"RSA modulus":     w.aRSA.N.Bytes(), "RSA modulus in base64": []byte(encode(w.aRSA.N.Bytes())),
		"empty": {}, "kid": []byte("k1"), "issuer": []byte(issuerA),
	}
}

// library says whether the Parser of golang-jwt, told to check all that it can,
// accepts the token: the second opinion of these tests.
func (w *world) library(token string) bool {
	unverified := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, unverified); err != nil {
		return false
	}
	for _, issuer := range w.issuers() {
		if issuer.Issuer != unverified["iss"] {
			continue
		}
		parser := jwt.NewParser(
			jwt.WithValidMethods(issuer.Algorithms), jwt.WithStrictDecoding(), jwt.WithIssuer(issuer.Issuer),
			jwt.WithAudience(issuer.Audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
			jwt.WithLeeway(authn.Leeway), jwt.WithTimeFunc(func() time.Time { return w.now }),
		)
		_, err := parser.Parse(token, func(t *jwt.Token) (any, error) {
			keys := map[any]crypto.PublicKey{}
			for _, key := range issuer.Keys {
				keys[key.ID] = key.Public
			}
			kid, _ := t.Header["kid"].(string)
			return keys[kid], nil
		})
		return err == nil
	}
	return false
}
