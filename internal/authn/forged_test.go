package authn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// forgery is a credential that must be refused, and what shows that it is a
// real attack and not just a broken string.
type forgery struct {
	name   string
	token  string
	reason authn.Reason
	// guards are the checks without which it is accepted.
	guards []string
	// naive: accepted by a verifier that does what the header says.
	naive bool
	// shared: accepted where every issuer has the keys of all.
	shared bool
	// spaces: accepted where issuers have no namespaces.
	spaces bool
	// library: accepted by golang-jwt's parser with every check switched on.
	library bool
}

func forgeries(w *world) []forgery {
	var all []forgery
	for _, group := range []func(*world) []forgery{
		forgedAlgorithms, forgedHMAC, forgedKeys, forgedSignatures, forgedTimes, forgedAudiences, forgedIssuers,
		forgedTenants, forgedPrincipals, forgedActors, forgedRolesAndClaims, forgedBindings, forgedMates, forgedPersons, forgedSegments, forgedJSON, forgedHeaders,
	} {
		all = append(all, group(w)...)
	}
	return all
}

// minForgeries is what the table must hold at least; it holds more.
const minForgeries = 100

func TestInvariant6_ForgedCredentialsAreRefused(t *testing.T) {
	w := theWorld()
	v, table := w.verifier(t), forgeries(w)
	if len(table) < minForgeries {
		t.Fatalf("the table holds %d forgeries, want at least %d", len(table), minForgeries)
	}
	if _, err := v.Verify(t.Context(), w.good()); err != nil {
		t.Fatalf("the token that the forgeries start from: %v", err)
	}
	tried, before, passed := map[string]bool{}, v.Cached(), 0
	for _, f := range table {
		if tried[f.name] {
			t.Errorf("two forgeries are called %q", f.name)
		}
		tried[f.name] = true
		// Twice: a refusal must not become a cached acceptance.
		for range 2 {
			got, err := v.Verify(t.Context(), f.token)
			if err == nil {
				passed++
			}
			if !errors.Is(err, authn.ErrUnauthenticated) || authn.ReasonOf(err) != f.reason {
				t.Errorf("%s: error %v, want reason %q", f.name, err, f.reason)
				continue
			}
			if diff := differ(vault.Caller{}, got); diff != "" {
				t.Errorf("%s: refused, and yet a caller: %s", f.name, diff)
			}
			if leaked := leak(err.Error(), f.token); leaked != "" {
				t.Errorf("%s: the error shows %q of the token", f.name, leaked)
			}
		}
	}
	if v.Cached() != before {
		t.Error("a refused token was cached")
	}
	if passed != 0 {
		t.Errorf("%d of %d forgeries are accepted", passed, len(table))
	}
	t.Logf("%d forgeries, %d accepted", len(table), passed)
}

// leak returns a part of the token that an error shows, or "".
func leak(text, token string) string {
	for _, part := range append(strings.Split(token, "."), "canary", "acme", "globex", "attacker") {
		if len(part) >= 4 && strings.Contains(text, part) {
			return part
		}
	}
	return ""
}

func TestErrorsSayNothingButReasonAndRule(t *testing.T) {
	if leak("authn: unauthenticated: canary", "") == "" {
		t.Error("the search for leaks finds none where there is one")
	}
	if authn.ReasonOf(errors.New("authn: unauthenticated: expired")) != "" {
		t.Error("an error of somebody else has a reason")
	}
}

// Every reason of the closed list is what at least one forgery is refused for.
func TestReasonsAreAllUsed(t *testing.T) {
	used := map[authn.Reason]bool{}
	for _, f := range forgeries(theWorld()) {
		used[f.reason] = true
	}
	for _, reason := range authn.Reasons() {
		if !used[reason] {
			t.Errorf("no forgery is refused for %q", reason)
		}
		delete(used, reason)
	}
	if len(used) != 0 {
		t.Errorf("reasons that Reasons does not list: %v", used)
	}
}
