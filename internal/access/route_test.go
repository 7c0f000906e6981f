package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/access"
)

const routes = `
version: 1
destinations:
  default: {vendor: v, region: r, training: true, vendor_retention_days: 1}
  lax:
    vendor: v
    region: r
    training: false
    vendor_retention_days: 1
    requires: []
    payload: {keys: tokenize, numbers: tokenize, unknown: skip}
    actions: {classes: {internal: allow, confidential: allow}}
  covered:
    vendor: v
    region: r
    baa: {ref: B-1, valid_from: 2026-03-01, valid_to: 2026-06-01}
    dpa: {ref: D-1, valid_from: 2026-01-01, valid_to: 2026-04-01}
    requires: [baa, dpa]
    training: false
    vendor_retention_days: 1
    payload: {numbers: tokenize, unknown: refuse}
    actions: {classes: {internal: allow, confidential: mask}, entities: {PERSON: block, URL: mask}}
  unsigned:
    vendor: v
    region: r
    requires: [dpa]
    training: false
    vendor_retention_days: 1
    actions: {classes: {internal: allow}}
  told:
    vendor: v
    region: r
    dpa: {ref: D-2, valid_from: 2026-01-01, valid_to: 2026-04-01}
    requires: [dpa]
    training: false
    vendor_retention_days: 1
    actions: {classes: {internal: warn}, entities: {URL: mask}}
`

func routed(t testing.TB) *access.Policy {
	t.Helper()
	bundle := copyOfShipped(t)
	bundle["destinations.yaml"] = &fstest.MapFile{Data: []byte(routes)}
	delete(bundle, "texts/destinations.yaml") // it names those that are shipped
	return load(t, bundle)
}

