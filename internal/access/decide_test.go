package access_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

func gateway() access.Request {
	return access.Request{
		Action: access.ActionRestore, Roles: []string{"gateway"}, Reason: "LLM_RESPONSE",
		Entity: "CREDIT_CARD", Class: access.ClassRestricted,
		SameClient: true, EndUser: access.EndUserSame, Place: access.PlaceProse,
	}
}

func restorer(reason string) access.Request {
	r := gateway()
	r.Roles, r.Reason = []string{"restorer"}, reason
	r.SameClient, r.EndUser = false, access.EndUserAbsent
	return r
}

// approved is the request with that many approvals.
func approved(n int, r access.Request) access.Request {
	r.Approved = n
	return r
}

// onCall is an emergency of the restorer who is on call.
func onCall() access.Request {
	r := restorer("BREAK_GLASS")
	r.Attributes = map[string]string{"on_call": "true"}
	return r
}

// comes adds what the reason lets an allow come with.
func comes(d access.Decision, approvals int, budgets ...access.Budget) access.Decision {
	d.Approvals, d.Budgets = approvals, budgets
	return d
}

func perCaller(tokens int) access.Budget { return access.Budget{Per: access.PerCaller, Tokens: tokens} }
func perTenant(tokens int) access.Budget { return access.Budget{Per: access.PerTenant, Tokens: tokens} }

func allow(form access.Form, id string, obligations ...string) access.Decision {
	return access.Decision{Allow: true, Form: form, RuleIDs: []string{id}, Obligations: obligations}
}

func deny(why access.Why) access.Decision { return access.Decision{Why: why} }

