package access_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// rowsOf are the rights of one role and reason, short.
func rowsOf(rights []access.Right, role, reason string) []string {
	var out []string
	for _, r := range rights {
		if r.Role == role && r.Reason == reason {
			out = append(out, string(r.Class)+" "+string(r.Form)+" "+r.Rule+" "+strings.Join(r.Conditions, "&"))
		}
	}
	return out
}

// TestMatrix pins what the shipped policy says, for one role that has much and
// for one that has nothing.
func TestMatrix(t *testing.T) {
	p := shipped(t)
	rights := p.Matrix("")
	want := []string{
		"public full llm-absent-low same_client&end_user_absent",
		"public full llm-same-end-user same_client&same_end_user",
		"public full llm-unbound same_client&end_user_unbound",
		"internal full llm-absent-low same_client&end_user_absent",
		"internal full llm-same-end-user same_client&same_end_user",
		"internal full llm-unbound same_client&end_user_unbound",
		"confidential partial llm-absent-confidential same_client&end_user_absent",
		"confidential full llm-same-end-user same_client&same_end_user",
		"confidential full llm-unbound same_client&end_user_unbound",
		"restricted masked llm-absent-restricted same_client&end_user_absent",
		"restricted full llm-same-end-user same_client&same_end_user",
		"restricted full llm-unbound same_client&end_user_unbound",
	}
	if diff := cmp.Diff(want, rowsOf(rights, "gateway", "LLM_RESPONSE")); diff != "" {
		t.Errorf("gateway (-want +got):\n%s", diff)
	}
	for _, r := range rights {
		if r.Role == "auditor" || r.Role == "operator" || r.Role == "approver" {
			t.Errorf("%s has a right: %+v", r.Role, r)
		}
		if r.Rule == "support-restricted" {
			want := access.Right{
				Role: "restorer", Reason: "CUSTOMER_SUPPORT", Class: access.ClassRestricted, Form: access.FormPartial,
				Conditions: []string{}, Approvals: 2, Reference: "^[A-Z][A-Z0-9]+-?[0-9]+$",
				Places: []string{"prose", "code"}, Budgets: r.Budgets, Rule: "support-restricted",
			}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("support-restricted (-want +got):\n%s", diff)
			}
			if len(r.Budgets) == 0 || !strings.HasSuffix(r.Budgets[0], " an hour per caller") {
				t.Errorf("the budgets of a reason for people are %q", r.Budgets)
			}
		}
	}
}

// TestMatrixOfTenant pins that an overlay takes rights away, and says what it
// demands.
func TestMatrixOfTenant(t *testing.T) {
	files := changeOf{"overlays.yaml", "tenants: {}", `tenants:
  acme:
    reasons:
      LLM_RESPONSE: {enabled: false}
      FRAUD_REVIEW: {classes: [restricted], form: masked, entities: [PERSON, US_SSN], mfa: true, approvals: {restricted: 3},
        acr: [gold, silver], networks: [10.0.0.0/8], environments: [production], budgets: [{per: end_user, tokens: 7}],
        hours: {zone: UTC, days: [mon], from: '08:00', to: '09:00'}}`}.of(t)
	p := load(t, files)
	if rows := rowsOf(p.Matrix("acme"), "gateway", "LLM_RESPONSE"); rows != nil {
		t.Errorf("a reason that is turned off gives %q", rows)
	}
	if rowsOf(p.Matrix("other"), "gateway", "LLM_RESPONSE") == nil {
		t.Error("another tenant lost the reason too")
	}
	var got access.Right
	for _, r := range p.Matrix("acme") {
		if r.Reason == "FRAUD_REVIEW" {
			got = r
		}
	}
	want := access.Right{
		Role: "restorer", Reason: "FRAUD_REVIEW", Class: access.ClassRestricted, Entities: []string{"PERSON", "TOKEN_LIKE", "US_SSN"},
		Form: access.FormMasked, Approvals: 3, MFA: true, Reference: got.Reference, Places: []string{"prose", "code"},
		Conditions: []string{"attr:team=fraud", "acr gold or silver", "hours mon 08:00-09:00 UTC", "network 10.0.0.0/8", "environment production"},
		Budgets:    got.Budgets, Rule: "fraud-team",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("right (-want +got):\n%s", diff)
	}
	if !slices.Contains(got.Budgets, "7 an hour per end_user") {
		t.Errorf("budgets: %q", got.Budgets)
	}
}

