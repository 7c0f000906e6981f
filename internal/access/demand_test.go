package access_test

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// demand is one thing that a reason demands of the caller or the moment: the line
// of the file with and without it, a request that lacks it, and what it is told.
type demand struct {
	with, without string
	lacking       func(*access.Request)
	why           access.Why
	granted       bool // in the best case
}

var demands = map[string]demand{
	"mfa": {
		"mfa: true", "mfa: false", func(r *access.Request) { r.MFA = false }, access.WhyMFA, false,
	},
	"acr": {
		"acr: [gold, 'urn:example:platinum']", "acr: []", func(r *access.Request) { r.ACR = "silver" }, access.WhyMFA, false,
	},
	"hours": {
		"hours: {zone: Europe/Berlin, days: [mon, tue], from: '08:00', to: '18:00'}", "",
		func(r *access.Request) { r.At = r.At.Add(9 * time.Hour) }, access.WhyHours, false,
	},
	"no time": {
		"hours: {zone: Europe/Berlin, days: [mon, tue], from: '08:00', to: '18:00'}", "",
		func(r *access.Request) { r.At = time.Time{} }, access.WhyHours, false,
	},
	"networks": {
		"networks: [10.0.0.0/8, 'fd00::/8']", "networks: []",
		func(r *access.Request) { r.Address = netip.MustParseAddr("11.0.0.1") }, access.WhyNetwork, false,
	},
	"no address": {
		"networks: [0.0.0.0/0, '::/0']", "networks: []",
		func(r *access.Request) { r.Address = netip.Addr{} }, access.WhyNetwork, false,
	},
	"environments": {
		"environments: [production]", "environments: []",
		func(r *access.Request) { r.Environment = "staging" }, access.WhyAttribute, false,
	},
	"consent": {
		"consent: newsletter", `consent: ""`, func(r *access.Request) { r.Consented = false }, access.WhyConsent, true,
	},
	"approvals": {
		"approvals: {public: 0, internal: 0, confidential: 1, restricted: 3}", "approvals: {public: 0, internal: 0, confidential: 1, restricted: 2}",
		func(r *access.Request) { r.Approved = 2 }, access.WhyNeedsApproval, true,
	},
}

// demanding is the shipped bundle in which customer support needs that.
func demanding(t testing.TB, name, line string) fstest.MapFS {
	t.Helper()
	bundle := copyOfShipped(t)
	const reason = "reasons.yaml#CUSTOMER_SUPPORT"
	switch field, _, _ := strings.Cut(demands[name].with, ":"); field {
	case "hours":
		if line != "" {
			edit(t, bundle, reason, "    acr: []\n", "    acr: []\n    "+line+"\n")
		}
	case "approvals":
		edit(t, bundle, reason, "approvals: {public: 0, internal: 0, confidential: 1, restricted: 2}", line)
	case "consent":
		edit(t, bundle, reason, `consent: ""`, line)
		if !strings.Contains(line, `""`) {
			edit(t, bundle, reason, "Art. 6(1)(b)", "Art. 6(1)(a)")
		}
	default:
		edit(t, bundle, reason, field+": "+map[string]string{"mfa": "false"}[field]+map[bool]string{true: "[]"}[field != "mfa"], line)
	}
	return bundle
}

// complete is a request that lacks nothing: Monday, half past eight in London.
func complete() access.Request {
	r := approved(3, restorer("CUSTOMER_SUPPORT"))
	r.MFA, r.ACR, r.Consented, r.Environment = true, "gold", true, "production"
	r.At = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)
	r.Address = netip.MustParseAddr("::ffff:10.1.2.3")
	return r
}

func TestDemandsOfAReason(t *testing.T) {
	for name, d := range demands {
		t.Run(name, func(t *testing.T) {
			p := load(t, demanding(t, name, d.with))
			if got := p.Decide(complete()); !got.Allow {
				t.Errorf("a request that lacks nothing: got %+v", got)
			}
			lacking := with(complete(), d.lacking)
			if got := p.Decide(lacking); got.Allow || got.Why != d.why {
				t.Errorf("got %+v, want a denial for want of %s", got, d.why)
			}
			if got := p.Best(lacking); got.Allow != d.granted || !d.granted && got.Why != d.why {
				t.Errorf("in the best case: got %+v, want granted %t", got, d.granted)
			}
			// What the caller is and when comes before what depends on the token.
			elsewhere := with(lacking, func(r *access.Request) { r.Place, r.Held = access.PlaceURL, true })
			if got := p.Decide(elsewhere); !d.granted && got.Why != d.why {
				t.Errorf("in a URL: got %+v, want the same denial", got)
			}
			stranger := with(lacking, func(r *access.Request) { r.Roles = []string{"auditor"} })
			if got := p.Decide(stranger); got.Why != access.WhyNoRule {
				t.Errorf("whom no rule names: got %+v, want not a word about the rest", got)
			}
		})
	}
}

