package access_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// together are pairs of roles that one caller may have by the shipped policy.
// Every other pair must be refused.
var together = []string{
	"restorer approver", "restorer privacy_officer", "restorer legal", "restorer auditor", "restorer operator",
	"approver privacy_officer", "approver legal", "approver auditor", "approver operator",
	"privacy_officer auditor", "privacy_officer operator", "legal auditor", "legal operator",
}

// mixed are the pairs that may be one caller's and should not, or the reverse.
func mixed(separate func([]string) (string, bool)) []string {
	var found []string
	for i, a := range access.Roles() {
		for _, b := range access.Roles()[i+1:] {
			want := strings.Contains("|"+strings.Join(together, "|")+"|", "|"+a+" "+b+"|")
			for _, roles := range [][]string{{a, b}, {b, a}, {"offline_access", b, "x", a}} {
				if rule, ok := separate(roles); ok != want || ok != (rule == "") {
					found = append(found, a+" "+b)
				}
			}
		}
	}
	return found
}

func TestSeparationOfDuties(t *testing.T) {
	p := shipped(t)
	if found := mixed(p.Separate); len(found) > 0 {
		t.Errorf("decided otherwise: %v", found)
	}
	for _, role := range access.Roles() {
		if rule, ok := p.Separate([]string{role, role, "offline_access"}); !ok {
			t.Errorf("%s alone is refused by %s", role, rule)
		}
	}
	if _, ok := p.Separate(nil); !ok {
		t.Error("no roles at all are refused")
	}
	for roles, want := range map[string]string{
		"auditor operator": "operator-auditor", "legal privacy_officer": "legal-privacy", "restorer gateway": "gateway-human",
	} {
		if rule, _ := p.Separate(strings.Fields(roles)); rule != want {
			t.Errorf("%s: got rule %q, want %q", roles, rule, want)
		}
	}
	rules := p.Separations()
	clear(rules[0].NeverWith)
	if rule, _ := p.Separate([]string{"operator", "auditor"}); rule != "operator-auditor" {
		t.Error("writing to what was returned changed the policy")
	}
}

func TestSeparationTwinAMissingRuleIsCaught(t *testing.T) {
	for _, rule := range shipped(t).Separations() {
		bundle := copyOfShipped(t)
		text := string(bundle["separation.yaml"].Data)
		start := strings.Index(text, "  - id: "+rule.ID)
		end := start + len(text[start:])
		if next := strings.Index(text[start+1:], "  - id: "); next >= 0 {
			end = start + 1 + next
		}
		bundle["separation.yaml"] = &fstest.MapFile{Data: []byte(text[:start] + text[end:])}
		if len(mixed(load(t, bundle).Separate)) == 0 {
			t.Errorf("without %s nothing was noticed", rule.ID)
		}
	}
}

func TestSeparationIsRefused(t *testing.T) {
	for name, rule := range map[string]string{
		"role":       "{id: a, role: operators, never_with: [auditor], because: x}",
		"never with": "{id: a, role: operator, never_with: [audit], because: x}",
		"itself":     "{id: a, role: operator, never_with: [operator], because: x}",
		"nothing":    "{id: a, role: operator, never_with: [], because: x}",
		"no because": "{id: a, role: operator, never_with: [auditor]}",
		"id":         "{id: A!, role: operator, never_with: [auditor], because: x}",
		"id twice":   "{id: a, role: operator, never_with: [auditor], because: x}\n  - {id: a, role: legal, never_with: [auditor], because: x}",
		"field":      "{id: a, role: operator, never_with: [auditor], because: x, unless: y}",
	} {
		bundle := copyOfShipped(t)
		bundle["separation.yaml"] = &fstest.MapFile{Data: []byte("version: 1\nrules:\n  - " + rule + "\n")}
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) || !strings.Contains(err.Error(), "separation.yaml") {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}

func TestOperations(t *testing.T) {
	p := shipped(t)
	want := map[access.Operation]access.OperationRule{
		access.OpErase: {Approvals: 1, Over: 1000}, access.OpHoldRelease: {}, access.OpPolicyPromote: {Approvals: 1},
		access.OpTrim: {}, access.OpTenantClose: {},
	}
	got := map[access.Operation]access.OperationRule{}
	for _, op := range access.Operations() {
		got[op] = p.Operation(op)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rule := p.Operation("format_disk"); rule.Approvals == 0 {
		t.Error("an operation that nobody knows needs no approval")
	}
}

func TestOperationsAreRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"a missing one":       {"  trim: {approvals: 0}\n", ""},
		"an unknown one":      {"  trim:", "  trimming:"},
		"one more":            {"  trim:", "  format: {approvals: 1}\n  trim:"},
		"too many":            {"  trim: {approvals: 0}", "  trim: {approvals: 10}"},
		"negative":            {"  trim: {approvals: 0}", "  trim: {approvals: -1}"},
		"not spelt out":       {"  trim: {approvals: 0}", "  trim: {}"},
		"over for another":    {"  trim: {approvals: 0}", "  trim: {approvals: 0, over: 3}"},
		"restricted, another": {"  trim: {approvals: 0}", "  trim: {approvals: 0, restricted: true}"},
		"erase without over":  {"over: 1000, ", ""},
		"erase, negative":     {"over: 1000", "over: -1"},
		"without restricted":  {", restricted: false", ""},
		"unknown field":       {"  trim: {approvals: 0}", "  trim: {approvals: 0, by: legal}"},
	} {
		bundle := copyOfShipped(t)
		edit(t, bundle, "operations.yaml", change[0], change[1])
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) || !strings.Contains(err.Error(), "operations.yaml") {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}