// TestMatrixDenied pins what deny rules do to a right: all of it, some entities,
// or under a condition; for a principal those of every role.
func TestMatrixDenied(t *testing.T) {
	with := func(rules string) *access.Policy {
		files := copyOfShipped(t)
		files["policy.csv"].Data = append(files["policy.csv"].Data, []byte(rules)...)
		return load(t, files)
	}
	const deny = "p, no, deny, restorer, restore, CUSTOMER_SUPPORT, "
	find := func(p *access.Policy) *access.Right {
		for _, r := range p.Matrix("") {
			if r.Rule == "support" && r.Class == access.ClassInternal {
				return &r
			}
		}
		return nil
	}
	if r := find(with(deny + "internal, *, -, -\n")); r != nil {
		t.Errorf("what is denied is there: %+v", r)
	}
	for rules, want := range map[string]string{
		deny + "restricted, *, -, -\n":                                          "",
		deny + "internal, LOCATION|URL, -, -\n":                                 "but not LOCATION or URL (no)",
		deny + "internal, LOCATION, mfa&env:production, -\n":                    "but not LOCATION with mfa and env:production (no)",
		deny + "internal, *, attr:team=fraud, -\n":                              "but not with attr:team=fraud (no)",
		strings.Replace(deny, "restorer", "auditor", 1) + "internal, *, -, -\n": "",
	} {
		r := find(with(rules))
		if r == nil || strings.Join(r.Conditions, "|") != want {
			t.Errorf("%s: %+v, want %q", strings.TrimSpace(rules), r, want)
		}
	}
	both := access.Principal{Name: "ann", Roles: []string{"restorer", "auditor"}}
	p := with("p, no, deny, auditor, restore, CUSTOMER_SUPPORT, public|internal|confidential|restricted, *, -, -\n")
	for _, r := range p.MatrixOf("", []access.Principal{both}) {
		if r.Reason == "CUSTOMER_SUPPORT" {
			t.Errorf("an auditor's denial does not hold for an auditor who is a restorer: %+v", r)
		}
	}
}

