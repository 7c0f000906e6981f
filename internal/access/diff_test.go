package access_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/internal/access"
)

// told is what a difference must say.
type told struct {
	effect   access.Effect
	area     string
	sentence string // or the beginning of it
}

// changeOf is one change of the shipped bundle.
type changeOf struct{ file, from, to string }

func (c changeOf) of(t testing.TB) fstest.MapFS {
	t.Helper()
	files := copyOfShipped(t)
	text := string(files[c.file].Data)
	if !strings.Contains(text, c.from) {
		t.Fatalf("%s has no %q", c.file, c.from)
	}
	files[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.from, c.to, 1))}
	return files
}

// narrowedInstead mirrors an effect.
func narrowedInstead(e access.Effect) access.Effect {
	switch e {
	case access.Widened:
		return access.Narrowed
	case access.Narrowed:
		return access.Widened
	}
	return e
}

// TestDiff changes one thing, and pins what is told of it, in one direction and
// the other.
func TestDiff(t *testing.T) {
	overlay := func(of string) changeOf {
		return changeOf{"overlays.yaml", "tenants: {}", "tenants: {acme: {reasons: {" + of + "}}}"}
	}
	old := shipped(t)
	for name, c := range map[string]struct {
		change changeOf
		want   told
	}{
		"a rule gives less": {
			changeOf{"policy.csv", "p, llm-absent-low,          allow, gateway, restore, LLM_RESPONSE, public|internal,                         *, same_client&end_user_absent,  full", "p, llm-absent-low,          allow, gateway, restore, LLM_RESPONSE, public|internal,                         *, same_client&end_user_absent,  masked"},
			told{access.Narrowed, "decision", "gateway may restore internal data for LLM_RESPONSE masked, before in full (in "},
		},
		"another role may": {
			changeOf{"policy.csv", "p, request-auditor,         allow, auditor,         request_read,", "p, request-auditor,         allow, operator,        request_read,"},
			told{access.Widened, "decision", "operator may now read the requests of persons"},
		},
		"one role may not": {
			changeOf{"policy.csv", "p, request-auditor,         allow, auditor,         request_read,", "p, request-auditor,         allow, operator,        request_read,"},
			told{access.Narrowed, "decision", "auditor may no longer read the requests of persons"},
		},
		"approvals": {
			changeOf{"reasons.yaml", "approvals: {public: 0, internal: 0, confidential: 1, restricted: 2}", "approvals: {public: 0, internal: 0, confidential: 1, restricted: 1}"},
			told{access.Widened, "decision", "restorer may restore restricted data for CUSTOMER_SUPPORT in part after 1 approval, before in part after 2 approvals"},
		},
		"approvals, field": {
			changeOf{"reasons.yaml", "approvals: {public: 0, internal: 0, confidential: 1, restricted: 2}", "approvals: {public: 0, internal: 0, confidential: 1, restricted: 1}"},
			told{access.Widened, "reason", "reason CUSTOMER_SUPPORT: approvals.restricted is 1, before 2"},
		},
		"tokens of a request": {
			changeOf{"reasons.yaml", "max_tokens: 500", "max_tokens: 5000"},
			told{access.Widened, "reason", "reason LLM_RESPONSE: max_tokens is 5000, before 500"},
		},
		"places": {
			changeOf{"reasons.yaml", "places: [prose, code]", "places: [prose, code, url]"},
			told{access.Widened, "reason", "reason LLM_RESPONSE: places is code, prose, url, before code, prose"},
		},
		"places, decision": {
			changeOf{"reasons.yaml", "places: [prose, code]", "places: [prose, code, url]"},
			told{access.Widened, "decision", "gateway may restore internal data for LLM_RESPONSE in full, before not at all (in "},
		},
		"a reference": {
			changeOf{"reasons.yaml", "reference: {required: true,", "reference: {required: false,"},
			told{access.Widened, "reason", "reason CUSTOMER_SUPPORT: reference.required is no, before yes"},
		},
		"a pattern": {
			changeOf{"reasons.yaml", "'^[A-Z][A-Z0-9]+-?[0-9]+$'", "'^T-[0-9]+$'"},
			told{access.Changed, "reason", "reason LLM_RESPONSE: reference.pattern is ^T-[0-9]+$, before "},
		},
		"networks": {
			changeOf{"reasons.yaml", "networks: []", "networks: [10.0.0.0/8]"},
			told{access.Narrowed, "reason", "reason LLM_RESPONSE: networks is 10.0.0.0/8, before none"},
		},
		"environments": {
			changeOf{"reasons.yaml", "environments: []", "environments: [production]"},
			told{access.Narrowed, "reason", "reason LLM_RESPONSE: environments is production, before none"},
		},
		"a context": {
			changeOf{"reasons.yaml", "acr: []", "acr: [gold]"},
			told{access.Narrowed, "reason", "reason LLM_RESPONSE: acr is gold, before none"},
		},
		"hours": {
			changeOf{"reasons.yaml", "networks: []", "hours: {zone: Europe/Berlin, days: [mon], from: '08:00', to: '18:00'}\n    networks: []"},
			told{access.Narrowed, "reason", "reason LLM_RESPONSE: hours is mon 08:00-18:00 Europe/Berlin, before none"},
		},
		"notification": {
			changeOf{"reasons.yaml", "notify: true", "notify: false"},
			told{access.Widened, "reason", "reason BREAK_GLASS: notify is no, before yes"},
		},
		"review": {
			changeOf{"reasons.yaml", "review_hours: 72", "review_hours: 0"},
			told{access.Widened, "reason", "reason BREAK_GLASS: review_hours is none, before 72"},
		},
		"a second factor": {
			changeOf{"reasons.yaml", "mfa: true", "mfa: false"},
			told{access.Widened, "reason", "reason BREAK_GLASS: mfa is no, before yes"},
		},
		"a class": {
			changeOf{"entities.yaml", "PERSON:                    {class: confidential,", "PERSON:                    {class: internal,"},
			told{access.Widened, "entity", "entity PERSON: class is internal, before confidential"},
		},
		"a class, decision": {
			changeOf{"entities.yaml", "PERSON:                    {class: confidential,", "PERSON:                    {class: internal,"},
			told{access.Widened, "decision", "gateway may restore internal data for LLM_RESPONSE in full, before in part (in "},
		},
		"what a prompt may say": {
			changeOf{"destinations.yaml", "        URL: allow", "        URL: allow\n        PERSON: allow"},
			told{access.Widened, "destination", "destination internal/onprem: PERSON is allow, before tokenize"},
		},
		"what a prompt may say, and it is told": {
			changeOf{"destinations.yaml", "        URL: allow", "        URL: warn"},
			told{access.Narrowed, "destination", "destination internal/onprem: URL is warn, before allow"},
		},
		"what a prompt may say while it is told": {
			changeOf{"destinations.yaml", "        URL: allow", "        URL: allow\n        PERSON: warn"},
			told{access.Widened, "destination", "destination internal/onprem: PERSON is warn, before tokenize"},
		},
		"a destination": {
			changeOf{"destinations.yaml", "  openai/us:", "  openai/eu: {vendor: OpenAI, region: eu, training: false, vendor_retention_days: 0, requires: [], actions: {entities: {URL: allow}}}\n\n  openai/us:"},
			told{access.Widened, "destination", "destination openai/eu is new: vendor OpenAI"},
		},
		"a destination, and what it is told": {
			changeOf{"destinations.yaml", "  openai/us:", "  openai/eu: {vendor: OpenAI, region: eu, training: false, vendor_retention_days: 0, requires: [], actions: {entities: {URL: allow}}}\n\n  openai/us:"},
			told{access.Widened, "destination", "destination openai/eu"},
		},
		"training": {
			changeOf{"destinations.yaml", "training: false", "training: true"},
			told{access.Widened, "destination", "destination openai/us: training is yes, before no"},
		},
		"kept for longer": {
			changeOf{"entities.yaml", "restricted: 30}", "restricted: 60}"},
			told{access.Widened, "retention", "retention class restricted: longest is 1440h0m0s, before 720h0m0s"},
		},
		"kept for less": {
			changeOf{"retention.yaml", "\nrules: []", "\nrules: [{tenant: acme, entity: PERSON, days: 3}]"},
			told{access.Narrowed, "retention", "retention tenant acme, entity PERSON is new: longest 72h0m0s"},
		},
		"separation": {
			changeOf{"separation.yaml", "never_with: [auditor]", "never_with: [auditor, legal]"},
			told{access.Narrowed, "separation", "separation operator-auditor: never_with is auditor, legal, before auditor"},
		},
		"an operation": {
			changeOf{"operations.yaml", "policy_promotion: {approvals: 1}", "policy_promotion: {approvals: 0}"},
			told{access.Widened, "operation", "operation policy_promotion: approvals is 0, before 1"},
		},
		"a large erasure": {
			changeOf{"operations.yaml", "over: 1000, restricted: false", "over: 1000, restricted: true"},
			told{access.Narrowed, "operation", "operation erase: restricted is yes, before no"},
		},
		"an overlay": {
			overlay("LLM_RESPONSE: {enabled: false}"),
			told{access.Narrowed, "overlay", "overlay acme LLM_RESPONSE: enabled is no, before yes"},
		},
		"an overlay, decision": {
			overlay("LLM_RESPONSE: {form: masked}"),
			told{access.Narrowed, "decision", "gateway of acme may restore internal data for LLM_RESPONSE masked, before in full (in "},
		},
		"an overlay, field": {
			overlay("LLM_RESPONSE: {max_tokens: 7}"),
			told{access.Narrowed, "overlay", "overlay acme LLM_RESPONSE: max_tokens is 7, before 500"},
		},
		"a budget of an overlay": {
			overlay("LLM_RESPONSE: {budgets: [{per: caller, class: restricted, tokens: 9}]}"),
			told{access.Narrowed, "overlay", "overlay acme LLM_RESPONSE: budget per caller of restricted is 9, before none"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			new := load(t, c.change.of(t))
			if found := access.Diff(old, new); !tells(found, c.want) {
				t.Errorf("not told: %+v\n%s", c.want, lines(found))
			}
			if underRace {
				return // the way back costs as much again
			}
			back := told{effect: narrowedInstead(c.want.effect), area: c.want.area}
			if found := access.Diff(new, old); !tells(found, back) {
				t.Errorf("not told of the way back: %+v\n%s", back, lines(found))
			}
		})
	}
}