// TestDemandsTwinEachGuardCounts takes each demand out of the file: the request
// that lacked it is allowed, so that it was this guard that refused, and the
// second implementation, which still has it, notices.
func TestDemandsTwinEachGuardCounts(t *testing.T) {
	for name, d := range demands {
		t.Run(name, func(t *testing.T) {
			loose := load(t, demanding(t, name, d.without))
			lacking := with(complete(), d.lacking)
			if got := loose.Decide(lacking); !got.Allow {
				t.Fatalf("got %+v, want the guard to be all that refused it", got)
			}
			strict := newNaive(t, demanding(t, name, d.with))
			if strict.decide(lacking).disagreement(loose.Decide(lacking)) == "" {
				t.Error("the second implementation did not notice")
			}
		})
	}
}

// TestDecideTwinASecondImplementationKnowsEveryField takes one thing at a time out
// of a generated bundle: random requests must tell.
func TestDecideTwinASecondImplementationKnowsEveryField(t *testing.T) {
	bundle := generated(t, rand.New(rand.NewPCG(11, 12)), 16, 160)
	for field, change := range map[string]func(string) string{
		"acr":         func(s string) string { return strings.ReplaceAll(s, "acr: [gold]", "acr: []") },
		"hours":       func(s string) string { return strings.ReplaceAll(s, "    hours: "+dayHours+"\n", "") },
		"night hours": func(s string) string { return strings.ReplaceAll(s, "    hours: "+nightHours+"\n", "") },
		"networks": func(s string) string {
			return strings.ReplaceAll(s, "networks: [10.0.0.0/8, ", "networks: [192.0.2.0/24, ")
		},
		"environments": func(s string) string {
			return strings.ReplaceAll(s, "environments: [production, staging]", "environments: []")
		},
		"approvals": func(s string) string { return strings.ReplaceAll(s, "restricted: 2}", "restricted: 1}") },
		"notify":    func(s string) string { return strings.ReplaceAll(s, "notify: true", "notify: false") },
		"review":    func(s string) string { return strings.ReplaceAll(s, "review_hours: 72", "review_hours: 71") },
		"budgets":   func(s string) string { return strings.ReplaceAll(s, "tokens: 7}", "tokens: 8}") },
		"consent": func(s string) string {
			return strings.NewReplacer("consent: newsletter", `consent: ""`, "Art. 6(1)(a)", "none").Replace(s)
		},
	} {
		t.Run(field, func(t *testing.T) {
			changed := fstest.MapFS{}
			for name, file := range bundle {
				changed[name] = file
			}
			changed["overlays.yaml"] = copyOfShipped(t)["overlays.yaml"] // which would refuse to be wider than the change
			kept := fstest.MapFS{}
			for name, file := range changed {
				kept[name] = file
			}
			changed["reasons.yaml"] = &fstest.MapFile{Data: []byte(change(string(bundle["reasons.yaml"].Data)))}
			p := load(t, changed)
			if found, _ := disagreements(newNaive(t, kept), p, p.Decide, rand.New(rand.NewPCG(1, 2)), 3_000); len(found) == 0 {
				t.Error("nothing was noticed")
			}
		})
	}
}

func TestBudgetsCountByClass(t *testing.T) {
	p := shipped(t)
	r := with(approved(3, restorer("CUSTOMER_SUPPORT")), func(r *access.Request) { r.Entity, r.Class = "PERSON", "confidential" })
	if diff := cmp.Diff([]access.Budget{perCaller(200), perTenant(5000)}, p.Decide(r).Budgets); diff != "" {
		t.Error(diff)
	}
	// The class that counts is the one that decided: a mapping of another day may
	// be of a lower one than the catalogue says now.
	r.Entity = "US_SSN"
	if got := p.Decide(r).Budgets; len(got) != 3 {
		t.Errorf("got %+v, want that of restricted data as well", got)
	}
	if got := p.Decide(gateway()).Budgets; got != nil {
		t.Errorf("a gateway has the budgets %+v", got)
	}
}

func TestAFormIsCappedByTheReason(t *testing.T) {
	bundle := copyOfShipped(t)
	bundle["overlays.yaml"] = &fstest.MapFile{Data: []byte("version: 1\ntenants: {acme: {reasons: {LLM_RESPONSE: {form: partial}}}}\n")}
	p := load(t, bundle)
	r := with(gateway(), func(r *access.Request) { r.Tenant = "acme" })
	if d := p.Decide(r); d.Form != access.FormPartial || !cmp.Equal(d.RuleIDs, []string{"llm-same-end-user"}) {
		t.Errorf("got %+v, want a part, by the rule that would give more", d)
	}
	r.EndUser = access.EndUserAbsent
	if d := p.Decide(r); d.Form != access.FormMasked {
		t.Errorf("got %+v, want what is less still", d)
	}
	// What only looks like a token is nobody's data: a part of it spoils the text.
	r.EndUser, r.Entity, r.Class = access.EndUserSame, access.EntityTokenLike, access.ClassPublic
	if d := p.Decide(r); d.Form != access.FormFull {
		t.Errorf("got %+v, want a look-alike in full", d)
	}
	r.Tenant, r.Entity, r.Class = "other", "US_SSN", access.ClassRestricted
	if d := p.Decide(r); d.Form != access.FormFull {
		t.Errorf("another tenant: got %+v", d)
	}
}
