package access_test

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/internal/access"
)

func check(t *testing.T, p *access.Policy) access.Report {
	t.Helper()
	report, err := p.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

var shippedReport = sync.OnceValues(func() (access.Report, error) {
	p, err := loadShipped()
	if err != nil {
		return access.Report{}, err
	}
	return p.Check(context.Background())
})

// checkShipped checks once: it is by far the most work.
func checkShipped(t *testing.T) access.Report {
	t.Helper()
	report, err := shippedReport()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestShippedDecisionTables(t *testing.T) {
	report := checkShipped(t)
	if err := report.Err(); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	t.Log(report)
	if report.Decided != report.Combinations || report.Combinations < 8*7*4*2*4*2 {
		t.Errorf("%d of %d combinations decided", report.Decided, report.Combinations)
	}
	for _, sentence := range []string{
		"gateway, of the same client, for the same end user or where no end user is bound, may restore public, internal, " +
			"confidential and restricted data, live, for LLM_RESPONSE in prose or code, in full",
		"restorer, without attr:team=fraud, may not restore public, internal, confidential and restricted data " +
			"for FRAUD_REVIEW (attribute)",
		"gateway may not read the policy (no_rule)",
		"legal may place or review a legal hold",
		"gateway, restorer, approver, legal, auditor or operator may not search for a person (no_rule)",
		"privacy_officer may erase what there is of a person",
		"gateway, restorer, approver, legal, auditor or operator may not tie values to a person (no_rule)",
		"privacy_officer or auditor may read the requests of persons",
		"privacy_officer may take in and answer the requests of persons",
		"gateway, restorer, approver, legal, auditor or operator may not read what a person is told (no_rule)",
		"privacy_officer may have the names of scopes and people back",
		"privacy_officer, auditor or operator may read what is kept for how long",
	} {
		if !slices.Contains(report.Sentences, sentence) {
			t.Errorf("there is no sentence %q in\n%s", sentence, report)
		}
	}
	if !strings.Contains(report.String(), "(100%), 0 failures") {
		t.Errorf("the report does not say so:\n%s", report)
	}
}

func TestCheckObeysTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := shipped(t).Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

// only leaves out the tables of other actions and reasons, which are not asked.
func only(bundle fstest.MapFS, action, reason string) fstest.MapFS {
	keep := "decisions/" + action + ".yaml"
	if action == "restore" {
		keep = "decisions/" + strings.ToLower(reason) + ".yaml"
	}
	for name := range bundle {
		if path.Dir(name) != "." && name != keep {
			delete(bundle, name)
		}
	}
	return bundle
}

// red says whether the tables of a rule's action and reason fail.
func red(t *testing.T, p *access.Policy, action, reason string) bool {
	t.Helper()
	if reason == "-" {
		reason = ""
	}
	report, err := p.CheckOnly(t.Context(), access.Action(action), reason)
	if err != nil {
		t.Fatal(err)
	}
	return len(report.Failures) > 0
}

// TestCheckTwinEveryRuleCounts removes and loosens every rule of the shipped
// policy in turn: the tables must notice each.
func TestCheckTwinEveryRuleCounts(t *testing.T) {
	lines := strings.Split(string(copyOfShipped(t)["policy.csv"].Data), "\n")
	rules := 0
	for i, text := range lines {
		if !strings.HasPrefix(text, "p,") {
			continue
		}
		if rules++; underRace && rules%5 > 0 {
			continue
		}
		var columns []string
		for column := range strings.SplitSeq(text, ",") {
			columns = append(columns, strings.TrimSpace(column))
		}
		try := func(what, replacement string) {
			bundle := only(copyOfShipped(t), columns[4], columns[5])
			changed := slices.Clone(lines)
			changed[i] = replacement
			bundle["policy.csv"].Data = []byte(strings.Join(changed, "\n"))
			if !red(t, load(t, bundle), columns[4], columns[5]) {
				t.Errorf("%s: %s passed the tables", columns[1], what)
			}
		}
		change := func(column int, value string) string {
			changed := slices.Clone(columns)
			changed[column] = value
			return strings.Join(changed, ",")
		}
		try("removing it", "")
		other := access.Roles()[(slices.Index(access.Roles(), columns[3])+1)%len(access.Roles())]
		try("giving it to "+other, change(3, other))
		if columns[4] == "restore" {
			for _, form := range []string{"full", "partial", "masked"} {
				if form != columns[9] {
					try("form "+form, change(9, form))
				}
			}
			if classes := strings.Split(columns[6], "|"); len(classes) > 1 {
				try("a class less", change(6, strings.Join(classes[1:], "|")))
			}
		}
		conditions := strings.Split(columns[8], "&")
		for j := range conditions {
			if columns[8] == "-" || conditions[j] == "mfa" && columns[5] == "BREAK_GLASS" {
				continue // the reason demands MFA whatever the rule says
			}
			fewer := strings.Join(slices.Delete(slices.Clone(conditions), j, j+1), "&")
			if fewer == "" {
				fewer = "-"
			}
			try("dropping "+conditions[j], change(8, fewer))
		}
		if columns[8] == "-" {
			try("demanding an attribute", change(8, "attr:team=support"))
			try("demanding an environment", change(8, "env:production"))
		}
	}
	if rules < 40 {
		t.Errorf("only %d rules were tried", rules)
	}
}

func TestCheckTwinChangedFilesAreCaught(t *testing.T) {
	for name, change := range map[string]struct {
		reason                string // whose tables must fail; empty for those of scopes
		file, from, to, names string
	}{
		"model: a role taken for an entity": {"LLM_RESPONSE", "model.conf", "has_role(r.caller, p.role)", "entity_in(r.caller, p.role)", ""},
		"model: columns swapped": {
			"LLM_RESPONSE", "model.conf", "class_in(r.caller, p.classes) && entity_in(r.caller, p.entities)",
			"class_in(r.caller, p.entities) && entity_in(r.caller, p.classes)", "",
		},
		"model: never":             {"LLM_RESPONSE", "model.conf", "r.reason == p.reason", "r.reason == p.reason && r.reason == p.role", ""},
		"reason: a place more":     {"LLM_RESPONSE", "reasons.yaml#LLM_RESPONSE", "places: [prose, code]", "places: [prose, code, url]", "LLM_RESPONSE"},
		"reason: an approval less": {"LEGAL_DISCOVERY", "reasons.yaml#LEGAL_DISCOVERY", "confidential: 1, restricted: 2}", "confidential: 1, restricted: 1}", "legal × restricted × LEGAL_DISCOVERY"},
		"reason: no MFA":           {"BREAK_GLASS", "reasons.yaml", "    mfa: true", "    mfa: false", ""},
		"a rule that gives more": {
			"LEGAL_DISCOVERY", "policy.csv", "p, discovery, ", "p, more, allow, auditor, restore, LEGAL_DISCOVERY, public, TOKEN_LIKE, -, masked\np, discovery, ",
			"auditor × public × LEGAL_DISCOVERY",
		},
		"a reason without a table": {
			"NEW_REASON", "reasons.yaml", "\n  BREAK_GLASS:", strings.TrimSuffix(strings.NewReplacer("%s:", "NEW_REASON:", "%s", `["*"]`).Replace(newReason), "\n") + "\n\n  BREAK_GLASS:",
			"operator × restricted × NEW_REASON",
		},
		"a missing role": {
			"SUBJECT_ACCESS", "decisions/subject_access.yaml", "who: [gateway, restorer, approver, legal, auditor, operator]", "who: [gateway, restorer, approver, legal, auditor]",
			"operator × confidential × SUBJECT_ACCESS",
		},
		"a missing circumstance": {
			"LLM_RESPONSE", "decisions/llm_response.yaml", "    end_user: other\n", "    end_user: other\n    mfa: true\n",
			"gateway × public × LLM_RESPONSE (client same, end user other, mfa false",
		},
		"a sentence about nothing": {
			"", "decisions/scope.yaml", "    gets: allowed\n", "    gets: allowed\n  - who: gateway\n    client: same\n    end_user: same\n    with: attr:team=fraud\n    without: attr:team=fraud\n    gets: allowed\n",
			"decisions/scope.yaml, decision 2 covers nothing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bundle := copyOfShipped(t)
			edit(t, bundle, change.file, change.from, change.to)
			if name == "reason: no MFA" {
				// The rule demands it as well: both have to go.
				edit(t, bundle, "policy.csv", "mfa&attr:on_call=true", "attr:on_call=true")
			}
			action := access.ActionRestore
			if change.reason == "" {
				action = access.ActionScope
			}
			report, err := load(t, bundle).CheckOnly(t.Context(), action, change.reason)
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Err(); !errors.Is(err, access.ErrTables) {
				t.Fatalf("got %v, want the tables to fail", err)
			}
			if !strings.Contains(report.String(), change.names) {
				t.Errorf("the report does not name %q:\n%s", change.names, report)
			}
		})
	}
}

const newReason = `
  %s:
    description: Generated.
    legal_basis: {gdpr: none, hipaa: none}
    reference: {required: false, pattern: '^[A-Z]+$'}
    classes: [public, internal, confidential, restricted]
    entities: %s
    places: [prose]
    tools: []
    approvals: {public: 0, internal: 0, confidential: 0, restricted: 0}
    form: full
    mfa: false
    acr: []
    networks: []
    environments: []
    max_tokens: 1
    budgets: []
    notify: false
    review_hours: 0
    consent: ""
    reaches: {held: false, restricted: false}
`

func TestCheckWithoutTablesFails(t *testing.T) {
	bundle := copyOfShipped(t)
	for name := range bundle {
		if strings.HasPrefix(name, "decisions/") {
			delete(bundle, name)
		}
	}
	report := check(t, load(t, bundle))
	if err := report.Err(); !errors.Is(err, access.ErrTables) || report.Decided != 0 || len(report.Failures) != 8*7*4+7*42 {
		t.Errorf("got %v with %d decided and %d failures", err, report.Decided, len(report.Failures))
	}
}