func tells(found []access.Difference, want told) bool {
	return slices.ContainsFunc(found, func(d access.Difference) bool {
		return d.Effect == want.effect && (want.area == "" || d.Area == want.area) && strings.HasPrefix(d.Sentence, want.sentence)
	})
}

func lines(found []access.Difference) string {
	var out strings.Builder
	for _, d := range found {
		fmt.Fprintf(&out, "%s %s: %s\n", d.Effect, d.Area, d.Sentence)
	}
	return out.String()
}

// TestDiffDenials pins that a deny rule that goes or shrinks is told as widened.
func TestDiffDenials(t *testing.T) {
	with := func(rule string) *access.Policy {
		files := copyOfShipped(t)
		files["policy.csv"].Data = append(files["policy.csv"].Data, []byte(rule)...)
		return load(t, files)
	}
	none := with("")
	// It holds for nobody who has one role: an auditor has no right to restore.
	all := with("p, no-auditor, deny, auditor, restore, CUSTOMER_SUPPORT, public|internal|confidential|restricted, *, -, -\n")
	some := with("p, no-auditor, deny, auditor, restore, CUSTOMER_SUPPORT, public|internal, *, -, -\n")
	listed := with("p, no-auditor, deny, auditor, restore, CUSTOMER_SUPPORT, public|internal, PERSON, -, -\n")
	often := with("p, no-auditor, deny, auditor, restore, CUSTOMER_SUPPORT, public|internal, PERSON, env:production, -\n")
	other := with("p, no-auditor, deny, operator, restore, CUSTOMER_SUPPORT, public|internal, PERSON, env:production, -\n")
	steps := []*access.Policy{all, some, listed, often, none}
	for i, step := range steps[1:] {
		if !tells(access.Diff(steps[i], step), told{access.Widened, "rule", ""}) {
			t.Errorf("step %d: a denial less is not told", i)
		}
		if back := access.Diff(step, steps[i]); !tells(back, told{access.Narrowed, "rule", ""}) || tells(back, told{effect: access.Widened, area: "rule"}) {
			t.Errorf("step %d back: a denial more is told as\n%s", i, lines(back))
		}
	}
	if !tells(access.Diff(often, other), told{access.Widened, "rule", "rule no-auditor: role is operator, before auditor"}) {
		t.Error("a denial of somebody else is not told")
	}
}

