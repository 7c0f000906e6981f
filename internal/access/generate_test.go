package access_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// generatedReason is one reason drawn from all that a reason can say. A field is
// the text of the file.
type generatedReason struct {
	gdpr, entities, form, places, tools, approvals, mfa, acr, hours, networks, environments string
	budgets, notify, review, consent, held, restricted                                      string
}

func (g generatedReason) yaml(code string) string {
	hours := ""
	if g.hours != "" {
		hours = "    hours: " + g.hours + "\n"
	}
	return fmt.Sprintf(`
  %s:
    description: Generated.
    legal_basis: {gdpr: %s, hipaa: none}
    reference: {required: false, pattern: '^[A-Z]+-[0-9]+$'}
    classes: [public, internal, confidential, restricted]
    entities: %s
    form: %s
    places: %s
    tools: %s
    approvals: %s
    mfa: %s
    acr: %s
%s    networks: %s
    environments: %s
    max_tokens: 10
    budgets: %s
    notify: %s
    review_hours: %s
    consent: %s
    reaches: {held: %s, restricted: %s}
`, code, g.gdpr, g.entities, g.form, g.places, g.tools, g.approvals, g.mfa, g.acr, hours, g.networks, g.environments,
		g.budgets, g.notify, g.review, g.consent, g.held, g.restricted)
}

const (
	dayHours   = "{zone: Europe/Berlin, days: [mon, tue, wed, thu, fri, sun], from: '05:30', to: '20:00'}"
	nightHours = "{zone: America/New_York, days: [sun, mon, tue, wed, sat], from: '14:00', to: '09:15'}"
)

// rarely picks the first in most cases, so that many requests are allowed still.
func rarely(rng *rand.Rand, mostly string, others ...string) string {
	if rng.IntN(4) > 0 {
		return mostly
	}
	return pick(rng, others...)
}

func drawReason(rng *rand.Rand) generatedReason {
	g := generatedReason{
		gdpr: "none", form: rarely(rng, "full", "partial", "masked"), places: "[prose, code]", tools: "[]",
		entities: pick(rng, `["*"]`, `["*"]`, "[EMAIL_ADDRESS, US_SSN, TOKEN_LIKE]"),
		approvals: fmt.Sprintf("{public: 0, internal: %d, confidential: %d, restricted: %d}",
			rng.IntN(2), rng.IntN(2), rng.IntN(3)),
		mfa: rarely(rng, "false", "true"), acr: rarely(rng, "[]", "[gold]", "[silver, gold]"),
		hours: rarely(rng, "", dayHours, nightHours), networks: rarely(rng, "[]", "[10.0.0.0/8, 'fd00::/8']"),
		environments: rarely(rng, "[]", "[production, staging]"),
		budgets: pick(rng, "[]", "[{per: caller, tokens: 100}]",
			"[{per: tenant, class: restricted, tokens: 50}, {per: end_user, tokens: 7}]"),
		notify: rarely(rng, "false", "true"), review: rarely(rng, "0", "72"), consent: `""`,
		held: pick(rng, "false", "true"), restricted: pick(rng, "false", "true"),
	}
	if rng.IntN(3) == 0 {
		g.places, g.tools = "[prose, tool]", "[send_mail, look_up]"
	}
	if rng.IntN(5) == 0 {
		g.gdpr, g.consent = "Art. 6(1)(a) consent", "newsletter"
	}
	return g
}