func date(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestAgreementsInForce(t *testing.T) {
	d, _ := routed(t).Destination("covered")
	for text, want := range map[string]bool{
		"2026-02-28": false, "2026-03-01": true, "2026-05-31": true, "2026-06-01": false, "2030-01-01": false,
	} {
		if got := d.BAA.InForce(date(text)); got != want {
			t.Errorf("%s: in force %t, want %t", text, got, want)
		}
	}
	if d.BAA.InForce(time.Time{}) || (access.Agreement{}).InForce(date("2026-03-01")) {
		t.Error("no agreement is in force")
	}
}

func TestAnAllowNeedsItsAgreements(t *testing.T) {
	p := routed(t)
	location, _ := p.Entity("LOCATION")
	for at, want := range map[string]access.EntityAction{
		"2026-02-28": access.ActTokenize, // the BAA is not valid yet
		"2026-03-01": access.ActAllow,
		"2026-03-31": access.ActAllow,
		"2026-04-01": access.ActTokenize, // the DPA has expired
	} {
		r, err := p.Route([]string{"covered"}, date(at))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Action(location); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
	person, _ := p.Entity("PERSON")
	email, _ := p.Entity("EMAIL_ADDRESS")
	for name, entity := range map[access.EntityAction]access.Entity{access.ActBlock: person, access.ActMask: email} {
		for _, at := range []string{"2026-03-01", "2027-01-01"} {
			if r, _ := p.Route([]string{"covered"}, date(at)); r.Action(entity) != name {
				t.Errorf("%s at %s: got %s: only an allow depends on an agreement", name, at, r.Action(entity))
			}
		}
	}
	if r, _ := p.Route([]string{"unsigned"}, date("2026-03-01")); r.Action(location) != access.ActTokenize {
		t.Error("an agreement that was never signed is in force")
	}
	if r, _ := p.Route([]string{"covered"}, time.Time{}); r.Action(location) != access.ActTokenize {
		t.Error("an agreement is in force at no time")
	}
}

// TestAWarnIsAnAllowThatIsTold: it needs the same agreements, and is stricter by
// nothing but the telling.
func TestAWarnIsAnAllowThatIsTold(t *testing.T) {
	p := routed(t)
	location, _ := p.Entity("LOCATION")
	for _, test := range []struct {
		names []string
		at    string
		want  access.EntityAction
	}{
		{[]string{"told"}, "2026-03-15", access.ActWarn},
		{[]string{"told"}, "2026-04-01", access.ActTokenize}, // the DPA has expired
		{[]string{"lax", "told"}, "2026-03-15", access.ActWarn},
		{[]string{"told", "lax"}, "2026-03-15", access.ActWarn},
		{[]string{"told", "default"}, "2026-03-15", access.ActTokenize},
	} {
		r, err := p.Route(test.names, date(test.at))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Action(location); got != test.want || !access.ActWarn.InClear() || access.ActTokenize.InClear() {
			t.Errorf("%v at %s: got %s, want %s", test.names, test.at, got, test.want)
		}
	}
}

func TestAWarnIsRefusedWhereAnAllowIs(t *testing.T) {
	for name, change := range map[string][2]string{
		"the default destination":      {"default: {vendor: v,", "default: {requires: [], actions: {entities: {URL: warn}}, vendor: v,"},
		"what is required is not said": {"    requires: [dpa]\n    training: false\n    vendor_retention_days: 1\n    actions: {classes: {internal: warn}", "    training: false\n    vendor_retention_days: 1\n    actions: {classes: {internal: warn}"},
		"what only looks like a token": {"entities: {URL: mask}}", "entities: {URL: mask, TOKEN_LIKE: warn}}"},
	} {
		bundle := copyOfShipped(t)
		text := strings.Replace(routes, change[0], change[1], 1)
		if text == routes {
			t.Fatalf("%s: nothing was changed", name)
		}
		bundle["destinations.yaml"] = &fstest.MapFile{Data: []byte(text)}
		delete(bundle, "texts/destinations.yaml")
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}

func TestAgreementTwinAnAllowWithoutRequirement(t *testing.T) {
	bundle := copyOfShipped(t)
	bundle["destinations.yaml"] = &fstest.MapFile{Data: []byte(routes)}
	delete(bundle, "texts/destinations.yaml")
	edit(t, bundle, "destinations.yaml#covered", "requires: [baa, dpa]", "requires: []")
	p := load(t, bundle)
	location, _ := p.Entity("LOCATION")
	if r, _ := p.Route([]string{"covered"}, date("2030-01-01")); r.Action(location) != access.ActAllow {
		t.Error("something else than the agreements refused it")
	}
	edit(t, bundle, "destinations.yaml#covered", "    requires: []\n", "")
	if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
		t.Errorf("got %v: what is required must be spelt out where anything is allowed", err)
	}
}

func TestRequiresIsChecked(t *testing.T) {
	for name, requires := range map[string]string{"unknown": "[nda]", "repeated": "[dpa, dpa]", "a word": "dpa"} {
		bundle := copyOfShipped(t)
		edit(t, bundle, "destinations.yaml", "requires: [dpa]", "requires: "+requires)
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}

func TestRoute(t *testing.T) {
	p := routed(t)
	at := date("2026-03-15")
	for _, test := range []struct{ given, want []string }{
		{nil, []string{"default"}},
		{[]string{}, []string{"default"}},
		{[]string{"lax"}, []string{"lax"}},
		{[]string{"lax", "covered", "lax"}, []string{"lax", "covered"}},
	} {
		r, err := p.Route(test.given, at)
		if diff := cmp.Diff(test.want, r.Names()); err != nil || diff != "" {
			t.Errorf("%v: %v %s", test.given, err, diff)
		}
	}
	for _, test := range []struct {
		given []string
		index int
	}{{[]string{"lax", "Lax"}, 1}, {[]string{""}, 0}, {[]string{"lax", "covered", "canary-7f3a"}, 2}} {
		_, err := p.Route(test.given, at)
		var unknown *access.RouteError
		if !errors.As(err, &unknown) || unknown.Index != test.index {
			t.Errorf("%v: got %v, want index %d", test.given, err, test.index)
		} else if mentions(err.Error(), "canary") {
			t.Errorf("the error holds the name: %v", err)
		}
	}
	var none access.Route
	if e, _ := p.Entity("LOCATION"); none.Action(e) != access.ActBlock || none.Payload().Unknown != access.UnknownRefuse {
		t.Error("a route to nowhere lets something through")
	}
}

func TestRoutePayloadIsTheStrictest(t *testing.T) {
	p := routed(t)
	for _, test := range []struct {
		names []string
		want  access.PayloadRules
	}{
		{[]string{"lax"}, access.PayloadRules{Keys: "tokenize", Numbers: "tokenize", Unknown: "skip"}},
		{[]string{"lax", "covered"}, access.PayloadRules{Keys: "block", Numbers: "tokenize", Unknown: "refuse"}},
		{[]string{"lax", "default"}, access.PayloadRules{Keys: "block", Numbers: "block", Unknown: "every_leaf"}},
		{[]string{"default", "covered"}, access.PayloadRules{Keys: "block", Numbers: "block", Unknown: "refuse"}},
	} {
		for range 2 {
			r, err := p.Route(test.names, date("2026-03-15"))
			if diff := cmp.Diff(test.want, r.Payload()); err != nil || diff != "" {
				t.Errorf("%v: %v %s", test.names, err, diff)
			}
			slices.Reverse(test.names)
		}
	}
}

// laxer says whether the route does less to an entity than one of its
// destinations alone.
func laxer(p *access.Policy, names []string, at time.Time, action func(access.Route, access.Entity) access.EntityAction) bool {
	order := []access.EntityAction{access.ActAllow, access.ActWarn, access.ActTokenize, access.ActMask, access.ActBlock}
	all, err := p.Route(names, at)
	if err != nil {
		return true
	}
	for _, name := range names {
		one, err := p.Route([]string{name}, at)
		if err != nil {
			return true
		}
		for _, e := range p.Entities() {
			if slices.Index(order, action(all, e)) < slices.Index(order, one.Action(e)) {
				return true
			}
		}
	}
	return false
}

func TestARouteIsNeverLaxerThanOneOfItsDestinations(t *testing.T) {
	p := routed(t)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"default", "lax", "covered", "unsigned", "told"}), 1, 4).Draw(t, "names")
		at := date("2026-01-01").AddDate(0, 0, rapid.IntRange(0, 200).Draw(t, "day"))
		if laxer(p, names, at, access.Route.Action) {
			t.Fatal("it is")
		}
	})
}