// TestDiffDemandsAreFields pins that what a reason demands of the credential and
// the moment is told once, of the reason: whoever meets it gets what they got.
func TestDiffDemandsAreFields(t *testing.T) {
	old := shipped(t)
	demands := []string{
		"acr: [gold]", "networks: [10.0.0.0/8]", "environments: [production]",
		"hours: {zone: Europe/Berlin, days: [sat], from: '22:00', to: '06:00'}",
	}
	for _, demand := range demands {
		field, _, _ := strings.Cut(demand, ":")
		from := field + ": []"
		if field == "hours" {
			from, demand = "networks: []", demand+"\n    networks: []"
		}
		new := load(t, changeOf{"reasons.yaml", from, demand}.of(t))
		for _, found := range [][]access.Difference{access.Diff(old, new), access.Diff(new, old)} {
			if len(found) != 1 || found[0].Area != "reason" || found[0].Field != field {
				t.Errorf("%s is told as\n%s", demand, lines(found))
			}
		}
	}
	// Two that nobody can meet at once are told of the decisions, too.
	one := load(t, changeOf{"reasons.yaml", "acr: []", "acr: [gold]"}.of(t))
	other := load(t, changeOf{"reasons.yaml", "acr: []", "acr: [silver]"}.of(t))
	found := access.Diff(one, other)
	for _, want := range []told{
		{access.Widened, "decision", "gateway may restore internal data for LLM_RESPONSE in full, before not at all"},
		{access.Narrowed, "decision", "gateway may no longer restore internal data for LLM_RESPONSE, before in full"},
		{access.Widened, "reason", "reason LLM_RESPONSE: acr is silver, before gold"},
	} {
		if !tells(found, want) {
			t.Errorf("not told: %+v\n%s", want, lines(found))
		}
	}
}