// narrower is what a tenant takes away from the reason.
func (g generatedReason) narrower(rng *rand.Rand) string {
	if rng.IntN(8) == 0 {
		return "{enabled: false}"
	}
	parts := []string{"classes: [public, restricted]", "approvals: {public: 1, restricted: 2}", "max_tokens: 3"}
	if strings.Contains(g.entities, "*") {
		parts = append(parts, "entities: [EMAIL_ADDRESS, PERSON, US_SSN]")
	} else {
		parts = append(parts, "entities: [US_SSN]")
	}
	parts = append(parts,
		map[string]string{"full": "form: partial", "partial": "form: masked", "masked": "form: masked"}[g.form],
		"mfa: true", "acr: [gold]", "networks: [10.1.0.0/16]", "environments: [production]", "places: [prose]",
		"budgets: [{per: caller, class: restricted, tokens: 5}, {per: end_user, tokens: 6}]", "notify: true",
		"review_hours: 24")
	if g.hours == nightHours {
		parts = append(parts, "hours: {zone: America/New_York, days: [sun, sat], from: '15:00', to: '08:00'}")
	} else {
		parts = append(parts, "hours: {zone: Europe/Berlin, days: [mon, tue, sun], from: '06:00', to: '19:59'}")
	}
	if strings.Contains(g.places, "tool") {
		parts = append(parts, "places: [tool], tools: [look_up]")
	}
	seen, chosen := map[string]bool{}, []string{}
	for range 1 + rng.IntN(3) {
		part := pick(rng, parts...)
		if name, _, _ := strings.Cut(part, ":"); !seen[name] {
			seen[name], chosen = true, append(chosen, part)
		}
	}
	return "{" + strings.Join(chosen, ", ") + "}"
}

// generated is the shipped bundle with that many reasons, and that many rules
// about them, drawn from everything that a rule can say, and overlays for two
// tenants.
func generated(t testing.TB, rng *rand.Rand, reasons, rules int) fstest.MapFS {
	t.Helper()
	bundle := copyOfShipped(t)
	drawn := make([]generatedReason, reasons)
	yaml, overlays := "version: 1\nreasons:\n", map[string]string{}
	for i := range drawn {
		drawn[i] = drawReason(rng)
		yaml += drawn[i].yaml(code(i))
		for _, tenant := range []string{"acme", "bank"} {
			if rng.IntN(2) == 0 {
				overlays[tenant] += "      " + code(i) + ": " + drawn[i].narrower(rng) + "\n"
			}
		}
	}
	overlay := "version: 1\ntenants:\n  nobody: {reasons: {}}\n"
	for _, tenant := range []string{"acme", "bank"} {
		if overlays[tenant] != "" {
			overlay += "  " + tenant + ":\n    reasons:\n" + overlays[tenant]
		}
	}
	csv := ""
	for i := range rules {
		csv += drawGrant(rng, i, code(i%reasons), drawn[i%reasons].form)
	}
	bundle["reasons.yaml"] = &fstest.MapFile{Data: []byte(yaml)}
	bundle["overlays.yaml"] = &fstest.MapFile{Data: []byte(overlay)}
	bundle["policy.csv"] = &fstest.MapFile{Data: []byte(csv)}
	for name := range bundle {
		if strings.HasPrefix(name, "decisions/") {
			delete(bundle, name)
		}
	}
	return bundle
}

func drawGrant(rng *rand.Rand, i int, code, form string) string {
	forms := map[string][]string{"full": {"full", "partial", "masked"}, "partial": {"partial", "masked"}, "masked": {"masked"}}
	effect, form := "allow", pick(rng, forms[form]...)
	if rng.IntN(6) == 0 {
		effect, form = "deny", "-"
	}
	return fmt.Sprintf("p, r%d, %s, %s, restore, %s, %s, %s, %s, %s\n", i, effect, pick(rng, access.Roles()...), code,
		pick(rng, "public|internal|confidential|restricted", "restricted", "public|confidential"),
		pick(rng, "*", "*", "EMAIL_ADDRESS", "US_SSN|EMAIL_ADDRESS"),
		pick(rng, "-", "-", "same_client", "same_client&same_end_user", "end_user_absent", "mfa", "end_user_other",
			"same_client&attr:team=fraud", "attr:on_call=true&mfa", "env:production", "end_user_not_other"),
		form)
}

