package authn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// issuerC speaks for acme too, beside issuer A, in the namespace partner.
const issuerC = "https://c.example"

func (w *world) claimsC() map[string]any { return with(w.claimsA(), "iss", issuerC) }

// signC signs with the key of C under a kid that only C has.
func (w *world) signC(payload any) string {
	return sign(jwt.SigningMethodES256, w.cEC, headerB("c-ec", "ES256"), payload)
}

// forgedMates are what one of two issuers of a tenant could say to be the other.
func forgedMates(w *world) []forgery {
	asA := func(key any, kid string) string {
		return sign(jwt.SigningMethodES256, key, headerB(kid, "ES256"), w.claimsA())
	}
	table := []forgery{
		{name: "C signs as A, with its own kid", token: asA(w.cEC, "c-ec"), reason: authn.ReasonKey, shared: true},
		{name: "C signs as A, under a kid that both have", token: asA(w.cEC, "k1"), reason: authn.ReasonSignature, guards: []string{"signature"}},
		{name: "C signs as A, under a kid of B", token: asA(w.cEC, "b-ec"), reason: authn.ReasonKey},
		{
			name:   "A signs as C, under a kid that both have",
			token:  w.signA(headerA(), w.claimsC()),
			reason: authn.ReasonSignature, guards: []string{"signature"},
		},
		{
			name:   "A signs as C, with a kid of A",
			token:  sign(jwt.SigningMethodPS256, w.aRSA, headerB("a-rsa", "PS256"), w.claimsC()),
			reason: authn.ReasonAlgorithm,
		},
		{
			name: "A signs as C, with a kid of C", reason: authn.ReasonSignature, guards: []string{"signature"},
			token: sign(jwt.SigningMethodES256, w.aEC, headerB("c-ec", "ES256"), w.claimsC()),
		},
		{name: "C for a tenant of A alone", token: w.signC(with(w.claimsC(), "tenant", "initech")), reason: authn.ReasonTenant, guards: []string{"tenant"}},
		{name: "C for a tenant of B", token: w.signC(with(w.claimsC(), "tenant", "globex")), reason: authn.ReasonTenant, guards: []string{"tenant"}},
		{name: "C by the claims of B", token: w.signC(with(w.claimsC(), "tenant", absent, "org", "acme")), reason: authn.ReasonTenant},
		{name: "iss of both", token: w.signC(with(w.claimsC(), "iss", []string{issuerC, issuerA})), reason: authn.ReasonIssuer},
		{name: "C, its subject too long behind the namespace", token: w.signC(with(w.claimsC(), "sub", strings.Repeat("a", 248))), reason: authn.ReasonClaims, spaces: true},
		{name: "C, an actor of A", token: w.signC(with(w.claimsC(), "act", map[string]any{"sub": "svc-canary-1", "iss": issuerA})), reason: authn.ReasonClaims},
		{name: "A, an actor of C", token: w.signA(headerA(), with(w.claimsA(), "act", map[string]any{"sub": "svc-1", "iss": issuerC})), reason: authn.ReasonClaims},
		{
			name: "A, an actor of C in the chain", reason: authn.ReasonClaims,
			token: w.signA(headerA(), with(w.claimsA(), "act", map[string]any{"sub": "a", "act": map[string]any{"sub": "b", "iss": issuerC}})),
		},
		{
			name: "A, an actor who reads like one of C", reason: authn.ReasonClaims, spaces: true,
			token: w.signA(headerA(), with(w.claimsA(), "act", map[string]any{"sub": "partner/svc-1"})),
		},
		{
			name: "A, for a person who reads like one of C", reason: authn.ReasonClaims, spaces: true,
			token: w.signA(headerA(), with(w.claimsA(), "sub", "partner/alice", "act", map[string]any{"sub": "svc-1"})),
		},
	}
	for _, claim := range []string{"sub", "client_id"} {
		for _, name := range []string{"partner/svc-canary-1", "partner/", "partner//x", "partner/partner/x"} {
			token := w.signA(headerA(), with(w.claimsA(), claim, name))
			table = append(table, forgery{name: fmt.Sprintf("A, a %s of C: %q", claim, name), token: token, reason: authn.ReasonClaims, spaces: true})
		}
	}
	return table
}

