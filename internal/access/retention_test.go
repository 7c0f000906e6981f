package access_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/access"
)

const days = 24 * time.Hour

// retaining is the shipped policy with rules of retention.
func retaining(t testing.TB, rules ...string) *access.Policy {
	t.Helper()
	bundle := copyOfShipped(t)
	if len(rules) > 0 {
		edit(t, bundle, "retention.yaml", "\nrules: []", "\nrules:\n  - "+strings.Join(rules, "\n  - "))
	}
	return load(t, bundle)
}

func TestShippedRetention(t *testing.T) {
	p := shipped(t)
	for _, e := range p.Entities() {
		q := access.RetentionQuery{Tenant: "acme", Entity: e.Name, Destinations: []string{"openai/us"}, ScopeKind: "case"}
		if got := p.Retention(q); got != e.Retention || got == 0 {
			t.Errorf("%s: kept for %s, want what its class has", e.Name, got)
		}
	}
	if got := p.RequestsRetention(); got != 730*days {
		t.Errorf("requests are kept for %s", got)
	}
	want := []access.RetentionRule{
		{Class: "public", For: 365 * days}, {Class: "internal", For: 180 * days},
		{Class: "confidential", For: 90 * days}, {Class: "restricted", For: 30 * days},
	}
	if diff := cmp.Diff(want, p.RetentionRules("acme")); diff != "" {
		t.Error(diff)
	}
	if got := p.Retention(access.RetentionQuery{Entity: "SHOE_SIZE"}); got != 0 {
		t.Errorf("what is no entity is kept for %s", got)
	}
}

// The examples in the comments of the shipped file are rules that load.
func TestRetentionExamplesLoad(t *testing.T) {
	var rules []string
	for line := range strings.SplitSeq(string(copyOfShipped(t)["retention.yaml"].Data), "\n") {
		if rule, ok := strings.CutPrefix(line, "#   - "); ok {
			rules = append(rules, rule)
		}
	}
	if len(rules) < 3 {
		t.Fatalf("only %d examples", len(rules))
	}
	if got := len(retaining(t, rules...).RetentionRules("acme")); got != 4+len(rules) {
		t.Errorf("%d rules in force", got)
	}
}

func TestRetention(t *testing.T) {
	p := retaining(t,
		"{tenant: acme, scope_kind: conversation, hours: 12}",
		"{destination: openai/us, class: restricted, days: 7}",
		"{destination: default, days: 60}",
		"{entity: CREDIT_CARD, days: 3}",
		"{class: restricted, days: 3650}",
	)
	for name, test := range map[string]struct {
		q    access.RetentionQuery
		want time.Duration
	}{
		"no rule":                   {access.RetentionQuery{Tenant: "acme", Entity: "PERSON", Destinations: []string{"openai/us"}, ScopeKind: "case"}, 90 * days},
		"tenant and kind":           {access.RetentionQuery{Tenant: "acme", Entity: "PERSON", Destinations: []string{"openai/us"}, ScopeKind: "conversation"}, 12 * time.Hour},
		"another tenant":            {access.RetentionQuery{Tenant: "acme2", Entity: "PERSON", Destinations: []string{"openai/us"}, ScopeKind: "conversation"}, 90 * days},
		"a longer rule counts less": {access.RetentionQuery{Tenant: "x", Entity: "US_SSN", Destinations: []string{"anthropic/eu"}}, 30 * days},
		"destination and class":     {access.RetentionQuery{Tenant: "x", Entity: "US_SSN", Destinations: []string{"openai/us"}}, 7 * days},
		"the entity before both":    {access.RetentionQuery{Tenant: "x", Entity: "CREDIT_CARD", Destinations: []string{"openai/us"}}, 3 * days},
		"no destination is default": {access.RetentionQuery{Tenant: "x", Entity: "PERSON"}, 60 * days},
		"an unknown destination":    {access.RetentionQuery{Tenant: "x", Entity: "PERSON", Destinations: []string{"elsewhere"}}, 90 * days},
		"the class is the entity's": {access.RetentionQuery{Tenant: "x", Entity: "LOCATION", Destinations: []string{"openai/us"}}, 180 * days},
	} {
		if got := p.Retention(test.q); got != test.want {
			t.Errorf("%s: kept for %s, want %s", name, got, test.want)
		}
	}
}

