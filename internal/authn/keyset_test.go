package authn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/authn"
)

var publishedAlgorithms = []string{"ES256", "RS256", "EdDSA"}

// unusable are keys that must not count, each with the beginning of the rule
// that it breaks. jwkset reads those that are marked: the rule is ours.
func unusable(w *world) map[string]struct {
	key    jwk
	rule   string
	jwkset bool
} {
	ec := jwkOfKey("k", &w.aEC.PublicKey)
	small := &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 1023), 0, 1), E: 65537}
	weak := &rsa.PublicKey{N: w.aRSA.N, E: 3}
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	secret := base64.RawURLEncoding.EncodeToString([]byte("secret-canary-of-32-bytes-length"))
	return map[string]struct {
		key    jwk
		rule   string
		jwkset bool
	}{
		"symmetric":                 {jwk{"kty": "oct", "kid": "k", "k": secret}, "it is symmetric", true},
		"symmetric, HS256":          {jwk{"kty": "oct", "kid": "k", "k": secret, "alg": "HS256", "use": "sig"}, "it is symmetric", true},
		"symmetric without k":       {jwk{"kty": "oct", "kid": "k"}, "its kty", false},
		"private":                   {ec.with("d", base64.RawURLEncoding.EncodeToString(must(w.aEC.Bytes()))), "it is symmetric or shows", true},
		"RSA 1024":                  {jwkOfKey("k", small), "the RSA key is shorter", true},
		"RSA with exponent 3":       {jwkOfKey("k", weak), "the RSA key has", true},
		"RSA with a huge exponent":  {jwkOfKey("k", &w.aRSA.PublicKey).with("e", "AQAAAAAAAQAB"), "its kty", false},
		"P-521":                     {jwkOfKey("k", &p521.PublicKey), "the ECDSA key is not on P-256", true},
		"P-384, not configured":     {jwkOfKey("k", &w.b384.PublicKey), "it fits none", true},
		"off the curve":             {ec.with("x", ec["y"]), "its kty", false},
		"a curve that is not known": {ec.with("crv", "secp256k1"), "its kty", false},
		"X25519":                    {jwkOfKey("k", w.bEd.Public()).with("crv", "X25519"), "not a public key", true},
		"Ed25519 cut short":         {jwkOfKey("k", w.bEd.Public()).with("x", "AAAA"), "its kty", false},
		"for encryption":            {ec.with("use", "enc"), "its use", true},
		"to sign only":              {ec.with("key_ops", []string{"sign"}), "its key_ops", true},
		"ES384 on P-256":            {ec.with("alg", "ES384"), "its alg", true},
		"RS256 on P-256":            {ec.with("alg", "RS256"), "it fits none", true},
		"alg HS256":                 {ec.with("alg", "HS256"), "its alg", true},
		"alg none":                  {ec.with("alg", "none"), "its alg", true},
		"no kid":                    {ec.with("kid", absent), "its kid", true},
		"kid with NUL":              {ec.with("kid", "k\x00"), "its kid", true},
		"kid a number":              {ec.with("kid", 7), "a member", false},
		"kty lower case":            {ec.with("kty", "ec"), "its kty", false},
		"no kty":                    {ec.with("kty", absent), "its kty", false},
		"null":                      {nil, "its kid", false},
	}
}

// A key that must not count is left out, by its rule; those beside it count.
func TestKeysThatAreLeftOut(t *testing.T) {
	w := theWorld()
	beside := jwkOfKey("beside", &w.bEC.PublicKey)
	for name, tt := range unusable(w) {
		keys, left, err := authn.ParseKeySet([]byte(jwkSet(tt.key, beside)), publishedAlgorithms)
		if err != nil || len(keys) != 1 || keys["beside"] == nil {
			t.Errorf("%s: %d keys, error %v", name, len(keys), err)
		}
		if len(left) != 1 || !strings.HasPrefix(left[0], "keys[0]: "+tt.rule) || strings.Contains(left[0], "canary") {
			t.Errorf("%s: left out %q, want the rule %q", name, left, tt.rule)
		}
	}
}

// What jwkset reads shows which rules are this package's own: without them
// these keys would have counted.
func TestKeysThatAreLeftOutTwin(t *testing.T) {
	for name, tt := range unusable(theWorld()) {
		_, err := jwkset.NewJWKFromRawJSON(must(json.Marshal(tt.key)), jwkset.JWKMarshalOptions{Private: true}, jwkset.JWKValidateOptions{})
		if (err == nil) != tt.jwkset {
			t.Errorf("%s: jwkset says %v", name, err)
		}
	}
}

func TestKeysThatCount(t *testing.T) {
	w := theWorld()
	ec := jwkOfKey("ec", &w.aEC.PublicKey)
	document := jwkSet(
		ec, jwkOfKey("rsa", &w.aRSA.PublicKey).with("alg", "RS256", "use", "sig", "x5t", "AAAA"),
		jwkOfKey("ed", w.bEd.Public()).with("key_ops", []string{"verify"}, "x5u", "https://nobody.example/asked"),
		jwkOfKey("unknown members", &w.bEC.PublicKey).with("kid", "more", "exp", 1, "iss", "x"),
		jwkOfKey("twice", &w.bEC.PublicKey), jwkOfKey("twice", &w.bOther.PublicKey), jwkOfKey("twice", &w.aRSA.PublicKey),
	)
	keys, left, err := authn.ParseKeySet([]byte(document), publishedAlgorithms)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for kid := range keys {
		got[kid] = true
	}
	if diff := cmp.Diff(map[string]bool{"ec": true, "rsa": true, "ed": true, "more": true}, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	// Of several keys under one kid none counts.
	if diff := cmp.Diff([]string{"keys[5]: its kid is given twice", "keys[6]: its kid is given twice"}, left); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

// Whatever an issuer publishes: no panic, and no key that breaks a rule.
func FuzzParseKeySet(f *testing.F) {
	w := theWorld()
	seeds := []string{jwkSet(jwkOfKey("k", &w.aEC.PublicKey), jwkOfKey("r", &w.aRSA.PublicKey), jwkOfKey("e", w.bEd.Public()))}
	for _, tt := range unusable(w) {
		seeds = append(seeds, jwkSet(tt.key))
	}
	if len(seeds) < 20 {
		f.Fatal("no corpus")
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, left, err := authn.ParseKeySet(document, publishedAlgorithms)
		if err != nil && len(keys)+len(left) > 0 {
			t.Error("an error and keys")
		}
		for kid, key := range keys {
			if err := authn.CheckPublicKey(key); err != nil || kid == "" {
				t.Errorf("an unsound key counts: %v", err)
			}
		}
	})
}
