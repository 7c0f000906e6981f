package authn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// Without its guard each attack passes: the table holds attacks and not merely
// strings that something else would have refused anyway.
func TestInvariant6_ForgedCredentialsTwinWithoutTheGuard(t *testing.T) {
	w := theWorld()
	v, passed := w.verifier(t), map[string]int{}
	for _, f := range forgeries(w) {
		if len(f.guards) == 0 {
			continue
		}
		twin := v.Without(f.guards...)
		if f.reason == authn.ReasonIssuer {
			t.Errorf("%s: iss chooses the keys and cannot be left out", f.name)
		}
		if _, err := twin.Verify(t.Context(), f.token); err != nil {
			t.Errorf("%s: without %v it should pass, got %v", f.name, f.guards, err)
			continue
		}
		passed[strings.Join(f.guards, "+")]++
	}
	for _, guard := range []string{"header", "algorithm", "signature", "expiry", "lifetime", "not_before", "audience", "tenant"} {
		if passed[guard] == 0 {
			t.Errorf("no attack passes when %s is taken out", guard)
		}
	}
	t.Logf("attacks that pass without the guard: %v", passed)
}

// Without exp being required a token lives for ever.
func TestMissingExpiryTwin(t *testing.T) {
	w := theWorld()
	token := w.signA(headerA(), with(w.claimsA(), "exp", absent))
	if _, err := w.verifier(t).Verify(t.Context(), token); authn.ReasonOf(err) != authn.ReasonClaims {
		t.Errorf("exp missing: %v", err)
	}
	if _, err := w.verifier(t).Without("expiry", "lifetime").Verify(t.Context(), token); err != nil {
		t.Errorf("exp missing, the guard taken out: %v", err)
	}
}

// Without the kid pinned to the issuer, any issuer speaks for any other.
func TestIssuerPinningTwin(t *testing.T) {
	w := theWorld()
	shared, passed := w.verifier(t).WithSharedKeys(), 0
	for _, f := range forgeries(w) {
		if !f.shared {
			continue
		}
		if _, err := shared.Verify(t.Context(), f.token); err != nil {
			t.Errorf("%s: with shared keys it should pass, got %v", f.name, err)
			continue
		}
		passed++
	}
	if passed == 0 {
		t.Error("no attack passes when the keys are shared")
	}
}

// A verifier that does what the header says takes alg none, HS256 under a
// public key, and a key that the token brings along.
func TestAlgorithmConfusionTwin(t *testing.T) {
	w := theWorld()
	twin, passed := w.verifier(t).WithSignatureCheck(w.naive), 0
	for _, f := range forgeries(w) {
		if !f.naive {
			continue
		}
		if _, err := twin.Verify(t.Context(), f.token); err != nil {
			t.Errorf("%s: a naive verifier should accept it, got %v", f.name, err)
			continue
		}
		passed++
	}
	if passed == 0 {
		t.Error("no attack passes a naive verifier")
	}
	t.Logf("%d attacks pass a naive verifier", passed)
}

// naive is how the attacks of RFC 8725 section 2 became known.
func (w *world) naive(header map[string]any, signed string, signature []byte) bool {
	alg, _ := header["alg"].(string)
	if strings.EqualFold(alg, "none") {
		return true
	}
	method := jwt.GetSigningMethod(alg)
	if method == nil {
		return false
	}
	keys := []any{crypto.PublicKey(&w.aEC.PublicKey)}
	for _, secret := range publicSecrets(w) {
		keys = append(keys, secret)
	}
	if brought := jwkOf(header["jwk"]); brought != nil {
		keys = append(keys, brought)
	}
	return slices.ContainsFunc(keys, func(key any) bool { return method.Verify(signed, signature, key) == nil })
}

// jwkOf reads a P-256 key out of a header.
func jwkOf(member any) any {
	jwk, ok := member.(interface{ Member(string) any })
	if !ok {
		return nil
	}
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		text, _ := jwk.Member(name).(string)
		coordinate, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil
		}
		point = append(point, coordinate...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil
	}
	return key
}

// What golang-jwt's parser lets pass with all its checks on shows which guards
// are this package's own: without them these would have been accepted.
func TestOwnGuardsTwinTheLibraryAccepts(t *testing.T) {
	w := theWorld()
	passed := 0
	for _, f := range forgeries(w) {
		if f.library && !w.library(f.token) {
			t.Errorf("%s: the library refuses it too", f.name)
		}
		if f.library {
			passed++
		}
	}
	if passed == 0 {
		t.Error("the library accepts none of the table")
	}
	if !w.library(w.good()) || w.library(w.good()+"x") {
		t.Error("the second opinion is no opinion")
	}
	t.Logf("%d forgeries pass the library", passed)
}
