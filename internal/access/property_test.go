package access_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

// cases of the comparison with the second implementation, over all bundles.
func cases() int {
	switch {
	case os.Getenv("COUNTERFOIL_LONG") != "":
		return 2_000_000
	case underRace:
		return 10_000
	}
	return 100_000
}

type decider func(access.Request) access.Decision

// disagreements compares a decider with the naive implementation.
func disagreements(n *naive, p *access.Policy, decide decider, rng *rand.Rand, count int) (found []string, allowed int) {
	for range count {
		r := randomRequest(rng, p)
		want, d := n.decide(r), decide(r)
		if d.Allow {
			allowed++
		}
		if where := want.disagreement(d); where != "" {
			found = append(found, fmt.Sprintf("%s: %+v: got %+v, want %+v", where, r, d, want))
		}
	}
	return found, allowed
}

func TestDecideAgreesWithASecondImplementation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	bundles := map[string]fs.FS{
		"shipped":     authz.FS,
		"few rules":   generated(t, rng, 3, 30),
		"many":        generated(t, rng, 50, 100),
		"overlapping": generated(t, rng, 1, 40),
		"two persons": twoPersons(t),
	}
	count := cases() / len(bundles)
	for _, name := range slices.Sorted(maps.Keys(bundles)) {
		p := load(t, bundles[name])
		found, allowed := disagreements(newNaive(t, bundles[name]), p, p.Decide, rng, count)
		if len(found) > 0 {
			t.Errorf("%s: %d disagreements, first: %s", name, len(found), found[0])
		}
		if allowed < count/200 {
			t.Errorf("%s: only %d of %d requests were allowed, the comparison says little", name, allowed, count)
		}
	}
}

func TestDecideTwinASecondImplementationSeesAMissingRule(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "policy.csv", "same_client&end_user_absent,  masked", "same_client&end_user_absent,  full")
	p := load(t, bundle)
	found, _ := disagreements(newNaive(t, authz.FS), p, p.Decide, rand.New(rand.NewPCG(1, 2)), 3_000)
	if len(found) == 0 {
		t.Error("a changed form was not noticed")
	}
}

// falseAllows asks with one field replaced by a hostile value, where nothing
// but the true value may be allowed.
func falseAllows(decide func(access.Request) bool) []string {
	right := access.Request{
		Action: access.ActionRestore, Roles: []string{"restorer"}, Reason: "FRAUD_REVIEW",
		Entity: "EMAIL_ADDRESS", Class: access.ClassConfidential, EndUser: access.EndUserOther,
		Attributes: map[string]string{"team": "fraud"}, Place: access.PlaceProse, Approved: 1,
	}
	if !decide(right) {
		return []string{"the request without a hostile value is refused"}
	}
	values := append([]string{
		"restorer|x", "x,restorer", "fraud|x", "x&fraud", "fraud\n", "FRAUD_REVIEW\n", "FRAUD_REVIEW,x", "FRAUD",
		"confidential|restricted", "confid", "EMAIL", "prose|url",
	}, hostile...)
	var found []string
	for _, v := range values {
		for field, r := range map[string]access.Request{
			"action": with(right, func(r *access.Request) { r.Action = access.Action(v) }),
			"role":   with(right, func(r *access.Request) { r.Roles = []string{v} }),
			"reason": with(right, func(r *access.Request) { r.Reason = v }),
			"entity": with(right, func(r *access.Request) { r.Entity = v }),
			"class":  with(right, func(r *access.Request) { r.Class = access.Class(v) }),
			"team":   with(right, func(r *access.Request) { r.Attributes = map[string]string{"team": v} }),
			"place":  with(right, func(r *access.Request) { r.Place = access.Place(v) }),
			"attribute": with(right, func(r *access.Request) {
				r.Attributes = map[string]string{"team=fraud": v, v: "fraud", "attr:team": "fraud"}
			}),
			"end user": with(right, func(r *access.Request) { r.EndUser = access.EndUserMatch(v) }),
		} {
			if decide(r) {
				found = append(found, fmt.Sprintf("%s %q", field, v))
			}
		}
	}
	return found
}

func with(r access.Request, change func(*access.Request)) access.Request {
	change(&r)
	return r
}

func TestSeparatorsGiveNoFalseAllow(t *testing.T) {
	p := shipped(t)
	if found := falseAllows(func(r access.Request) bool { return p.Decide(r).Allow }); len(found) > 0 {
		t.Errorf("allowed: %v", found)
	}
	if found := falseAllows(func(r access.Request) bool { return p.Best(r).Allow }); !onlyContext(found) {
		t.Errorf("allowed in the best case: %v", found)
	}
}

// onlyContext says whether all findings are about what Best does not read.
func onlyContext(found []string) bool {
	return !slices.ContainsFunc(found, func(f string) bool {
		return !strings.HasPrefix(f, "place ") && !strings.HasPrefix(f, "end user ")
	})
}

func TestSeparatorsTwinASubstringMatcherIsCaught(t *testing.T) {
	n := newNaive(t, authz.FS)
	n.sloppy = true
	if len(falseAllows(func(r access.Request) bool { return n.decide(r).form != "" })) == 0 {
		t.Error("a matcher by substring passed")
	}
}

