package access_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

// differences holds what p answers with all that it remembers against what it
// answers when it remembers nothing: the whole decision, what a denial is
// about included.
func differences(p, anew *access.Policy, requests []access.Request) (found []string) {
	for _, r := range requests {
		for name, pair := range map[string][2]decider{"Decide": {anew.Decide, p.Decide}, "Best": {anew.Best, p.Best}} {
			anew.Forget()
			if diff := cmp.Diff(pair[0](r), pair[1](r)); diff != "" {
				found = append(found, fmt.Sprintf("%s: %+v: %s", name, r, diff))
			}
		}
	}
	return found
}

// memoBundles are those in which each part of a question counts somewhere.
func memoBundles(t testing.TB) []fs.FS {
	rng := rand.New(rand.NewPCG(11, 12))
	return []fs.FS{authz.FS, generated(t, rng, 1, 40), generated(t, rng, 3, 30), twoPersons(t)}
}

// memoRequests are few enough kinds of requests that most are remembered.
func memoRequests(p *access.Policy) []access.Request { return manyRequests(p, 1_000) }

func TestInvariant13_WhatIsRememberedIsWhatIsDecided(t *testing.T) {
	for i, bundle := range memoBundles(t) {
		p, anew := load(t, bundle), load(t, bundle)
		if found := differences(p, anew, memoRequests(p)); len(found) > 0 {
			t.Errorf("bundle %d: %d differences, first: %s", i, len(found), found[0])
		}
		if p.Remembered() == 0 {
			t.Errorf("bundle %d: nothing is remembered, the comparison says nothing", i)
		}
	}
}

func TestInvariant13_TwinEachPartOfAQuestionIsNeeded(t *testing.T) {
	bundles := memoBundles(t)
	for _, part := range access.Parts {
		if !slices.ContainsFunc(bundles, func(bundle fs.FS) bool {
			p, anew := load(t, bundle), load(t, bundle)
			p.Blur(part)
			return len(differences(p, anew, memoRequests(p))) > 0
		}) {
			t.Errorf("a memory that mixes up requests of different %s passed", part)
		}
	}
}

// What a caller is given is their own, also when it comes out of the memory.
func TestInvariant13_WhatIsRememberedCannotBeChanged(t *testing.T) {
	p := load(t, authz.FS)
	for _, r := range []access.Request{gateway(), approved(2, restorer("CUSTOMER_SUPPORT"))} {
		want := p.Decide(r)
		for range 2 {
			d := p.Decide(r)
			if diff := cmp.Diff(want, d); diff != "" {
				t.Fatal(diff)
			}
			clear(d.RuleIDs)
			clear(d.Obligations)
			clear(d.Budgets)
		}
	}
}

func TestDecisionsCarryAllObligations(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	p := load(t, generated(t, rng, 4, 40))
	seen := 0
	for _, r := range manyRequests(p, 5_000) {
		d := p.Decide(r)
		if !d.Allow || r.Action != access.ActionRestore {
			continue
		}
		seen++
		reason, _ := p.ReasonOf(r.Tenant, r.Reason)
		if diff := cmp.Diff(reason.Obligations(), d.Obligations); diff != "" {
			t.Fatalf("%s of %q: %s", r.Reason, r.Tenant, diff)
		}
	}
	if seen == 0 {
		t.Error("nothing was allowed")
	}
}

// manyFacts is a bundle with a rule for each of so many teams.
func manyFacts(t *testing.T, teams int) fs.FS {
	bundle := copyOfShipped(t)
	var csv strings.Builder
	csv.Write(bundle["policy.csv"].Data)
	for i := range teams {
		fmt.Fprintf(&csv, "p, team-%d, allow, restorer, restore, FRAUD_REVIEW, public|internal|confidential, *, attr:team=t%d, full\n", i, i)
	}
	bundle["policy.csv"].Data = []byte(csv.String())
	return bundle
}

func fraudOf(team string) access.Request {
	r := approved(2, restorer("FRAUD_REVIEW"))
	r.Entity, r.Class, r.Attributes = "EMAIL_ADDRESS", access.ClassConfidential, map[string]string{"team": team}
	return r
}

// More conditions than a question has room for are not remembered, rather
// than mixed up.
func TestMoreConditionsThanAQuestionHoldsAreAskedAnew(t *testing.T) {
	const teams = 70
	p := load(t, manyFacts(t, teams))
	for i := range teams {
		d := p.Decide(fraudOf(fmt.Sprint("t", i)))
		if want := []string{fmt.Sprint("team-", i)}; !d.Allow || !cmp.Equal(d.RuleIDs, want) {
			t.Fatalf("team %d: %+v, want %v", i, d, want)
		}
	}
	if n := p.Remembered(); n != 0 {
		t.Errorf("%d answers are remembered", n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const teams = 40
	p := load(t, manyFacts(t, teams))
	asked := 0
	for _, e := range p.Entities() {
		for i := range teams {
			r := fraudOf(fmt.Sprint("t", i))
			r.Entity, r.Class = e.Name, access.ClassConfidential
			p.Decide(r)
			asked++
		}
	}
	if n := p.Remembered(); n == 0 || n > access.MaxKnown || asked <= 2*access.MaxKnown {
		t.Errorf("%d of %d answers are remembered, at most %d", n, asked, access.MaxKnown)
	}
}

// A name that no catalogue has is not remembered: callers could send any number.
func TestMadeUpNamesAreNotRemembered(t *testing.T) {
	p := load(t, authz.FS)
	for i := range 100 {
		name := fmt.Sprint("MADE_UP_", i)
		for _, r := range []access.Request{
			{Action: access.ActionTokenize, Roles: []string{"gateway"}, Entity: name},
			{Action: access.ActionTokenize, Roles: []string{"gateway"}, Class: access.Class(name)},
			with(gateway(), func(r *access.Request) { r.Entity = name }),
			with(gateway(), func(r *access.Request) { r.Reason = name }),
		} {
			if p.Decide(r).Allow {
				t.Fatalf("%+v is allowed", r)
			}
		}
		p.Decide(with(gateway(), func(r *access.Request) { r.Roles = []string{name} }))
		p.Decide(with(gateway(), func(r *access.Request) { r.Attributes = map[string]string{"team": name} }))
	}
	if n := p.Remembered(); n > 2 {
		t.Errorf("%d answers are remembered", n)
	}
}