// TestMatrixOfPrincipals pins who has what, who nothing, and who is refused.
func TestMatrixOfPrincipals(t *testing.T) {
	p := shipped(t)
	got := p.MatrixOf("", []access.Principal{
		{Name: "fraud", Roles: []string{"restorer"}, Attributes: map[string]string{"team": "fraud"}},
		{Name: "support", Roles: []string{"restorer", "nurse"}},
		{Name: "nobody", Roles: []string{"nurse"}},
		{Name: "both", Roles: []string{"operator", "auditor"}},
		{Name: "machine", Roles: []string{"gateway", "restorer"}},
	})
	reasons := map[string][]string{}
	for _, r := range got {
		if !slices.Contains(reasons[r.Principal], r.Reason) {
			reasons[r.Principal] = append(reasons[r.Principal], r.Reason+r.Refused)
		}
	}
	if slices.Contains(reasons["support"], "FRAUD_REVIEW") || !slices.Contains(reasons["fraud"], "FRAUD_REVIEW") ||
		!slices.Contains(reasons["support"], "CUSTOMER_SUPPORT") {
		t.Errorf("restorers have %v", reasons)
	}
	for name, want := range map[string][]string{"nobody": {""}, "both": {"operator-auditor"}, "machine": {"gateway-human"}} {
		if diff := cmp.Diff(want, reasons[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// covered says whether a right of the matrix stands for what was decided.
func covered(rights []access.PrincipalRight, p *access.Policy, r access.Request, d access.Decision) bool {
	return slices.ContainsFunc(rights, func(right access.PrincipalRight) bool {
		return right.Reason == r.Reason && right.Form == d.Form && right.Approvals == d.Approvals &&
			slices.Contains(d.RuleIDs, right.Rule) && slices.Contains(r.Roles, right.Role) &&
			(right.Entities == nil || slices.Contains(right.Entities, r.Entity)) && classOf(p, r) == right.Class &&
			(!right.MFA || r.MFA) && slices.ContainsFunc(right.Places, func(place string) bool {
			return place == strings.TrimSpace(string(r.Place)+" "+toolOf(r))
		})
	})
}

func toolOf(r access.Request) string {
	if r.Place == access.PlaceTool {
		return r.Tool
	}
	return ""
}

// classOf is the stricter of the two classes that a request is decided by.
func classOf(p *access.Policy, r access.Request) access.Class {
	e, _ := p.Entity(r.Entity)
	return access.Class(stricter(string(r.Class), string(e.Class)))
}

// TestMatrixShowsEverything asks generated policies random requests: whatever is
// allowed stands in the matrix of who asks, and the same matrix without one of
// its rights is noticed to lack it (the twin).
func TestMatrixShowsEverything(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 2))
	allowed, noticed := 0, 0
	for range 8 {
		p := load(t, generated(t, rng, 4, 24))
		for range 1500 {
			r := randomRequest(rng, p)
			d := p.Decide(r)
			if _, ok := p.Separate(r.Roles); !ok || !d.Allow || r.Action != access.ActionRestore {
				continue
			}
			allowed++
			rights := p.MatrixOf(r.Tenant, []access.Principal{{Name: "x", Roles: r.Roles, Attributes: r.Attributes}})
			if !covered(rights, p, r, d) {
				t.Fatalf("%+v is allowed (%+v) and not in the matrix:\n%+v", r, d, rights)
			}
			less := slices.DeleteFunc(slices.Clone(rights), func(right access.PrincipalRight) bool { return slices.Contains(d.RuleIDs, right.Rule) })
			if !covered(less, p, r, d) {
				noticed++
			}
		}
	}
	if allowed < 100 || noticed != allowed {
		t.Errorf("%d requests were allowed, a missing right was noticed for %d", allowed, noticed)
	}
}

// TestMatrixFormats writes hostile names and reads them back: a table stays a
// table, and no cell is a formula or markup.
func TestMatrixFormats(t *testing.T) {
	hostiles := []string{
		"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "a\nb", "\r=1", `c"d`, "e,f", "g|h", "<b>", "*i*", "[j](http://x)", "`k`", `l\`,
	}
	var rights []access.PrincipalRight
	for _, name := range hostiles {
		rights = append(rights, access.PrincipalRight{Principal: name, Right: access.Right{Role: "restorer", Rule: "r", Entities: []string{name}}})
	}
	var out bytes.Buffer
	if err := access.WriteMatrix(&out, access.FormatCSV, rights); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\r\n") < len(rights)+1 {
		t.Error("rows do not end as RFC 4180 says")
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != len(rights)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if trimmed := strings.TrimLeft(cell, " "); trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@\t\r\n") || strings.HasPrefix(trimmed, "＝") {
				t.Errorf("a spreadsheet runs %q", cell)
			}
		}
	}
	out.Reset()
	if err := access.WriteMatrix(&out, access.FormatMarkdown, rights); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		bare := strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, "")
		if strings.Count(bare, "|") != 15 || strings.ContainsAny(bare, "<>") {
			t.Errorf("row %d is no row: %s", i, line)
		}
	}
	out.Reset()
	if err := access.WriteMatrix(&out, access.FormatJSON, rights); err != nil {
		t.Fatal(err)
	}
	var read []access.PrincipalRight
	if err := json.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rights, read); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if err := access.WriteMatrix(&out, "xlsx", rights); err == nil {
		t.Error("an unknown format is written")
	}
	out.Reset()
	if err := access.WriteMatrix[access.Right](&out, access.FormatJSON, nil); err != nil || strings.TrimSpace(out.String()) != "[]" {
		t.Errorf("no rights are %q, %v", out.String(), err)
	}
}