func TestDecide(t *testing.T) {
	supportRestricted := access.Budget{Per: access.PerCaller, Class: access.ClassRestricted, Tokens: 20}
	for name, test := range map[string]struct {
		request access.Request
		want    access.Decision
	}{
		"same end user": {gateway(), allow("full", "llm-same-end-user", "max_tokens:500")},
		"no end user bound": {
			with(gateway(), func(r *access.Request) { r.EndUser = access.EndUserUnbound }),
			allow("full", "llm-unbound", "max_tokens:500"),
		},
		"names no end user": {
			with(gateway(), func(r *access.Request) { r.EndUser = access.EndUserAbsent }),
			allow("masked", "llm-absent-restricted", "max_tokens:500"),
		},
		"names another end user": {
			with(gateway(), func(r *access.Request) { r.EndUser = access.EndUserOther }), deny("binding"),
		},
		"another client": {with(gateway(), func(r *access.Request) { r.SameClient = false }), deny("binding")},
		"another client, in a URL: not a word about the place": {
			with(gateway(), func(r *access.Request) { r.SameClient, r.Place = false, access.PlaceURL }), deny("binding"),
		},
		"URL": {with(gateway(), func(r *access.Request) { r.Place = access.PlaceURL }), deny("place")},
		"tool": {
			with(gateway(), func(r *access.Request) { r.Place, r.Tool = access.PlaceTool, "send_mail" }), deny("place"),
		},
		"held":       {with(gateway(), func(r *access.Request) { r.Held = true }), deny("held")},
		"restricted": {with(gateway(), func(r *access.Request) { r.Restricted, r.Held = true, true }), deny("restricted")},
		"support, restricted": {
			approved(2, restorer("CUSTOMER_SUPPORT")),
			comes(allow("partial", "support-restricted", "max_tokens:20", "reference"), 2, perCaller(200), supportRestricted, perTenant(5000)),
		},
		"support, restricted, approved by too few": {
			approved(1, restorer("CUSTOMER_SUPPORT")),
			comes(access.Decision{Why: "needs_approval", RuleIDs: []string{"support-restricted"}}, 2, perCaller(200), supportRestricted, perTenant(5000)),
		},
		"support, confidential": {
			approved(1, with(restorer("CUSTOMER_SUPPORT"), func(r *access.Request) { r.Entity, r.Class = "PERSON", "confidential" })),
			comes(allow("full", "support", "max_tokens:20", "reference"), 1, perCaller(200), perTenant(5000)),
		},
		"fraud without the team": {restorer("FRAUD_REVIEW"), deny("attribute")},
		"fraud": {
			approved(2, with(restorer("FRAUD_REVIEW"), func(r *access.Request) { r.Attributes = map[string]string{"team": "fraud"} })),
			comes(allow("full", "fraud-team", "max_tokens:200", "reference"), 2, perCaller(1000), perTenant(10_000)),
		},
		"break glass without a second factor":    {onCall(), deny("mfa")},
		"break glass by whoever is not on call":  {with(restorer("BREAK_GLASS"), func(r *access.Request) { r.MFA = true }), deny("attribute")},
		"break glass by nobody who should do it": {restorer("BREAK_GLASS"), deny("attribute")},
		"break glass": {
			with(onCall(), func(r *access.Request) { r.MFA = true }),
			access.Decision{
				Allow: true, Form: "full", RuleIDs: []string{"break-glass"}, Notify: true, Review: 72 * time.Hour,
				Obligations: []string{"max_tokens:20", "mfa", "notify", "review_hours:72"},
				Budgets:     []access.Budget{perCaller(60), perTenant(600)},
			},
		},
		"marketing without consent": {
			with(restorer("MARKETING_CONTACT"), func(r *access.Request) { r.Entity, r.Class = "PERSON", "confidential" }),
			access.Decision{
				Why: "consent", Purpose: "marketing", RuleIDs: []string{"marketing"},
				Budgets: []access.Budget{perCaller(500), perTenant(5000)},
			},
		},
		"marketing": {
			with(restorer("MARKETING_CONTACT"), func(r *access.Request) {
				r.Entity, r.Class, r.Consented = "PERSON", "confidential", true
			}),
			access.Decision{
				Allow: true, Form: "full", Purpose: "marketing", RuleIDs: []string{"marketing"},
				Obligations: []string{"consent:marketing", "max_tokens:100", "reference"},
				Budgets:     []access.Budget{perCaller(500), perTenant(5000)},
			},
		},
		"discovery of restricted data": {
			with(restorer("LEGAL_DISCOVERY"), func(r *access.Request) { r.Roles = []string{"legal"} }),
			comes(access.Decision{Why: "needs_approval", RuleIDs: []string{"discovery"}}, 2, perCaller(20_000), perTenant(100_000)),
		},
		"wrong role":              {restorer("LLM_RESPONSE"), deny("no_rule")},
		"unknown reason":          {restorer("CURIOSITY"), deny("reason_unknown")},
		"no reason":               {restorer(""), deny("reason_unknown")},
		"unknown entity":          {with(gateway(), func(r *access.Request) { r.Entity = "SHOE_SIZE" }), deny("entity")},
		"no class":                {with(gateway(), func(r *access.Request) { r.Class = "" }), deny("class")},
		"no end user relation":    {with(restorer("CUSTOMER_SUPPORT"), func(r *access.Request) { r.EndUser = "" }), deny("binding")},
		"no place":                {with(gateway(), func(r *access.Request) { r.Place = "" }), deny("place")},
		"nothing at all":          {access.Request{}, deny("no_rule")},
		"unknown action":          {with(gateway(), func(r *access.Request) { r.Action = "destroy" }), deny("no_rule")},
		"a reason for no value":   {access.Request{Action: "limits_read", Roles: []string{"auditor"}, Reason: "X"}, deny("reason_unknown")},
		"an entity where none is": {access.Request{Action: "limits_read", Roles: []string{"auditor"}, Entity: "PERSON"}, deny("entity")},
		"a class where none is":   {access.Request{Action: "limits_read", Roles: []string{"auditor"}, Class: "public"}, deny("class")},
		"the class of the mapping": {
			approved(2, with(restorer("CUSTOMER_SUPPORT"), func(r *access.Request) { r.Class = "public" })),
			comes(allow("partial", "support-restricted", "max_tokens:20", "reference"), 2, perCaller(200), supportRestricted, perTenant(5000)),
		},
		"a role of another service besides": {
			with(gateway(), func(r *access.Request) { r.Roles = []string{"offline_access", "gateway"} }),
			allow("full", "llm-same-end-user", "max_tokens:500"),
		},
		"tokenize": {
			access.Request{Action: "tokenize", Roles: []string{"gateway"}, SameClient: true, EndUser: access.EndUserUnbound},
			access.Decision{Allow: true, RuleIDs: []string{"gateway-tokenize"}},
		},
		"tokenize into the scope of another client": {
			access.Request{Action: "tokenize", Roles: []string{"gateway"}, EndUser: access.EndUserUnbound}, deny("binding"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, shipped(t).Decide(test.request)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBest(t *testing.T) {
	p := shipped(t)
	elsewhere := with(gateway(), func(r *access.Request) {
		r.SameClient, r.EndUser, r.Place, r.Held, r.Restricted = false, access.EndUserOther, access.PlaceURL, true, true
	})
	want := access.Decision{
		Allow: true, Form: "full", Obligations: []string{"max_tokens:500"},
		RuleIDs: []string{"llm-same-end-user", "llm-unbound"},
	}
	if diff := cmp.Diff(want, p.Best(elsewhere)); diff != "" {
		t.Error(diff)
	}
	// Approvals are part of the best case, and how many it takes is told.
	legal := with(restorer("LEGAL_DISCOVERY"), func(r *access.Request) { r.Roles = []string{"legal"} })
	if d := p.Best(legal); !d.Allow || d.Approvals != 2 {
		t.Errorf("got %+v, want an allow after two approvals", d)
	}
	// What the caller is belongs to no context: MFA and attributes do count.
	if d := p.Best(onCall()); d.Why != access.WhyMFA {
		t.Errorf("got %+v, want a denial for want of MFA", d)
	}
	if d := p.Best(restorer("FRAUD_REVIEW")); d.Why != access.WhyAttribute {
		t.Errorf("got %+v, want a denial for want of an attribute", d)
	}
}

func TestSeveralRules(t *testing.T) {
	for name, test := range map[string]struct {
		rules string
		want  access.Decision
	}{
		"the fullest form, by all rules that give it, in order": {
			"p, z, allow, gateway, restore, LLM_RESPONSE, restricted, *, -, partial\n" +
				"p, c, allow, gateway, restore, LLM_RESPONSE, restricted, *, -, masked\n" +
				"p, a, allow, gateway, restore, LLM_RESPONSE, public|restricted, CREDIT_CARD, same_client, partial\n",
			access.Decision{Allow: true, Form: "partial", RuleIDs: []string{"a", "z"}, Obligations: []string{"max_tokens:500"}},
		},
		"a deny wins wherever it stands": {
			"p, a, allow, gateway, restore, LLM_RESPONSE, restricted, *, -, full\n" +
				"p, b, deny, gateway, restore, LLM_RESPONSE, restricted, CREDIT_CARD, -, -\n",
			access.Decision{Why: "rule", RuleIDs: []string{"b"}},
		},
		"a deny of another entity does not": {
			"p, a, allow, gateway, restore, LLM_RESPONSE, restricted, *, -, full\n" +
				"p, b, deny, gateway, restore, LLM_RESPONSE, restricted, US_SSN, -, -\n",
			access.Decision{Allow: true, Form: "full", RuleIDs: []string{"a"}, Obligations: []string{"max_tokens:500"}},
		},
		"a deny on the binding looks like a binding that does not fit": {
			"p, a, allow, gateway, restore, LLM_RESPONSE, restricted, *, -, full\n" +
				"p, b, deny, gateway, restore, LLM_RESPONSE, restricted, *, same_client, -\n",
			access.Decision{Why: "binding", RuleIDs: []string{"b"}},
		},
		"but not for a caller who gets nothing anyway": {
			"p, a, allow, gateway, restore, LLM_RESPONSE, restricted, *, mfa, full\n" +
				"p, b, deny, gateway, restore, LLM_RESPONSE, restricted, *, same_client, -\n",
			access.Decision{Why: "mfa"},
		},
		"class":       {"p, a, allow, gateway, restore, LLM_RESPONSE, public, *, -, full\n", deny("class")},
		"entity":      {"p, a, allow, gateway, restore, LLM_RESPONSE, restricted, US_SSN|IBAN_CODE, -, full\n", deny("entity")},
		"environment": {"p, a, allow, gateway, restore, LLM_RESPONSE, restricted, *, env:production, full\n", deny("attribute")},
	} {
		t.Run(name, func(t *testing.T) {
			bundle := copyOfShipped(t)
			bundle["policy.csv"].Data = []byte(test.rules)
			if diff := cmp.Diff(test.want, load(t, bundle).Decide(gateway())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlaceToolOnlyForNamedTools(t *testing.T) {
	bundle := copyOfShipped(t)
	text := string(bundle["reasons.yaml"].Data)
	bundle["reasons.yaml"].Data = []byte(replaceFirst(t, text, "places: [prose, code]\n    tools: []",
		"places: [prose, tool]\n    tools: [look_up]"))
	p := load(t, bundle)
	for tool, want := range map[string]bool{"look_up": true, "send_mail": false, "": false, "look_up,send_mail": false, "*": false} {
		r := with(gateway(), func(r *access.Request) { r.Place, r.Tool = access.PlaceTool, tool })
		if d := p.Decide(r); d.Allow != want {
			t.Errorf("tool %q: got %+v, want allow %t", tool, d, want)
		}
	}
}
