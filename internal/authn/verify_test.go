package authn_test

import (
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

type accepted struct {
	name, token string
	want        vault.Caller
}

func callerA(change func(*vault.Caller)) vault.Caller {
	c := vault.Caller{Tenant: "acme", Subject: "svc-canary-1", Client: "gw-canary-1", Roles: []string{"gateway"}}
	change(&c)
	return c
}

func same(*vault.Caller) {}

// differ compares callers; no address is like any other that is none.
func differ(want, got vault.Caller, opts ...cmp.Option) string {
	return cmp.Diff(want, got, append(opts, cmpopts.EquateComparable(netip.Addr{}))...)
}

// acceptedTokens are the tokens that must be accepted and what they mean.
func acceptedTokens(w *world) []accepted {
	a := func(pairs ...any) string { return w.signA(headerA(), with(w.claimsA(), pairs...)) }
	digest := sha256.Sum256([]byte(issuerA + "\x00id-1"))
	return append(acceptedOfB(w), []accepted{
		{"plain", w.good(), callerA(same)},
		{"azp instead of client_id", a("client_id", absent, "azp", "gw-canary-1"), callerA(same)},
		{"azp and client_id agree", a("azp", "gw-canary-1"), callerA(same)},
		{"another tenant of the issuer", a("tenant", "initech"), callerA(func(c *vault.Caller) { c.Tenant = "initech" })},
		{"typ at+jwt", w.signA(with(headerA(), "typ", "at+JWT"), w.claimsA()), callerA(same)},
		{"no typ, a thumbprint", w.signA(with(headerA(), "typ", absent, "x5t", "AAAA"), w.claimsA()), callerA(same)},
		{"no roles", a("roles", absent), callerA(func(c *vault.Caller) { c.Roles = nil })},
		{"roles in a string", a("roles", "gateway  auditor gateway"), callerA(func(c *vault.Caller) { c.Roles = []string{"gateway", "auditor"} })},
		{"values that are no roles", a("roles", []string{"gateway", "/groups/x", "Admin", ""}), callerA(same)},
		{"audience among others", a("aud", []string{"x", "counterfoil"}), callerA(same)},
		{"times with fractions", a("iat", 1772366399.25, "exp", 1772370000.75), callerA(same)},
		{"no iat", a("iat", absent), callerA(same)},
		{"exp within the leeway", a("iat", absent, "exp", w.now.Add(-29*time.Second).Unix()), callerA(same)},
		{"nbf within the leeway", a("nbf", w.now.Add(30*time.Second).Unix()), callerA(same)},
		{"PS256", sign(jwt.SigningMethodPS256, w.aRSA, headerB("a-rsa", "PS256"), w.claimsA()), callerA(same)},
		{"jti", a("jti", "id-1"), callerA(func(c *vault.Caller) { c.JTIDigest = hex.EncodeToString(digest[:]) })},
		{"act", a("act", map[string]any{"sub": "agent-7", "iss": issuerA}), callerA(func(c *vault.Caller) {
			c.Subject, c.EndUser, c.EndUserAssurance = "agent-7", "svc-canary-1", vault.AssuranceToken
		})},
		{"act, four deep", w.signA(headerA(), with(w.claimsA(), "act", nestedActors(4))), callerA(func(c *vault.Caller) {
			c.Subject, c.EndUser, c.EndUserAssurance = "actor-1", "svc-canary-1", vault.AssuranceToken
		})},
		{"attributes", a("team", "fraud", "on_call", true, "level", 3, "none", nil, "deep", map[string]any{"a": 1}, "list", []int{1}),
			callerA(func(c *vault.Caller) {
				c.Attributes = map[string]string{"team": "fraud", "on_call": "true", "level": "3"}
			})},
	}...)
}

// acceptedOfB are tokens of the issuer with a role map and a client claim.
func acceptedOfB(w *world) []accepted {
	want := vault.Caller{Tenant: "globex", Subject: "svc-canary-2", Client: "gw-canary-2", Roles: []string{"restorer"}}
	return []accepted{
		{"B, ES256", sign(jwt.SigningMethodES256, w.bEC, headerB("k1", "ES256"), w.claimsB()), want},
		{"B, ES384", sign(jwt.SigningMethodES384, w.b384, headerB("b-384", "ES384"), w.claimsB()), want},
		{"B, RS256", sign(jwt.SigningMethodRS256, w.bRSA, headerB("b-rsa", "RS256"), w.claimsB()), want},
		{"B, EdDSA", sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), w.claimsB()), want},
		{
			"B, client_id and azp are not its client",
			sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), with(w.claimsB(), "client_id", "x", "azp", "y")), want,
		},
	}
}

func nestedActors(depth int) map[string]any {
	var act map[string]any
	for n := depth; n >= 1; n-- {
		actor := map[string]any{"sub": "actor-" + string(rune('0'+n%10))}
		if act != nil {
			actor["act"] = act
		}
		act = actor
	}
	return act
}

func TestVerifyTellsWhoCalls(t *testing.T) {
	w := theWorld()
	for _, tt := range acceptedTokens(w) {
		t.Run(tt.name, func(t *testing.T) {
			got, err := w.verifier(t).Verify(t.Context(), tt.token)
			if err != nil {
				t.Fatal(err)
			}
			if diff := differ(tt.want, got); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
			if !w.library(tt.token) {
				t.Error("golang-jwt's own parser refuses the token")
			}
		})
	}
}