// TestDiffTooMany pins that what cannot be compared counts as widened.
func TestDiffTooMany(t *testing.T) {
	teams := func(name string) *access.Policy {
		files := copyOfShipped(t)
		rules := ""
		for i := range 40 {
			rules += fmt.Sprintf("p, team-%d, allow, restorer, restore, FRAUD_REVIEW, public, *, attr:team=%s%d, full\n", i, name, i)
		}
		files["policy.csv"].Data = append(files["policy.csv"].Data, []byte(rules)...)
		return load(t, files)
	}
	found := access.Diff(teams("a"), teams("b"))
	if !tells(found, told{access.Widened, "decision", "FRAUD_REVIEW could not be compared: more than 64 combinations of attributes"}) {
		t.Errorf("told:\n%s", lines(found))
	}
}

// TestDiffOrder pins that what widens comes first, and decisions before fields.
func TestDiffOrder(t *testing.T) {
	files := changeOf{"policy.csv", "p, request-auditor,         allow, auditor,", "p, request-auditor,         allow, operator,"}.of(t)
	edit(t, files, "operations.yaml", "policy_promotion: {approvals: 1}", "policy_promotion: {approvals: 0}")
	found := access.Diff(shipped(t), load(t, files))
	var got []string
	for _, d := range found {
		got = append(got, string(d.Effect)+" "+d.Area)
	}
	want := []string{"widened decision", "widened operation", "narrowed decision", "changed rule"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if found := access.Diff(shipped(t), shipped(t)); len(found) != 0 {
		t.Errorf("a policy differs from itself:\n%s", lines(found))
	}
}

// mutated changes one thing of a generated policy.
func mutated(t testing.TB, rng *rand.Rand, files fstest.MapFS) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for name, file := range files {
		out[name] = &fstest.MapFile{Data: slices.Clone(file.Data)}
	}
	rules := strings.Split(strings.TrimSpace(string(files["policy.csv"].Data)), "\n")
	at := rng.IntN(len(rules))
	columns := strings.Split(rules[at], ", ")
	switch rng.IntN(5) {
	case 0:
		rules = slices.Delete(rules, at, at+1)
	case 1:
		columns[3] = pick(rng, access.Roles()...)
	case 2:
		columns[6] = pick(rng, "public|internal|confidential|restricted", "restricted", "public|confidential")
	case 3:
		columns[8] = pick(rng, "-", "same_client", "mfa", "attr:team=fraud", "env:production", "end_user_other")
	case 4:
		text := string(files["reasons.yaml"].Data)
		change := pick(rng, [2]string{"held: false", "held: true"}, [2]string{"mfa: true", "mfa: false"},
			[2]string{"confidential: 1", "confidential: 0"}, [2]string{"[prose, code]", "[prose]"}, [2]string{"held: true", "held: false"})
		out["reasons.yaml"].Data = []byte(strings.Replace(text, change[0], change[1], 1))
	}
	if at < len(rules) && !strings.HasPrefix(rules[at], columns[0]+", "+columns[1]+", deny, "+columns[3]) {
		rules[at] = strings.Join(columns, ", ")
	}
	out["policy.csv"].Data = []byte(strings.Join(rules, "\n") + "\n")
	return out
}

