package authn_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// holds checks what must be true of any answer, for any input.
func holds(t *testing.T, w *world, token string, caller vault.Caller, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, authn.ErrUnauthenticated) || !slices.Contains(authn.Reasons(), authn.ReasonOf(err)) {
			t.Fatalf("refused without a reason: %v", err)
		}
		return
	}
	if !slices.Contains([]string{"acme", "initech", "globex"}, caller.Tenant) || caller.Subject == "" || caller.Client == "" {
		t.Fatalf("accepted an incomplete caller: %+v", caller)
	}
	if (caller.EndUser != "") != (caller.EndUserAssurance == vault.AssuranceToken) {
		t.Fatalf("end user and assurance do not agree: %+v", caller)
	}
	if !w.library(token) {
		t.Fatal("accepted what golang-jwt's own parser refuses")
	}
	// One spelling: the segments are what encoding their bytes gives.
	for _, part := range strings.Split(token, ".") {
		if decoded, err := base64.RawURLEncoding.DecodeString(part); err != nil || base64.RawURLEncoding.EncodeToString(decoded) != part {
			t.Fatal("accepted a second spelling of a segment")
		}
	}
}

// FuzzVerify feeds whole tokens: nearly all fall before the signature.
func FuzzVerify(f *testing.F) {
	w := theWorld()
	seeds := []string{w.good()}
	for _, attack := range forgeries(w) {
		if len(attack.token) <= authn.MaxTokenBytes {
			seeds = append(seeds, attack.token)
		}
	}
	if len(seeds) < minForgeries {
		f.Fatalf("%d seeds", len(seeds))
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	v := w.verifier(f)
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := v.Verify(t.Context(), token)
		holds(t, w, token, caller, err)
	})
}

// FuzzClaims signs whatever header and payload come, so that the claims are
// reached.
func FuzzClaims(f *testing.F) {
	w := theWorld()
	header := string(must(json.Marshal(headerB("b-ed", "EdDSA"))))
	claims := []map[string]any{
		w.claimsB(), with(w.claimsB(), "act", nestedActors(4), "amr", []string{"pwd", "otp"}, "jti", "x"),
		with(w.claimsB(), "team", "fraud", "level", 3, "on_call", true, "deep", nestedActors(2), "nbf", 1),
	}
	seeds := 0
	for _, c := range claims {
		f.Add(header, string(must(json.Marshal(c))))
		seeds++
	}
	for _, attack := range forgeries(w) {
		parts := strings.Split(attack.token, ".")
		if payload, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)]); err == nil && len(payload) < authn.MaxTokenBytes/2 {
			f.Add(header, strings.ReplaceAll(string(payload), issuerA, issuerB))
			seeds++
		}
	}
	if seeds < minForgeries {
		f.Fatalf("%d seeds", seeds)
	}
	v := w.verifier(f)
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := sign(jwt.SigningMethodEdDSA, w.bEd, header, payload)
		caller, err := v.Verify(t.Context(), token)
		holds(t, w, token, caller, err)
	})
}