func code(i int) string { return fmt.Sprintf("REASON_%d", i) }

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// hostile are values that a careless matcher could take for something else.
var hostile = []string{
	"", "*", "-", "|", "&", ",", "\n", "p", "public|internal", "restricted|", "gateway|restorer",
	"gateway,restorer", "restorer\n", " restorer", "RESTORER", "restorer\x00", "LLM_RESPONSE,CUSTOMER_SUPPORT",
	"CUSTOMER_SUPPORT ", "CUSTOMER_SUPPORT|FRAUD_REVIEW", "EMAIL_ADDRESS|US_SSN", "EMAIL_ADDRESS\n", "fraud&mfa",
	"true|false", "team=fraud", "full", "same_client", "\"restorer\"", "r.action", "2020-01-01",
}

var knownCodes sync.Map // of a *access.Policy, whose catalogue is costly to copy for each request

func codesOf(p *access.Policy) []string {
	if known, ok := knownCodes.Load(p); ok {
		return known.([]string)
	}
	var out []string
	for _, r := range p.Reasons() {
		out = append(out, r.Code)
	}
	knownCodes.Store(p, out)
	return out
}

// randomRequest draws a request, mostly of what exists, sometimes hostile.
func randomRequest(rng *rand.Rand, p *access.Policy) access.Request {
	reasons := codesOf(p)
	word := func(from []string) string {
		if rng.IntN(25) == 0 {
			return pick(rng, hostile...)
		}
		return pick(rng, from...)
	}
	entity := word([]string{"EMAIL_ADDRESS", "US_SSN", "PERSON", "LOCATION", "CREDIT_CARD", access.EntityTokenLike})
	r := access.Request{
		Action: access.ActionRestore, Reason: word(reasons), Entity: entity,
		SameClient: rng.IntN(4) > 0, MFA: rng.IntN(2) == 0, SecondPerson: rng.IntN(2) == 0,
		EndUser:     access.EndUserMatch(word([]string{"unbound", "same", "same", "absent", "other"})),
		Place:       access.Place(word([]string{"prose", "prose", "prose", "code", "url", "tool"})),
		Tool:        word([]string{"", "send_mail", "other"}),
		Held:        rng.IntN(8) == 0,
		Restricted:  rng.IntN(8) == 0,
		Environment: word([]string{"", "production", "staging"}),
		Attributes:  map[string]string{},
	}
	for range 1 + rng.IntN(3) {
		r.Roles = append(r.Roles, word(access.Roles()))
	}
	r.Tenant, r.ACR = word([]string{"", "", "acme", "bank", "nobody", "unknown"}), word([]string{"", "silver", "gold", "gold"})
	r.Approved, r.Consented = rng.IntN(4), rng.IntN(4) > 0
	if rng.IntN(10) > 0 {
		r.At = time.Date(2026, time.Month(1+rng.IntN(12)), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60), rng.IntN(60), 0, time.UTC)
	}
	r.Address, _ = netip.ParseAddr(word([]string{"10.1.2.3", "10.1.255.255", "::ffff:10.9.9.9", "fd12::1", "192.0.2.1", ""}))
	if e, ok := p.Entity(entity); ok {
		r.Class = e.Class
	}
	if rng.IntN(5) == 0 {
		r.Class = access.Class(word([]string{"public", "internal", "confidential", "restricted"}))
	}
	if rng.IntN(2) == 0 {
		r.Attributes["team"] = word([]string{"fraud", "other"})
	}
	if rng.IntN(2) == 0 {
		r.Attributes["on_call"] = word([]string{"true", "false"})
	}
	if rng.IntN(5) == 0 {
		r.Action = pick(rng, access.Actions()...)
		if rng.IntN(25) == 0 {
			r.Action = access.Action(pick(rng, hostile...))
		}
		if rng.IntN(4) > 0 {
			r.Reason, r.Entity, r.Class = "", "", ""
		}
	}
	return r
}