// What two issuers of one tenant call the same is not the same.
func TestInvariant6_IssuersOfATenantNameDifferentPrincipals(t *testing.T) {
	w := theWorld()
	v := w.verifier(t)
	act := map[string]any{"sub": "agent"}
	a, err := v.Verify(t.Context(), w.signA(headerA(), with(w.claimsA(), "act", act)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := v.Verify(t.Context(), w.signC(with(w.claimsC(), "act", act)))
	if err != nil {
		t.Fatal(err)
	}
	want := callerA(same)
	if a.Subject != "agent" || a.EndUser != want.Subject || a.Client != want.Client {
		t.Errorf("the names of A are not as A gives them: %+v", a)
	}
	if c.Subject != "partner/agent" || c.EndUser != "partner/"+want.Subject || c.Client != "partner/"+want.Client {
		t.Errorf("the names of C are not in its namespace: %+v", c)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`(partner|partne|partnerr)?/{0,2}[a/]{1,3}`)
		one, err := v.Verify(t.Context(), w.signA(headerA(), with(w.claimsA(), "sub", name.Draw(t, "of A"))))
		if err != nil {
			return // a name that only C may say
		}
		other, err := v.Verify(t.Context(), w.signC(with(w.claimsC(), "sub", name.Draw(t, "of C"))))
		if err != nil {
			t.Fatal(err)
		}
		if one.Subject == other.Subject {
			t.Fatalf("A and C both name %q", one.Subject)
		}
	})
}

func TestInvariant6_IssuersOfATenantTwinWithoutNamespaces(t *testing.T) {
	w := theWorld()
	twin := w.verifier(t).WithoutNamespaces()
	a, errA := twin.Verify(t.Context(), w.good())
	c, errC := twin.Verify(t.Context(), w.signC(w.claimsC()))
	if errA != nil || errC != nil || a.Subject != c.Subject || a.Client != c.Client {
		t.Errorf("without namespaces the two are one: %v %v, %q and %q", errA, errC, a.Subject, c.Subject)
	}
	passed := 0
	for _, f := range forgeries(w) {
		if !f.spaces {
			continue
		}
		if _, err := twin.Verify(t.Context(), f.token); err != nil {
			t.Errorf("%s: without namespaces it should pass, got %v", f.name, err)
			continue
		}
		passed++
	}
	if passed == 0 {
		t.Error("no attack passes without namespaces")
	}
}

func TestNamespacesAreRequiredWhereATenantIsShared(t *testing.T) {
	w := theWorld()
	for name, tt := range map[string]struct {
		change func(all []authn.Issuer)
		faults string
	}{
		"as they are":            {func([]authn.Issuer) {}, ""},
		"both without":           {func(all []authn.Issuer) { all[2].Namespace = "" }, "2 namespace"},
		"both the same":          {func(all []authn.Issuer) { all[0].Namespace = "partner" }, "2 namespace"},
		"both different":         {func(all []authn.Issuer) { all[0].Namespace = "machines" }, ""},
		"a shared one among two": {func(all []authn.Issuer) { all[1].Tenants = []string{"globex", "initech"} }, "1 namespace"},
		"no tenant is shared":    {func(all []authn.Issuer) { all[2].Namespace, all[2].Tenants = "", []string{"umbrella"} }, ""},
		"with a slash":           {func(all []authn.Issuer) { all[2].Namespace = "a/b" }, "2 namespace"},
		"in upper case":          {func(all []authn.Issuer) { all[2].Namespace = "Partner" }, "2 namespace"},
		"33 characters":          {func(all []authn.Issuer) { all[2].Namespace = strings.Repeat("p", 33) }, "2 namespace"},
	} {
		issuers := w.issuers()
		tt.change(issuers)
		var got []string
		for _, fault := range authn.Check(issuers) {
			got = append(got, fmt.Sprintf("%d %s", fault.Issuer, fault.Field))
		}
		if strings.Join(got, "\n") != tt.faults {
			t.Errorf("%s: faults %q, want %q", name, got, tt.faults)
		}
	}
}