// outOfLine compares Decide and Best for one request: what Decide allows Best
// allows, at least as fully, and a denial of Best is the denial of Decide.
func outOfLine(decide, best decider, r access.Request) string {
	d, b := decide(r), best(r)
	rank := []access.Form{"", access.FormMasked, access.FormPartial, access.FormFull}
	switch {
	case d.Allow && (!b.Allow || slices.Index(rank, b.Form) < slices.Index(rank, d.Form)):
		return fmt.Sprintf("%+v: Decide %+v, Best only %+v", r, d, b)
	case !b.Allow && d.Why != b.Why:
		return fmt.Sprintf("%+v: Best denies with %q, Decide tells %q", r, b.Why, d.Why)
	}
	return ""
}

func TestBestBoundsDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		p := propertyPolicies()[rng.IntN(len(propertyPolicies()))]
		for range 30 {
			r := randomRequest(rng, p)
			if problem := outOfLine(p.Decide, p.Best, r); problem != "" {
				t.Fatal(problem)
			}
			// The context that Best does not read may be anything.
			other := randomRequest(rng, p)
			moved := r
			moved.SameClient, moved.EndUser, moved.Place, moved.Tool = other.SameClient, other.EndUser, other.Place, other.Tool
			moved.Held, moved.Restricted = other.Held, other.Restricted
			moved.Approved, moved.Consented = other.Approved, other.Consented
			if diff := cmp.Diff(p.Best(r), p.Best(moved)); diff != "" {
				t.Fatal("Best depends on the context: " + diff)
			}
		}
	})
}

var propertyPolicies = sync.OnceValue(func() []*access.Policy {
	rng := rand.New(rand.NewPCG(3, 4))
	var out []*access.Policy
	for _, bundle := range []fs.FS{
		authz.FS, twoPersons(discard{}), generated(discard{}, rng, 2, 40), generated(discard{}, rng, 4, 40), generated(discard{}, rng, 1, 12),
	} {
		p, err := access.Load(bundle)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
})

// discard is a testing.TB for helpers outside of a test: any failure panics.
type discard struct{ testing.TB }

func (discard) Helper()           {}
func (discard) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func TestBestTwinAWeakerBestIsCaught(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "policy.csv", "same_client&same_end_user,    full", "same_client&same_end_user,    masked")
	edit(t, bundle, "policy.csv", "same_client&end_user_unbound, full", "same_client&end_user_unbound, masked")
	weaker, p, rng := load(t, bundle), shipped(t), rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		if outOfLine(p.Decide, weaker.Best, randomRequest(rng, p)) != "" {
			return
		}
	}
	t.Error("a Best that allows less than Decide passed")
}

// impure holds answers given at the same time, in another order, against those
// given one by one.
func impure(p *access.Policy, decide decider, requests []access.Request) []string {
	want := make([]access.Decision, len(requests))
	for i, r := range requests {
		want[i] = p.Decide(r)
	}
	var mu sync.Mutex
	var found []string
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range requests {
				i = (i*7 + worker*131) % len(requests)
				if diff := cmp.Diff(want[i], decide(requests[i])); diff != "" {
					mu.Lock()
					found = append(found, diff)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return found
}

func manyRequests(p *access.Policy, count int) []access.Request {
	rng := rand.New(rand.NewPCG(7, 8))
	var out []access.Request
	for range count {
		out = append(out, randomRequest(rng, p))
	}
	return out
}

func TestInvariant13_DecideIsPureAndConcurrent(t *testing.T) {
	p := propertyPolicies()[2]
	requests := manyRequests(p, 500)
	before := fmt.Sprintf("%+v", requests)
	if found := impure(p, p.Decide, requests); len(found) > 0 {
		t.Errorf("%d answers changed, first: %s", len(found), found[0])
	}
	if fmt.Sprintf("%+v", requests) != before {
		t.Error("Decide changed the request of the caller")
	}
}

func TestInvariant13_TwinACacheWithAJoinedKeyIsCaught(t *testing.T) {
	p := propertyPolicies()[2]
	var cache sync.Map
	cached := func(r access.Request) access.Decision {
		key := fmt.Sprint(r.Action, r.Roles, r.Reason, r.Entity, r.Class) // what Casbin's does, in short
		if d, ok := cache.Load(key); ok {
			return d.(access.Decision)
		}
		d := p.Decide(r)
		cache.Store(key, d)
		return d
	}
	if len(impure(p, cached, manyRequests(p, 500))) == 0 {
		t.Error("a cache that mixes requests up passed")
	}
}

func TestInvariant13_PolicyIsImmutable(t *testing.T) {
	p := shipped(t)
	request := access.Request{
		Action: access.ActionRestore, Roles: []string{"legal"}, Reason: "LEGAL_DISCOVERY", Entity: "PERSON",
		Class: access.ClassConfidential, EndUser: access.EndUserSame, Place: access.PlaceURL,
	}
	before, reasons := p.Decide(request), fmt.Sprintf("%+v", p.Reasons())
	for _, r := range p.Reasons() {
		clear(r.Classes)
		clear(r.Places)
		clear(r.Tools)
	}
	d := p.Decide(request)
	clear(d.RuleIDs)
	clear(d.Obligations)
	clear(p.Entities())
	clear(p.Destinations())
	if diff := cmp.Diff(before, p.Decide(request)); diff != "" {
		t.Errorf("writing to what was returned changed a decision: %s", diff)
	}
	if fmt.Sprintf("%+v", p.Reasons()) != reasons {
		t.Error("writing to what was returned changed the catalogue")
	}
}