func TestRouteTwinTheLastDestinationAloneIsCaught(t *testing.T) {
	p := routed(t)
	last := func(r access.Route, e access.Entity) access.EntityAction {
		names := r.Names()
		one, err := p.Route(names[len(names)-1:], date("2026-03-15"))
		if err != nil {
			return ""
		}
		return one.Action(e)
	}
	if !laxer(p, []string{"covered", "lax"}, date("2026-03-15"), last) {
		t.Error("a route that takes the last destination passed")
	}
}

func TestRetentionOfSeveralDestinations(t *testing.T) {
	p := retaining(t, "{destination: openai/us, days: 7}", "{destination: anthropic/eu, days: 3}", "{destination: default, days: 5}")
	for _, test := range []struct {
		query access.RetentionQuery
		want  time.Duration
	}{
		{access.RetentionQuery{}, 5 * days},
		{access.RetentionQuery{Destinations: []string{"openai/us"}}, 7 * days},
		{access.RetentionQuery{Destinations: []string{"openai/us", "anthropic/eu"}}, 3 * days},
		{access.RetentionQuery{Destinations: []string{"anthropic/eu", "openai/us"}}, 3 * days},
		{access.RetentionQuery{Destinations: []string{"internal/onprem", "openai/us"}}, 7 * days},
	} {
		test.query.Entity = "PERSON"
		if got := p.Retention(test.query); got != test.want {
			t.Errorf("%+v: got %s, want %s", test.query, got, test.want)
		}
	}
}