func TestSecondFactor(t *testing.T) {
	w := theWorld()
	for amr, want := range map[string]bool{
		"mfa": true, "pwd mfa": true, "pwd otp": true, "pin hwk": true, "fpt swk": true, "kba sc": true,
		"": false, "pwd": false, "otp": false, "hwk": false, "pwd pin": false, "otp hwk": false, "pwd sms": false, "MFA": false,
	} {
		methods := strings.Fields(amr)
		got, err := w.verifier(t).Verify(t.Context(), w.signA(headerA(), with(w.claimsA(), "amr", append([]string{}, methods...))))
		if err != nil || got.MFA != want {
			t.Errorf("amr %q: MFA %v, want %v (error %v)", amr, got.MFA, want, err)
		}
	}
}

// Every place of a token, changed to other characters, among them those that
// decoders like to skip.
func TestNoSingleChangeIsAccepted(t *testing.T) {
	w := theWorld()
	v, token := w.verifier(t), w.good()
	for place := range token {
		for _, other := range []byte("Ab7_-.=+/\n \x00") {
			if token[place] == other {
				continue
			}
			changed := token[:place] + string(other) + token[place+1:]
			if _, err := v.Verify(t.Context(), changed); !errors.Is(err, authn.ErrUnauthenticated) {
				t.Fatalf("place %d as %q: %v", place, other, err)
			}
			inserted := token[:place] + string(other) + token[place:]
			if _, err := v.Verify(t.Context(), inserted); !errors.Is(err, authn.ErrUnauthenticated) {
				t.Fatalf("%q inserted at %d: %v", other, place, err)
			}
		}
		if _, err := v.Verify(t.Context(), token[:place]); !errors.Is(err, authn.ErrUnauthenticated) {
			t.Fatalf("cut at %d: %v", place, err)
		}
	}
}

// Anybody can turn an ECDSA signature (r, s) into (r, n-s), which is as valid:
// half of all honest signatures have the larger s. It must gain nothing.
func TestMalleatedSignatureIsTheSameStatement(t *testing.T) {
	w := theWorld()
	v, token := w.verifier(t), w.good()
	cut := strings.LastIndexByte(token, '.') + 1
	signature := must(base64.RawURLEncoding.DecodeString(token[cut:]))
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:])
	want, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(t.Context(), token[:cut]+base64.RawURLEncoding.EncodeToString(signature))
	if diff := differ(want, got); err != nil || diff != "" {
		t.Errorf("error %v, caller (-want +got):\n%s", err, diff)
	}
}

func TestTimesEndExactly(t *testing.T) {
	w := *theWorld()
	start := w.now
	token := w.signA(headerA(), with(w.claimsA(), "nbf", start.Unix()))
	v := w.verifier(t, authn.WithCacheSize(0))
	end := start.Add(time.Hour + authn.Leeway)
	for _, tt := range []struct {
		at   time.Time
		want authn.Reason
	}{
		{start.Add(-authn.Leeway - 1), authn.ReasonNotYet},
		{start.Add(-authn.Leeway), ""},
		{end.Add(-1), ""},
		{end, authn.ReasonExpired},
	} {
		w.now = tt.at
		if _, err := v.Verify(t.Context(), token); authn.ReasonOf(err) != tt.want {
			t.Errorf("at %v: %v, want %q", tt.at, err, tt.want)
		}
	}
}

func TestLifetimeOption(t *testing.T) {
	w := theWorld()
	long := w.signA(headerA(), with(w.claimsA(), "exp", w.now.Add(48*time.Hour).Unix()))
	if _, err := w.verifier(t).Verify(t.Context(), long); authn.ReasonOf(err) != authn.ReasonClaims {
		t.Errorf("a life of 48 h by default: %v", err)
	}
	if _, err := w.verifier(t, authn.WithMaxLifetime(48*time.Hour)).Verify(t.Context(), long); err != nil {
		t.Errorf("a life of 48 h where the limit is that: %v", err)
	}
}

func TestCancelledRequestIsNotVerified(t *testing.T) {
	w := theWorld()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.verifier(t).Verify(ctx, w.good())
	if !errors.Is(err, context.Canceled) || errors.Is(err, authn.ErrUnauthenticated) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// What stands exactly at a limit is accepted; the table of forgeries has what
// stands one above it.
func TestLimitsAreInclusive(t *testing.T) {
	w := theWorld()
	roles, claims := make([]string, authn.MaxRoles), w.claimsA()
	for n := range roles {
		roles[n] = fmt.Sprintf("r%d", n)
	}
	for n := range authn.MaxAttributes {
		claims[fmt.Sprintf("c%d", n)] = n
	}
	for name, payload := range map[string]any{
		"roles":      with(w.claimsA(), "roles", roles),
		"attributes": claims,
		"attribute":  with(w.claimsA(), "team", strings.Repeat("x", authn.MaxAttributeBytes)),
		"sub":        with(w.claimsA(), "sub", strings.Repeat("a", authn.MaxIdentifierBytes)),
		"lifetime":   with(w.claimsA(), "exp", w.now.Add(authn.MaxLifetime).Unix()),
	} {
		if _, err := w.verifier(t).Verify(t.Context(), w.signA(headerA(), payload)); err != nil {
			t.Errorf("%s at the limit: %v", name, err)
		}
	}
	// An aud that fills the token up to its limit, or three bytes less: four
	// letters of base64 are three bytes.
	fill := authn.MaxTokenBytes - len(w.signA(headerA(), with(w.claimsA(), "aud", []string{"counterfoil", ""})))
	full := w.signA(headerA(), with(w.claimsA(), "aud", []string{"counterfoil", strings.Repeat("x", fill*3/4)}))
	if len(full) < authn.MaxTokenBytes-3 || len(full) > authn.MaxTokenBytes {
		t.Fatalf("the token meant to be full has %d bytes", len(full))
	}
	if _, err := w.verifier(t).Verify(t.Context(), full); err != nil {
		t.Errorf("a full token: %v", err)
	}
}
