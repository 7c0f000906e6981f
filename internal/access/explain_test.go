package access_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// concludes is what the parts of an explanation come to, without the decision.
func concludes(e access.Explanation) bool {
	for _, d := range e.Demands {
		if !d.Met {
			return false
		}
	}
	given := false
	for _, r := range e.Rules {
		if len(r.Lacks) == 0 && r.Deny {
			return false
		}
		given = given || len(r.Lacks) == 0
	}
	return given
}

// TestExplainIsTheDecision asks random requests: the explanation has the very
// decision, its parts come to the same, and the rules that it names apply.
func TestExplainIsTheDecision(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 3))
	policies := []*access.Policy{shipped(t), load(t, generated(t, rng, 4, 24)), load(t, generated(t, rng, 6, 60))}
	allowed := 0
	for i := range 6000 {
		p := policies[i%len(policies)]
		r := randomRequest(rng, p)
		e := p.Explain(r)
		if diff := cmp.Diff(p.Decide(r), e.Decision); diff != "" {
			t.Fatalf("%+v is explained as another decision (-Decide +Explain):\n%s", r, diff)
		}
		if concludes(e) != e.Decision.Allow {
			t.Fatalf("%+v: the decision is %+v, the explanation %+v", r, e.Decision, e)
		}
		for _, rule := range e.Rules {
			if rule.Decided != slices.Contains(e.Decision.RuleIDs, rule.ID) || rule.Decided && len(rule.Lacks) > 0 {
				t.Fatalf("%+v: rule %+v, decision %+v", r, rule, e.Decision)
			}
		}
		if e.Decision.Allow {
			allowed++
		}
	}
	if allowed < 100 {
		t.Errorf("only %d of the requests were allowed", allowed)
	}
}

// TestTwinExplain leaves out a part of an explanation at a time: each must change
// what the parts come to.
func TestTwinExplain(t *testing.T) {
	p := shipped(t)
	good := access.Request{
		Action: access.ActionRestore, Roles: []string{"restorer"}, Reason: "CUSTOMER_SUPPORT", Entity: "PERSON",
		Class: access.ClassConfidential, EndUser: access.EndUserUnbound, Place: access.PlaceProse, Approved: 1,
	}
	if e := p.Explain(good); !e.Decision.Allow || !concludes(e) {
		t.Fatalf("%+v", e)
	}
	for name, change := range map[string]func(*access.Request){
		"role":       func(r *access.Request) { r.Roles = []string{"auditor"} },
		"reason":     func(r *access.Request) { r.Reason = "CUSTOMER_SUPPORT " },
		"entity":     func(r *access.Request) { r.Entity = "person" },
		"class":      func(r *access.Request) { r.Class = "secret" },
		"place":      func(r *access.Request) { r.Place = access.PlaceURL },
		"held":       func(r *access.Request) { r.Held = true },
		"restricted": func(r *access.Request) { r.Restricted = true },
		"approvals":  func(r *access.Request) { r.Approved = 0 },
		"end_user":   func(r *access.Request) { r.EndUser = "" },
	} {
		r := good
		change(&r)
		e := p.Explain(r)
		if e.Decision.Allow || concludes(e) {
			t.Errorf("%s: %+v", name, e)
		}
		// Without what it says is unmet, it would come to an allow.
		for i := range e.Demands {
			e.Demands[i].Met = true
		}
		for i := range e.Rules {
			e.Rules[i].Lacks = nil
		}
		if name != "reason" && !concludes(e) {
			t.Errorf("%s: something else is in the way, too: %+v", name, e)
		}
	}
}

// TestExplainSays pins words for people, and what each rule lacks.
func TestExplainSays(t *testing.T) {
	p := shipped(t)
	restore := access.Request{
		Action: access.ActionRestore, Roles: []string{"restorer"}, Reason: "CUSTOMER_SUPPORT", Entity: "US_SSN",
		Class: access.ClassRestricted, EndUser: access.EndUserUnbound, Place: access.PlaceProse, Approved: 1,
	}
	e := p.Explain(restore)
	if want := "restorer may not restore restricted data (US_SSN) for CUSTOMER_SUPPORT: approvals are missing (2 needed, 1 given), by support-restricted"; e.Sentence != want {
		t.Errorf("got  %s\nwant %s", e.Sentence, want)
	}
	wantRules := []access.RuleExplanation{
		{ID: "support", Role: "restorer", Form: access.FormFull, Lacks: []string{"classes public|internal|confidential"}},
		{ID: "support-restricted", Role: "restorer", Form: access.FormPartial, Decided: true, Lacks: []string{}},
	}
	if diff := cmp.Diff(wantRules, e.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	restore.Approved = 2
	if want := "restorer may restore restricted data (US_SSN) for CUSTOMER_SUPPORT, in part, by support-restricted"; p.Explain(restore).Sentence != want {
		t.Errorf("got  %s\nwant %s", p.Explain(restore).Sentence, want)
	}
	read := p.Explain(access.Request{Action: access.ActionAuditRead, Roles: []string{"gateway"}})
	if want := "gateway may not read the audit log: no rule gives it to any of these roles"; read.Sentence != want {
		t.Errorf("got  %s\nwant %s", read.Sentence, want)
	}
	for _, r := range read.Rules {
		if len(r.Lacks) != 1 || r.Lacks[0] != "role "+r.Role {
			t.Errorf("a gateway lacks %q for %s", r.Lacks, r.ID)
		}
	}
}

// TestExplainKnowsEveryDenial pins that no denial is without words, and that
// nothing of a request is repeated that the policy does not know.
func TestExplainKnowsEveryDenial(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 4))
	p := load(t, generated(t, rng, 4, 24))
	seen := map[access.Why]bool{}
	for range 3000 {
		r := randomRequest(rng, p)
		e := p.Explain(r)
		seen[e.Decision.Why] = true
		if !e.Decision.Allow && strings.Contains(e.Sentence, ": , ") || strings.HasSuffix(e.Sentence, ": ") {
			t.Fatalf("a denial without words: %s (%s)", e.Sentence, e.Decision.Why)
		}
	}
	for _, why := range access.Whys() {
		if access.PhraseOfWhy(why) == "" {
			t.Errorf("%s has no words", why)
		}
	}
	if len(seen) < 8 {
		t.Errorf("only %d kinds of denials were met", len(seen))
	}
	const foreign = "jane@example.com"
	e := p.Explain(access.Request{
		Action: access.ActionRestore, Roles: []string{foreign}, Reason: foreign, Entity: foreign, Class: foreign,
		EndUser: foreign, Place: foreign, Tool: foreign, Environment: foreign, Tenant: foreign, ACR: foreign,
		Attributes: map[string]string{"team": foreign},
	})
	if text := e.Sentence; strings.Contains(text, foreign) {
		t.Errorf("the sentence repeats the request: %s", text)
	}
}