func TestRetentionRulesOfATenant(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "entities.yaml", "{class: confidential, normaliser: email}", "{class: confidential, normaliser: email, retention_days: 7}")
	edit(t, bundle, "retention.yaml", "rules: []\n", "rules:\n  - {tenant: acme, days: 5}\n  - {tenant: globex, days: 1}\n  - {scope_kind: user, hours: 36}\n")
	got := load(t, bundle).RetentionRules("acme")[4:]
	want := []access.RetentionRule{
		{Entity: "EMAIL_ADDRESS", For: 7 * days}, {Tenant: "acme", For: 5 * days}, {ScopeKind: "user", For: 36 * time.Hour},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRetentionIsImmutable(t *testing.T) {
	p := retaining(t, "{tenant: acme, days: 5}")
	before := p.RetentionRules("acme")
	clear(p.RetentionRules("acme"))
	clear(access.ScopeKinds())
	if diff := cmp.Diff(before, p.RetentionRules("acme")); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(access.ScopeKinds(), "corpus") {
		t.Error("the list of kinds was changed")
	}
}

// drawRule draws a rule that loads.
func drawRule(t *rapid.T, label string) string {
	parts := []string{"tenant: " + rapid.SampledFrom([]string{"acme", "globex"}).Draw(t, label+" tenant")}
	add := func(field string, from []string) {
		if rapid.Bool().Draw(t, label+" "+field) {
			parts = append(parts, field+": "+rapid.SampledFrom(from).Draw(t, label+" "+field+" name"))
		}
	}
	// A class and an entity of another one would be refused.
	if rapid.Bool().Draw(t, label+" by class") {
		add("class", []string{"public", "internal", "confidential", "restricted"})
	} else {
		add("entity", []string{"PERSON", "US_SSN", "LOCATION"})
	}
	add("destination", []string{"default", "openai/us"})
	add("scope_kind", access.ScopeKinds())
	if rapid.Bool().Draw(t, label+" without tenant") && len(parts) > 1 {
		parts = parts[1:]
	}
	unit := rapid.SampledFrom([]string{"days", "hours"}).Draw(t, label+" unit")
	return fmt.Sprintf("{%s, %s: %d}", strings.Join(parts, ", "), unit, rapid.IntRange(1, 400).Draw(t, label+" length"))
}

func everyRetentionQuery() []access.RetentionQuery {
	var out []access.RetentionQuery
	for _, tenant := range []string{"", "acme", "globex", "other"} {
		for _, entity := range []string{"PERSON", "US_SSN", "LOCATION", "CREDIT_CARD", "SHOE_SIZE"} {
			for _, destinations := range [][]string{nil, {"default"}, {"openai/us"}, {"anthropic/eu", "openai/us"}} {
				for _, kind := range append(access.ScopeKinds(), "") {
					out = append(out, access.RetentionQuery{Tenant: tenant, Entity: entity, Destinations: destinations, ScopeKind: kind})
				}
			}
		}
	}
	return out
}

// lengthened names what is kept for longer by the second than by the first.
func lengthened(fewer, more func(access.RetentionQuery) time.Duration) string {
	for _, q := range everyRetentionQuery() {
		if a, b := fewer(q), more(q); b > a {
			return fmt.Sprintf("%+v: %s, then %s", q, a, b)
		}
	}
	return ""
}

func TestARuleNeverLengthens(t *testing.T) {
	// Nothing but the catalogue is needed: rules of access only take time to load.
	bundle := fstest.MapFS{}
	for name, file := range copyOfShipped(t) {
		if !strings.HasPrefix(name, "decisions/") {
			bundle[name] = file
		}
	}
	bundle["policy.csv"] = &fstest.MapFile{}
	text := string(bundle["retention.yaml"].Data)
	rapid.Check(t, func(t *rapid.T) {
		var rules []string
		before := propertyPolicies()[0]
		for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
			rules = slices.Insert(rules, rapid.IntRange(0, len(rules)).Draw(t, "at"), drawRule(t, fmt.Sprint(i)))
			changed := maps.Clone(bundle)
			changed["retention.yaml"] = &fstest.MapFile{
				Data: []byte(strings.Replace(text, "\nrules: []", "\nrules:\n  - "+strings.Join(rules, "\n  - "), 1)),
			}
			after := load(discard{}, changed)
			if longer := lengthened(before.Retention, after.Retention); longer != "" {
				t.Fatalf("%v: %s", rules, longer)
			}
			before = after
		}
	})
}

func TestARuleNeverLengthensTwinTheLastRuleThatMatches(t *testing.T) {
	p := retaining(t, "{entity: PERSON, days: 5}", "{tenant: acme, days: 60}")
	last := func(q access.RetentionQuery) time.Duration {
		out := p.Retention(q)
		if q.Tenant == "acme" {
			out = 60 * days
		}
		return out
	}
	if lengthened(p.Retention, last) == "" {
		t.Error("a rule that lengthens passed")
	}
}

func TestRolesOf(t *testing.T) {
	p := shipped(t)
	for name, test := range map[string]struct{ ids, want []string }{
		"none":             {nil, nil},
		"one":              {[]string{"subject-access"}, []string{"privacy_officer"}},
		"of one role":      {[]string{"llm-unbound", "llm-same-end-user"}, []string{"gateway"}},
		"sorted":           {[]string{"support", "discovery", "llm-unbound"}, []string{"gateway", "legal", "restorer"}},
		"an older policy":  {[]string{"gone", "support"}, []string{"restorer"}},
		"nothing of today": {[]string{"gone", "restorer", ""}, nil},
	} {
		if diff := cmp.Diff(test.want, p.RolesOf(test.ids)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestLogRetention: leaves of tokenize entries may go after a year and a month, all
// others after seven years, and of a tenant under HIPAA nothing before six.
func TestLogRetention(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "retention.yaml", "hipaa: []", "hipaa: [clinic]")
	policy := load(t, bundle)
	for tenant, want := range map[string][2]int{"acme": {13, 84}, "clinic": {72, 84}} {
		kept := policy.LogRetention(tenant)
		if len(kept) != 2 || !kept[0].Tokenize || kept[0].Months != want[0] || kept[1].Tokenize || kept[1].Months != want[1] {
			t.Errorf("of %s it keeps %+v, want %v", tenant, kept, want)
		}
	}
	if names := policy.NamedTenants(); len(names) != 1 || names[0] != "clinic" {
		t.Errorf("it names %v", names)
	}
	edit(t, bundle, "retention.yaml", "log: {tokenize_months: 13, other_months: 84, hipaa: [clinic]}", "")
	if kept := load(t, bundle).LogRetention("clinic"); kept[0].Months != 13 || kept[1].Months != 84 {
		t.Errorf("a bundle of before has %+v", kept)
	}
}
