package access_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// overlaid is the shipped bundle, with a reason that demands a little of
// everything, and an overlay of acme for it.
func overlaid(t testing.TB, overlay string) fstest.MapFS {
	t.Helper()
	bundle := copyOfShipped(t)
	for _, change := range [][2]string{
		{"places: [prose, code]", "places: [prose, tool]"}, {"tools: []", "tools: [look_up, send_mail]"},
		{"classes: [public, internal, confidential, restricted]", "classes: [public, internal, confidential]"},
		{`entities: ["*"]`, "entities: [PERSON, LOCATION, URL, TOKEN_LIKE]"}, {"form: full", "form: partial"},
		{"mfa: false", "mfa: true"}, {"acr: []", "acr: [silver, gold]\n    hours: {zone: Europe/Berlin, days: [mon, tue], from: '08:00', to: '18:00'}"},
		{"networks: []", "networks: [10.0.0.0/8]"}, {"environments: []", "environments: [staging, production]"},
		{"notify: false", "notify: true"}, {"review_hours: 0", "review_hours: 48"},
		{"reference: {required: false", "reference: {required: true"},
		{"    budgets: []", "    budgets: [{per: caller, tokens: 100}]"},
		{"approvals: {public: 0, internal: 0, confidential: 0", "approvals: {public: 0, internal: 0, confidential: 1"},
	} {
		edit(t, bundle, "reasons.yaml#LLM_RESPONSE", change[0], change[1])
	}
	bundle["policy.csv"] = &fstest.MapFile{Data: []byte(
		"p, machine, allow, gateway, restore, LLM_RESPONSE, public|internal|confidential, *, -, partial\n")}
	bundle["overlays.yaml"] = &fstest.MapFile{Data: []byte(
		"version: 1\ntenants: {acme: {reasons: {LLM_RESPONSE: " + overlay + "}}}\n")}
	return bundle
}