// gains says whether somebody gets more from the new policy than from the old.
func gains(before, after access.Decision) bool {
	forms := []access.Form{"", access.FormMasked, access.FormPartial, access.FormFull}
	if !after.Allow {
		return false
	}
	return !before.Allow || slices.Index(forms, after.Form) > slices.Index(forms, before.Form)
}

// diffRuns are how many pairs of policies are drawn. The race detector has
// nothing to see in a comparison, and makes it cost ten times as much.
func diffRuns() int {
	switch {
	case os.Getenv("COUNTERFOIL_LONG") == "1":
		return 500
	case underRace:
		return 3
	}
	return 14
}

// diffRequests is how many requests both policies of a pair are asked.
const diffRequests = 300

// TestDiffMissesNoWidening holds random requests against pairs of policies: what
// Diff does not call widened gives nobody more, whatever they ask.
func TestDiffMissesNoWidening(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	widened, silent := 0, 0
	for run := range diffRuns() {
		before := generated(t, rng, 2, 10)
		after := mutated(t, rng, mutated(t, rng, before))
		old, new := load(t, before), load(t, after)
		found := access.Diff(old, new)
		more := 0
		for range diffRequests {
			r := randomRequest(rng, old)
			if rng.IntN(2) == 0 { // most requests would fail on something that is not about rules
				r.Approved, r.Consented, r.MFA, r.SameClient, r.Place = 9, true, true, true, access.PlaceProse
			}
			if gains(old.Decide(r), new.Decide(r)) {
				more++
				if !tells(found, told{effect: access.Widened}) {
					t.Fatalf("run %d: %+v gets more, and nothing is told as widened:\n%s", run, r, lines(found))
				}
			}
		}
		if more > 0 {
			widened++
		} else {
			silent++
		}
	}
	// The twin: the requests do meet what widens, so a silent Diff would be seen.
	if !underRace && (widened < 2 || silent < 2) {
		t.Errorf("%d pairs widened for a request that was asked, %d did not: the test sees nothing", widened, silent)
	}
}
