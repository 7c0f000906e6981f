package vault_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestReport: what is held, where it was sent, who had it back and why, by roles;
// without values unless a reason is given, and without those of others.
func TestReport(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	token := together(t, v, "chat",
		vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"},
		vault.Value{Entity: "PHONE_NUMBER", Value: "+1 212 555 0187", Subject: "crm:jane"},
		vault.Value{Entity: "EMAIL_ADDRESS", Value: "john@example.com", Subject: "crm:john"})[0]
	together(t, v, "chat", // of both
		vault.Value{Entity: "LOCATION", Value: "1 Main Street", Subject: "crm:jane"},
		vault.Value{Entity: "LOCATION", Value: "1 Main Street", Subject: "crm:john"})
	must2(llm(v, v.Gateway(), "chat", token))(t)
	r := opened(t, v, intake(v, vault.RequestAccess, "crm:jane"))
	from := head(t, v)
	got := must2(v.Service.ReportOnRequest(ctx, officer(), r.ID, vault.ReportRequest{}))(t)
	if e := one(t, v, from); e.Kind != audit.KindSubjectSearch || e.Code != "report" || !slices.Equal(e.SubjectRefs, got.SubjectRefs) {
		t.Errorf("the entry is %+v", e)
	}
	if len(got.SubjectRefs) != 1 || len(got.Holdings) != 3 || got.Holdings[0].Values != 1 || len(got.Values) != 0 {
		t.Errorf("held: %+v", got.Holdings)
	}
	if len(got.Destinations) != 1 || got.Destinations[0].Destination != "default" || got.Destinations[0].Values != 3 || got.Destinations[0].First.IsZero() {
		t.Errorf("sent: %+v", got.Destinations)
	}
	if len(got.Restorations) != 1 || got.Restorations[0].Reason != "LLM_RESPONSE" || !slices.Equal(got.Restorations[0].Roles, []string{"gateway"}) ||
		got.Restorations[0].Actor != "" || got.Restorations[0].Values != 1 {
		t.Errorf("restored: %+v", got.Restorations)
	}
	if len(got.Purposes) != 1 || !strings.Contains(got.Purposes[0].LegalBasis, "Art. 6") || len(got.Retention) == 0 {
		t.Errorf("why and how long: %+v %+v", got.Purposes, got.Retention)
	}
	if text := string(must2(json.Marshal(got))(t)); strings.Contains(text, "jane") || strings.Contains(text, "212 555") {
		t.Errorf("the report has a value: %s", text)
	}

	from = head(t, v)
	full := must2(v.Service.ReportOnRequest(ctx, officer(), r.ID, vault.ReportRequest{
		Values: true, Actors: true, Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-31"},
	}))(t)
	e := one(t, v, from)
	if e.Kind != audit.KindRestore || e.Reason != "SUBJECT_ACCESS" || len(e.Tokens) != 2 || e.Results["restored"] != 2 {
		t.Errorf("the entry is %+v", e)
	}
	var values []string
	for _, one := range full.Values {
		values = append(values, one.Value)
	}
	slices.Sort(values)
	if !slices.Equal(values, []string{"+1 212 555 0187", "jane@example.com"}) || !slices.Contains(full.Limits, vault.LimitThirdParties) {
		t.Errorf("the values are %q, the limits %q", values, full.Limits)
	}
	if full.Restorations[0].Actor != "gw-1" {
		t.Errorf("by whom: %+v", full.Restorations[0])
	}
}

// TestReportIsRefused: without the reason, the identity, the right kind or role;
// and what is past its time is not in it.
func TestReportIsRefused(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})
	r := opened(t, v, intake(v, vault.RequestAccess, "crm:jane"))
	for field, reason := range map[string]vault.ReasonGiven{
		"/reason/code":      {Code: "LEGAL_DISCOVERY", Reference: "MATTER-1"},
		"/reason/reference": {Code: "SUBJECT_ACCESS"},
	} {
		from := head(t, v)
		_, err := v.Service.ReportOnRequest(ctx, officer(), r.ID, vault.ReportRequest{Values: true, Reason: reason})
		wantViolation(t, err, field)
		if e := one(t, v, from); e.Kind != audit.KindRequestRefused {
			t.Errorf("%s: the entry is %+v", field, e)
		}
	}
	for _, role := range []string{"auditor", "legal", "gateway", "restorer", "operator"} {
		if _, err := v.Service.ReportOnRequest(ctx, vaulttest.Call("x", role), r.ID, vault.ReportRequest{}); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%s has a report: %v", role, err)
		}
	}
	erasing := opened(t, v, intake(v, vault.RequestErasure, "crm:jane"))
	if _, err := v.Service.ReportOnRequest(ctx, officer(), erasing.ID, vault.ReportRequest{}); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("a report on an erasure: %v", err)
	}
	waiting := intake(v, vault.RequestAccess, "crm:jane")
	waiting.Identity = nil
	unknown := opened(t, v, waiting)
	if _, err := v.Service.ReportOnRequest(ctx, officer(), unknown.ID, vault.ReportRequest{}); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("a report to nobody knows whom: %v", err)
	}
	v.Clock.Advance(25 * time.Hour)
	full := must2(v.Service.ReportOnRequest(ctx, officer(), r.ID, vault.ReportRequest{
		Values: true, Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-31"},
	}))(t)
	if len(full.Values) != 0 || len(full.Holdings) != 1 || full.Holdings[0].Expired != 1 {
		t.Errorf("past its time: %+v %+v", full.Values, full.Holdings)
	}
}

// TestInvariant1_NamesAreRestored: how the callers call scopes and people comes
// back for one reason, to one role, after its entry.
func TestInvariant1_NamesAreRestored(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	together(t, v, "chat:ticket 17", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})
	link(t, v, "crm:joe", "EMAIL_ADDRESS", "nobody@example.com")
	found := search(t, v, vault.SubjectSearchRequest{Subject: "crm:jane"})
	joe := search(t, v, vault.SubjectSearchRequest{Subject: "crm:joe"})
	req := vault.NamesRequest{
		ScopeRefs: []string{found.Sightings[0].ScopeID}, SubjectRefs: append(found.SubjectRefs, joe.SubjectRefs[0], vault.NewID()),
		Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-31"},
	}
	from := head(t, v)
	got := must2(v.Service.RestoreNames(ctx, officer(), req))(t)
	if got.Scopes[req.ScopeRefs[0]] != "chat:ticket 17" || got.Subjects[found.SubjectRefs[0]] != "crm:jane" || got.Subjects[joe.SubjectRefs[0]] != "crm:joe" ||
		len(got.Subjects) != 2 {
		t.Errorf("the names are %+v", got)
	}
	if e := one(t, v, from); e.Kind != audit.KindRestore || e.Reason != "SUBJECT_ACCESS" || e.Counts["names"] != 3 || len(e.SubjectRefs) != 2 {
		t.Errorf("the entry is %+v", e)
	}
	for _, role := range []string{"auditor", "legal", "gateway", "restorer", "operator"} {
		if _, err := v.Service.RestoreNames(ctx, vaulttest.Call("x", role), req); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%s has names: %v", role, err)
		}
	}
	erase(t, v, "crm:jane")
	again := must2(v.Service.RestoreNames(ctx, officer(), req))(t)
	if again.Subjects[found.SubjectRefs[0]] != "" {
		t.Errorf("an erased person has a name: %+v", again)
	}
}
