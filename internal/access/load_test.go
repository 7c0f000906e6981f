package access_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/internal/access"
)

func replaceFirst(t testing.TB, text, from, to string) string {
	t.Helper()
	if !strings.Contains(text, from) {
		t.Fatalf("there is no %q", from)
	}
	return strings.Replace(text, from, to, 1)
}

// TestLoadRefuses changes one thing in the shipped bundle, which loads.
func TestLoadRefuses(t *testing.T) {
	const support = "p, support,                 allow, restorer, restore, CUSTOMER_SUPPORT, public|internal|confidential, *, -, full"
	rule := func(columns string) [3]string { return [3]string{"policy.csv", support, columns} }
	retained := func(rule string) [3]string {
		return [3]string{"retention.yaml", "\nrules: []", "\nrules:\n  - " + rule}
	}
	for name, change := range map[string][3]string{
		"role":                    rule("p, support, allow, restorers, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"no role":                 rule("p, support, allow, *, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"effect":                  rule("p, support, permit, restorer, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"action":                  rule("p, support, allow, restorer, restored, CUSTOMER_SUPPORT, public, *, -, full"),
		"reason":                  rule("p, support, allow, restorer, restore, CUSTOMER_SUPORT, public, *, -, full"),
		"any reason":              rule("p, support, allow, restorer, restore, *, public, *, -, full"),
		"class":                   rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public|secret, *, -, full"),
		"any class":               rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, *, *, -, full"),
		"class with a space":      rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public |internal, *, -, full"),
		"entity":                  rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, EMAIL, -, full"),
		"no entity":               rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, -, -, full"),
		"condition":               rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, same_clients, full"),
		"condition by comma":      rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, mfa|same_client, full"),
		"empty condition":         rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, mfa&, full"),
		"attribute":               rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, attr:taem=fraud, full"),
		"attribute without =":     rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, attr:team, full"),
		"attribute value":         rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, attr:team=, full"),
		"environment":             rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, env:prod, full"),
		"conditions that clash":   rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, same_end_user&end_user_absent, full"),
		"a condition twice":       rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, mfa&mfa, full"),
		"two teams at once":       rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, attr:team=a&attr:team=b, full"),
		"second person, restore":  rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, second_person, full"),
		"second person, place":    rule("p, support, allow, legal, hold_place, -, -, -, second_person, -"),
		"second person, denied":   rule("p, support, deny, legal, hold_release, -, -, -, second_person, -"),
		"form":                    rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, -, whole"),
		"no form":                 rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, -, -"),
		"deny with a form":        rule("p, support, deny, restorer, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"id":                      rule("p, Support!, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"id twice":                rule("p, incident, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"a column missing":        rule("p, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, full"),
		"another kind of line":    rule("g, support, allow, restorer, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"quotes":                  rule("p, \"support\nx\", allow, restorer, restore, CUSTOMER_SUPPORT, public, *, -, full"),
		"a reason for tokenize":   rule("p, support, allow, restorer, tokenize, CUSTOMER_SUPPORT, -, -, -, -"),
		"a form for tokenize":     rule("p, support, allow, restorer, tokenize, -, -, -, -, full"),
		"eval":                    {"model.conf", "has_role(r.caller, p.role)", "eval(p.when)"},
		"function":                {"model.conf", "has_role(r.caller, p.role)", "regexMatch(r.caller, p.role)"},
		"arguments":               {"model.conf", "has_role(r.caller, p.role)", "has_role(r.caller, p.role, p.id)"},
		"or":                      {"model.conf", "has_role(r.caller, p.role) &&", "has_role(r.caller, p.role) ||"},
		"not":                     {"model.conf", "has_role(r.caller, p.role) &&", "!has_role(r.caller, p.role) &&"},
		"a constant":              {"model.conf", "has_role(r.caller, p.role)", "true"},
		"a column not matched":    {"model.conf", "has_role(r.caller, p.role) && ", ""},
		"unknown column":          {"model.conf", "has_role(r.caller, p.role)", "has_role(r.caller, p.roles)"},
		"matched too early":       {"model.conf", "m = r.action", "m = matched(r.caller, p.id) && r.action"},
		"allow overrides":         {"model.conf", " && !some(where (p.eft == deny))", ""},
		"request columns":         {"model.conf", "r = action, reason, caller", "r = action, caller, reason"},
		"rule columns":            {"model.conf", "p = id, eft, role", "p = eft, id, role"},
		"a second matcher":        {"model.conf", "[matchers]", "[matchers]\nm2 = r.action == p.action"},
		"a role definition":       {"model.conf", "[policy_effect]", "[role_definition]\ng = (_)\n[policy_effect]"},
		"reason: unknown key":     {"reasons.yaml", "    max_tokens: 20\n", "    max_tokens: 20\n    maxtokens: 20\n"},
		"reason: twice":           {"reasons.yaml", "  FRAUD_REVIEW:", "  CUSTOMER_SUPPORT:"},
		"reason: no version":      {"reasons.yaml", "version: 1\n", ""},
		"reason: code":            {"reasons.yaml", "  FRAUD_REVIEW:", "  fraud:"},
		"reason: tokens":          {"reasons.yaml", "max_tokens: 200\n", "max_tokens: 0\n"},
		"reason: too many":        {"reasons.yaml", "max_tokens: 200\n", "max_tokens: 10001\n"},
		"reason: mfa left out":    {"reasons.yaml", "    mfa: true\n", ""},
		"reason: approvals":       {"reasons.yaml", "restricted: 2}", "secret: 2}"},
		"reason: too few":         {"reasons.yaml", ", restricted: 2}", "}"},
		"reason: negative":        {"reasons.yaml", "restricted: 2}", "restricted: -1}"},
		"reason: reaches":         {"reasons.yaml", "    max_tokens: 1000\n", "    max_tokens: 1000\n  X: {description: y}\n"},
		"reason: no form":         {"reasons.yaml", "    form: full\n", ""},
		"reason: form":            {"reasons.yaml", "form: full", "form: whole"},
		"reason: acr left out":    {"reasons.yaml", "    acr: []\n", ""},
		"reason: acr":             {"reasons.yaml", "acr: []", "acr: ['a|b']"},
		"reason: acr twice":       {"reasons.yaml", "acr: []", "acr: [gold, gold]"},
		"reason: no networks":     {"reasons.yaml", "    networks: []\n", ""},
		"reason: network":         {"reasons.yaml", "networks: []", "networks: [10.0.0.1/8]"},
		"reason: an address":      {"reasons.yaml", "networks: []", "networks: [10.0.0.1]"},
		"reason: IPv4 in IPv6":    {"reasons.yaml", "networks: []", "networks: ['::ffff:10.0.0.0/104']"},
		"reason: network twice":   {"reasons.yaml", "networks: []", "networks: [10.0.0.0/8, 10.0.0.0/8]"},
		"reason: no environments": {"reasons.yaml", "    environments: []\n", ""},
		"reason: environment":     {"reasons.yaml", "environments: []", "environments: [prod]"},
		"reason: no budgets":      {"reasons.yaml", "    budgets: []\n", ""},
		"reason: budget":          {"reasons.yaml", "budgets: []", "budgets: [{per: role, tokens: 1}]"},
		"reason: budget of none":  {"reasons.yaml", "budgets: []", "budgets: [{per: caller, tokens: 0}]"},
		"reason: budget, class":   {"reasons.yaml", "budgets: []", "budgets: [{per: caller, class: secret, tokens: 1}]"},
		"reason: budget, empty":   {"reasons.yaml", "budgets: []", "budgets: [{per: caller, class: '', tokens: 1}]"},
		"reason: budget twice":    {"reasons.yaml", "budgets: []", "budgets: [{per: caller, tokens: 1}, {per: caller, tokens: 2}]"},
		"reason: budget per day":  {"reasons.yaml", "budgets: []", "budgets: [{per: caller, tokens: 1, hours: 24}]"},
		"reason: no notify":       {"reasons.yaml", "    notify: false\n", ""},
		"reason: no review":       {"reasons.yaml", "    review_hours: 0\n", ""},
		"reason: late review":     {"reasons.yaml", "review_hours: 0", "review_hours: 2161"},
		"reason: early review":    {"reasons.yaml", "review_hours: 0", "review_hours: -1"},
		"reason: no consent":      {"reasons.yaml", "    consent: \"\"\n", ""},
		"reason: purpose":         {"reasons.yaml", "consent: marketing", "consent: Marketing letters"},
		"reason: consent, basis":  {"reasons.yaml", "consent: \"\"", "consent: newsletter"},
		"reason: basis, consent":  {"reasons.yaml", "consent: marketing", "consent: \"\""},
		"entity: class":           {"entities.yaml", "{class: confidential, normaliser: email}", "{class: secret, normaliser: email}"},
		"entity: normaliser":      {"entities.yaml", "{class: confidential, normaliser: email}", "{class: confidential, normaliser: mail}"},
		"entity: format":          {"entities.yaml", "{class: confidential, normaliser: email}", "{class: confidential, normaliser: email, format: card}"},
		"entity: action":          {"entities.yaml", "{class: confidential, normaliser: email}", "{class: confidential, normaliser: email, action: drop}"},
		"entity: kept too long":   {"entities.yaml", "{class: confidential, normaliser: email}", "{class: confidential, normaliser: email, retention_days: 91}"},
		"entity: name":            {"entities.yaml", "  EMAIL_ADDRESS: ", "  E-MAIL: "},
		"entity: long name":       {"entities.yaml", "  EMAIL_ADDRESS: ", "  EMAIL_ADDRESS_OF_A_PERSON_ON_EARTH: "},
		"entity: no TOKEN_LIKE":   {"entities.yaml", "  TOKEN_LIKE: ", "  LIKE_TOKEN: "},
		"entity: TOKEN_LIKE":      {"entities.yaml", "{class: public, normaliser: exact}", "{class: internal, normaliser: exact}"},
		"entity: format version":  {"entities.yaml", "version: 1", "version: 2"},
		"entity: class days":      {"entities.yaml", "internal: 180, ", ""},
		"destination: allow":      {"destinations.yaml", "    vendor_retention_days: 3650\n", "    vendor_retention_days: 3650\n    actions: {classes: {internal: allow}}\n"},
		"destination: default":    {"destinations.yaml", "  default:", "  fallback:"},
		"destination: entity":     {"destinations.yaml", "        LOCATION: allow", "        PLACE: allow"},
		"destination: action":     {"destinations.yaml", "        LOCATION: allow", "        LOCATION: pass"},
		"destination: look-alike": {"destinations.yaml", "        LOCATION: allow", "        TOKEN_LIKE: allow"},
		"destination: keys":       {"destinations.yaml", "    vendor_retention_days: 3650\n", "    vendor_retention_days: 3650\n    payload: {keys: allow}\n"},
		"destination: numbers":    {"destinations.yaml", "    vendor_retention_days: 3650\n", "    vendor_retention_days: 3650\n    payload: {numbers: mask}\n"},
		"destination: unknown":    {"destinations.yaml", "    vendor_retention_days: 0\n", "    vendor_retention_days: 0\n    payload: {unknown: pass}\n"},
		"destination: skip":       {"destinations.yaml", "    vendor_retention_days: 3650\n", "    vendor_retention_days: 3650\n    payload: {unknown: skip}\n"},
		"destination: date":       {"destinations.yaml", "dpa: {ref: DPA-EXAMPLE-1, valid_from: 2026-01-01", "dpa: {ref: DPA-EXAMPLE-1, valid_from: 2026-13-01"},
		"destination: backwards":  {"destinations.yaml", "dpa: {ref: DPA-EXAMPLE-1, valid_from: 2026-01-01", "dpa: {ref: DPA-EXAMPLE-1, valid_from: 2029-01-01"},
		"destination: training":   {"destinations.yaml", "    requires: []\n    training: false\n", "    requires: []\n"},
		"two documents":           {"destinations.yaml", "version: 1\n", "version: 1\n---\nversion: 1\n"},
		"retention: unknown key":  retained("{tenant: acme, day: 7}"),
		"retention: unknown name": retained("{tenants: acme, days: 7}"),
		"retention: tenant":       retained("{tenant: ACME, days: 7}"),
		"retention: class":        retained("{class: secret, days: 7}"),
		"retention: entity":       retained("{entity: E_MAIL, days: 7}"),
		"retention: destination":  retained("{destination: openai/mars, days: 7}"),
		"retention: scope kind":   retained("{scope_kind: chat, days: 7}"),
		"retention: empty":        retained("{tenant: acme, entity: '', days: 7}"),
		"retention: all":          retained("{days: 7}"),
		"retention: zero days":    retained("{tenant: acme, days: 0}"),
		"retention: zero hours":   retained("{tenant: acme, hours: 0}"),
		"retention: too long":     retained("{tenant: acme, days: 3651}"),
		"retention: many hours":   retained("{tenant: acme, hours: 87601}"),
		"retention: both":         retained("{tenant: acme, days: 1, hours: 24}"),
		"retention: neither":      retained("{tenant: acme}"),
		"retention: never":        retained("{class: public, entity: PERSON, days: 7}"),
		"retention: a word":       retained("{tenant: acme, days: week}"),
		"retention: version":      {"retention.yaml", "version: 1", "version: 2"},
		"retention: records":      {"retention.yaml", "requests_days: 730}", "requests_days: 729}"},
		"retention: log short":    {"retention.yaml", "tokenize_months: 13", "tokenize_months: 12"},
		"retention: other short":  {"retention.yaml", "other_months: 84", "other_months: 83"},
		"retention: hipaa name":   {"retention.yaml", "hipaa: []", "hipaa: [Not a name]"},
		"retention: hipaa twice":  {"retention.yaml", "hipaa: []", "hipaa: [a, a]"},
		"retention: no records":   {"retention.yaml", "records: {requests_days: 730}", ""},
		"retention: records long": {"retention.yaml", "requests_days: 730}", "requests_days: 3651}"},
		"table: second person":    {"decisions/hold_place.yaml", "gets: allowed", "second_person: true\n    gets: allowed"},
		"table: unknown key":      {"decisions/tokenize.yaml", "action: tokenize\n", "action: tokenize\nreasons: X\n"},
		"table: role":             {"decisions/tokenize.yaml", "who: [restorer", "who: [restorers"},
		"table: why":              {"decisions/tokenize.yaml", "because: no_rule", "because: weather"},
		"table: reason":           {"decisions/break_glass.yaml", "reason: BREAK_GLASS\n", "reason: GLASS\n"},
		"table: outcome":          {"decisions/subject_access.yaml", "gets: full", "gets: everything"},
		"table: fact":             {"decisions/subject_access.yaml", "gets: full", "with: mfa\n    gets: full"},
	} {
		t.Run(name, func(t *testing.T) {
			bundle := copyOfShipped(t)
			file := bundle[change[0]]
			file.Data = []byte(replaceFirst(t, string(file.Data), change[1], change[2]))
			if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
				t.Errorf("got %v, want the bundle refused", err)
			} else if !strings.Contains(err.Error(), change[0]) {
				t.Errorf("the error does not name %s: %v", change[0], err)
			}
		})
	}
}

// A rule may not give more than its reason says that anybody gets.
func TestLoadRefusesARuleThatIsFullerThanItsReason(t *testing.T) {
	bundle := copyOfShipped(t)
	edit(t, bundle, "reasons.yaml#FRAUD_REVIEW", "form: full", "form: partial")
	if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) || !strings.Contains(err.Error(), "policy.csv") {
		t.Errorf("got %v, want the bundle refused", err)
	}
	edit(t, bundle, "policy.csv", "attr:team=fraud, full", "attr:team=fraud, partial")
	load(t, bundle)
}

func TestLoadRefusesReferencePatterns(t *testing.T) {
	for _, pattern := range []string{"", "[0-9]+", "^[0-9]+", "[0-9]+$", "^[$", "^" + strings.Repeat("a", 300) + "$"} {
		bundle := copyOfShipped(t)
		text := string(bundle["reasons.yaml"].Data)
		bundle["reasons.yaml"].Data = []byte(replaceFirst(t, text, "'^[A-Z][A-Z0-9]+-?[0-9]+$'", "'"+pattern+"'"))
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
			t.Errorf("pattern %q: got %v, want the bundle refused", pattern, err)
		}
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	for name, change := range map[string]func(fstest.MapFS){
		"missing":              func(b fstest.MapFS) { delete(b, "reasons.yaml") },
		"without retention":    func(b fstest.MapFS) { delete(b, "retention.yaml") },
		"misspelt":             func(b fstest.MapFS) { b["reason.yaml"] = b["reasons.yaml"] },
		"empty":                func(b fstest.MapFS) { b["entities.yaml"].Data = nil },
		"too large":            func(b fstest.MapFS) { b["policy.csv"].Data = make([]byte, 1<<20+1) },
		"a table of no kind":   func(b fstest.MapFS) { b["decisions/x.csv"] = &fstest.MapFile{} },
		"a table with nothing": func(b fstest.MapFS) { b["decisions/x.yaml"] = &fstest.MapFile{} },
	} {
		t.Run(name, func(t *testing.T) {
			bundle := copyOfShipped(t)
			change(bundle)
			if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
				t.Errorf("got %v, want the bundle refused", err)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	version := shipped(t).Version()
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(version) {
		t.Fatalf("version %q is not a lower hex SHA-256", version)
	}
	for _, file := range []string{"model.conf", "policy.csv", "reasons.yaml", "entities.yaml", "destinations.yaml", "retention.yaml", "overlays.yaml", "separation.yaml", "operations.yaml"} {
		bundle := copyOfShipped(t)
		bundle[file].Data = append(bundle[file].Data, '\n')
		if load(t, bundle).Version() == version {
			t.Errorf("a changed %s has the same version", file)
		}
	}
	bundle := copyOfShipped(t)
	bundle["decisions/scope.yaml"].Data = append(bundle["decisions/scope.yaml"].Data, '\n')
	bundle["README.md"] = &fstest.MapFile{Data: []byte("x")}
	if load(t, bundle).Version() != version {
		t.Error("what does not decide changed the version")
	}
}

func FuzzLoad(f *testing.F) {
	bundle := copyOfShipped(f)
	seeds := 0
	for name, file := range bundle {
		f.Add(name, string(file.Data))
		seeds++
	}
	for _, text := range []string{"[role_definition]\ng = (_)", "p, \"a", "version: 1\nreasons: {A: {}}", "{", "- ", "&a [*a]",
		"version: 1\ntenants: {acme: {reasons: {LLM_RESPONSE: {hours: {zone: UTC, days: [mon], from: '22:00', to: '02:00'}}}}}",
	} {
		for _, name := range []string{
			"model.conf", "policy.csv", "reasons.yaml", "overlays.yaml", "destinations.yaml", "retention.yaml",
			"separation.yaml", "operations.yaml", "decisions/scope.yaml",
		} {
			f.Add(name, text)
			seeds++
		}
	}
	if seeds < 20 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		changed := fstest.MapFS{}
		for n, file := range bundle {
			changed[n] = file
		}
		changed[name] = &fstest.MapFile{Data: []byte(text)}
		p, err := access.Load(changed)
		if (p == nil) == (err == nil) {
			t.Fatal("Load must give a policy or an error")
		}
		if err == nil {
			// Whatever was loaded: the zero request is refused.
			if d := p.Decide(access.Request{}); d.Allow {
				t.Fatal("the zero request is allowed")
			}
		}
	})
}