// mentions says whether the text has all of the words.
func mentions(text string, words ...string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// TestAnOverlayMayOnlyNarrow: whatever gives more than the reason is refused, and
// the error says whose it is.
func TestAnOverlayMayOnlyNarrow(t *testing.T) {
	for field, wider := range map[string][]string{
		"enabled":   {"{enabled: true}"},
		"reference": {"{reference: {required: false}}", "{reference: {pattern: '[0-9]+'}}"},
		"form":      {"{form: full}", "{form: whole}", "{form: ''}"},
		"classes":   {"{classes: [public, restricted]}", "{classes: []}", "{classes: [public, public]}"},
		"entities":  {"{entities: ['*']}", "{entities: [PERSON, EMAIL_ADDRESS]}", "{entities: []}", "{entities: [SHOE_SIZE]}"},
		"places":    {"{places: [prose, url]}", "{places: []}", "{tools: [look_up, delete]}", "{tools: []}", "{places: [prose], tools: [look_up]}"},
		"approvals": {"{approvals: {confidential: 0}}", "{approvals: {public: 10}}", "{approvals: {secret: 1}}", "{approvals: {public: -1}}"},
		"mfa":       {"{mfa: false}"},
		"acr":       {"{acr: [silver, bronze]}", "{acr: []}", "{acr: ['a b']}"},
		"hours": {
			"{hours: {zone: Europe/Berlin, days: [mon, wed], from: '09:00', to: '10:00'}}",
			"{hours: {zone: Europe/Berlin, days: [mon], from: '07:59', to: '10:00'}}",
			"{hours: {zone: Europe/Berlin, days: [mon], from: '17:00', to: '02:00'}}",
			"{hours: {zone: Europe/Paris, days: [mon], from: '09:00', to: '10:00'}}",
		},
		"networks":     {"{networks: [10.0.0.0/7]}", "{networks: [192.0.2.0/24]}", "{networks: []}", "{networks: ['::/0']}", "{networks: [10.1.2.3/8]}"},
		"environments": {"{environments: [development]}", "{environments: []}"},
		"max_tokens":   {"{max_tokens: 501}", "{max_tokens: 0}"},
		"budgets":      {"{budgets: [{per: caller, tokens: 101}]}", "{budgets: [{per: nobody, tokens: 1}]}", "{budgets: [{per: tenant, class: restricted, tokens: 1}]}"},
		"notify":       {"{notify: false}"},
		"review_hours": {"{review_hours: 49}", "{review_hours: 0}", "{review_hours: -1}"},
	} {
		for _, overlay := range wider {
			_, err := access.Load(overlaid(t, overlay))
			if !errors.Is(err, access.ErrBundle) || !mentions(err.Error(), "overlays.yaml", "acme", "LLM_RESPONSE", field) {
				t.Errorf("%s: got %v, want it refused, with tenant, reason and field", overlay, err)
			}
		}
	}
	for name, text := range map[string]string{
		"tenant":        "version: 1\ntenants: {ACME: {reasons: {LLM_RESPONSE: {enabled: false}}}}\n",
		"reason":        "version: 1\ntenants: {acme: {reasons: {LLM_REPLY: {enabled: false}}}}\n",
		"unknown field": "version: 1\ntenants: {acme: {reasons: {LLM_RESPONSE: {consent: ''}}}}\n",
		"rules":         "version: 1\ntenants: {acme: {rules: []}}\n",
		"version":       "tenants: {}\n",
	} {
		bundle := copyOfShipped(t)
		bundle["overlays.yaml"] = &fstest.MapFile{Data: []byte(text)}
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}

func TestAnOverlayNarrows(t *testing.T) {
	p := load(t, overlaid(t, `{
		reference: {pattern: '^ACME-[0-9]{6}$'}, form: masked, classes: [public, confidential], entities: [PERSON],
		places: [tool], tools: [look_up], approvals: {public: 2}, acr: [gold], max_tokens: 3, networks: [10.1.0.0/16],
		environments: [production], review_hours: 12, hours: {zone: Europe/Berlin, days: [tue], from: '08:00', to: '17:30'},
		budgets: [{per: caller, tokens: 99}, {per: tenant, tokens: 7}]}`))
	got, ok := p.ReasonOf("acme", "LLM_RESPONSE")
	if !ok {
		t.Fatal("the tenant does not have the reason")
	}
	base, _ := p.Reason("LLM_RESPONSE")
	type short struct {
		Form                            access.Form
		Pattern                         string
		Classes                         []access.Class
		Entities                        []string
		Places                          []access.Place
		Tools, ACR, Networks, Env       []string
		Public, Confidential, MaxTokens int
		Hours                           string
		Review                          time.Duration
		Budgets                         []access.Budget
		Required, MFA, Notify, Held     bool
	}
	shorten := func(r access.Reason) short {
		s := short{
			Form: r.Form, Pattern: r.Reference.Pattern, Classes: r.Classes, Entities: r.Entities, Places: r.Places,
			Tools: r.Tools, ACR: r.ACR, Env: r.Environments, Public: r.Approvals("public"),
			Confidential: r.Approvals("confidential"), MaxTokens: r.MaxTokens, Hours: r.Hours.String(), Review: r.Review,
			Budgets: r.Budgets, Required: r.Reference.Required, MFA: r.MFA, Notify: r.Notify, Held: r.ReachesHeld,
		}
		for _, n := range r.Networks {
			s.Networks = append(s.Networks, n.String())
		}
		return s
	}
	want := shorten(base)
	want.Form, want.Pattern, want.Classes = access.FormMasked, "^ACME-[0-9]{6}$", []access.Class{"public", "confidential"}
	want.Entities, want.Places, want.Tools = []string{"PERSON", access.EntityTokenLike}, []access.Place{"tool"}, []string{"look_up"}
	want.Public, want.ACR, want.MaxTokens, want.Networks = 2, []string{"gold"}, 3, []string{"10.1.0.0/16"}
	want.Env, want.Review, want.Hours = []string{"production"}, 12*time.Hour, "tue 08:00-17:30 Europe/Berlin"
	want.Budgets = []access.Budget{perCaller(99), perTenant(7)}
	if diff := cmp.Diff(want, shorten(got)); diff != "" {
		t.Error(diff)
	}
	if len(base.Budgets) != 1 || base.Form != access.FormPartial || len(base.Entities) != 4 {
		t.Errorf("the reason itself was changed: %+v", base)
	}
	if diff := cmp.Diff([]string{"acme"}, p.Tenants()); diff != "" {
		t.Error(diff)
	}
	for reference, rule := range map[string]string{"ACME-123456": "", "TICKET-1": "pattern", "": "required"} {
		err := p.CheckReasonOf("acme", "LLM_RESPONSE", reference)
		var broken *access.ReasonError
		if rule == "" && err != nil || rule != "" && (!errors.As(err, &broken) || broken.Rule != rule) {
			t.Errorf("%q: got %v, want %q", reference, err, rule)
		}
	}
	if err := p.CheckReasonOf("other", "LLM_RESPONSE", "TICKET-1"); err != nil {
		t.Errorf("another tenant: got %v", err)
	}
}

func TestAnOverlayTurnsAReasonOff(t *testing.T) {
	bundle := copyOfShipped(t)
	bundle["overlays.yaml"] = &fstest.MapFile{Data: []byte("version: 1\ntenants: {acme: {reasons: {LLM_RESPONSE: {enabled: false}}}}\n")}
	p := load(t, bundle)
	r := with(gateway(), func(r *access.Request) { r.Tenant = "acme" })
	if d := p.Decide(r); d.Allow || d.Why != access.WhyReasonUnknown {
		t.Errorf("got %+v, want the reason not to be there", d)
	}
	if _, ok := p.ReasonOf("acme", "LLM_RESPONSE"); ok {
		t.Error("the reason is there")
	}
	var broken *access.ReasonError
	if err := p.CheckReasonOf("acme", "LLM_RESPONSE", ""); !errors.As(err, &broken) || broken.Rule != "unknown" {
		t.Errorf("got %v, want it to be unknown", err)
	}
	r.Tenant = "other"
	if d := p.Decide(r); !d.Allow {
		t.Errorf("another tenant: got %+v", d)
	}
}

// The examples in the comments of the shipped file are overlays that load.
func TestOverlayExamplesLoad(t *testing.T) {
	bundle := copyOfShipped(t)
	text := "version: 1\ntenants:\n"
	examples := 0
	for line := range strings.SplitSeq(string(bundle["overlays.yaml"].Data), "\n") {
		if example, ok := strings.CutPrefix(line, "#   "); ok && strings.Contains(example, ": {reasons:") {
			text += "  " + example + "\n"
			examples++
		}
	}
	bundle["overlays.yaml"] = &fstest.MapFile{Data: []byte(text)}
	if p := load(t, bundle); examples < 4 || len(p.Tenants()) != examples {
		t.Errorf("%d examples gave %v", examples, p.Tenants())
	}
}

// widened compares what a tenant with an overlay gets with what one without gets.
func widened(rng *rand.Rand, p *access.Policy, decide decider, count int) []string {
	var found []string
	for range count {
		r := randomRequest(rng, p)
		r.Tenant = pick(rng, "acme", "bank")
		bare := with(r, func(r *access.Request) { r.Tenant = "" })
		with, without := decide(r), p.Decide(bare)
		if with.Allow && (!without.Allow || with.Approvals < without.Approvals ||
			formRank(with.Form) > formRank(without.Form) || len(with.Budgets) < len(without.Budgets)) {
			found = append(found, string(with.Form))
		}
	}
	return found
}

func formRank(f access.Form) int { return slices.Index(order, string(f)) }

// TestAnOverlayNeverWidens over random bundles and requests.
func TestAnOverlayNeverWidens(t *testing.T) {
	seeds := uint64(6)
	if underRace {
		seeds = 1
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 21))
		p := load(t, generated(t, rng, 8, 60))
		if found := widened(rng, p, p.Decide, 3_000); len(found) > 0 {
			t.Errorf("seed %d: %d requests got more by an overlay", seed, len(found))
		}
	}
}

func TestOverlayTwinAWideningIsCaught(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 21))
	p := load(t, generated(t, rng, 8, 60))
	loose := func(r access.Request) access.Decision {
		if r.Tenant != "" {
			r.Approved, r.ACR, r.MFA = 3, "gold", true // an overlay that granted what the reason demands
		}
		return p.Decide(r)
	}
	if len(widened(rng, p, loose, 3_000)) == 0 {
		t.Error("an overlay that widens passed")
	}
}
