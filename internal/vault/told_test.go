package vault_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestIncidentEntryTellsItsClock: from when on the clocks run, which may be before
// the incident was written down.
func TestIncidentEntryTellsItsClock(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	for name, aware := range map[string]time.Time{"before": v.Clock.Now().Add(-5 * time.Hour), "now": {}} {
		from := head(t, v)
		opened := must2(v.Service.OpenIncident(ctx, officer(), vault.IncidentRequest{Reference: "INC-1", AwareAt: aware}))(t).Incident
		e := one(t, v, from)
		if got := e.Instant(audit.CountAwareAt); !got.Equal(opened.AwareAt.Truncate(time.Second)) || len(e.Counts) != 1 {
			t.Errorf("%s: the entry says %v, the incident %v", name, e.Counts, opened.AwareAt)
		}
		if err := audit.CheckKind(&e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRequestEntriesTellTheirClock: whose clock runs, until when, and until when once
// it was extended; other steps say nothing of it.
func TestRequestEntriesTellTheirClock(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	received := v.Clock.Now().Add(-48 * time.Hour)
	for regime, clock := range map[string][2]time.Time{
		"gdpr":  {received.AddDate(0, 1, 0), received.AddDate(0, 3, 0)},
		"ccpa":  {received.AddDate(0, 0, 45), received.AddDate(0, 0, 90)},
		"hipaa": {received.AddDate(0, 0, 30), received.AddDate(0, 0, 60)},
	} {
		from := head(t, v)
		req := intake(v, vault.RequestAccess, "crm:jane")
		req.Regime, req.ReceivedAt = regime, received
		r := opened(t, v, req)
		must2(v.Service.AssignRequest(ctx, officer(), r.ID, "paul"))(t)
		must2(v.Service.ExtendRequest(ctx, officer(), r.ID, "LETTER-2"))(t)
		must2(v.Service.CompleteRequest(ctx, officer(), r.ID, false))(t)
		var due []time.Time
		for _, e := range entriesFrom(t, v, from) {
			if err := audit.CheckKind(&e); err != nil {
				t.Errorf("%s: %v", regime, err)
			}
			due = append(due, e.Instant(audit.CountDueAt))
			if named := e.About(audit.ObligationRegime); e.Kind == audit.KindRequestOpen && !slices.Equal(named, []string{regime}) {
				t.Errorf("%s: the entry names %v", regime, named)
			}
		}
		want := []time.Time{clock[0].Truncate(time.Second), {}, clock[1].Truncate(time.Second), {}}
		if diff := cmp.Diff(want, due, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("%s: due (-want +got):\n%s", regime, diff)
		}
	}
}

// TestConsentEntriesNameThePerson: by the reference that entries of restorations
// have, also where the consent made it; and nobody's name is in them.
func TestConsentEntriesNameThePerson(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	from := head(t, v)
	given := must2(v.Service.GiveConsent(ctx, officer(), vault.ConsentRequest{Subject: "crm:jane", Purpose: "marketing", Reference: "FORM-1"}))(t).Consent
	must2(v.Service.WithdrawConsent(ctx, officer(), given.ID, "CALL-1"))(t)
	must2(v.Service.GiveConsent(ctx, officer(), vault.ConsentRequest{Subject: "crm:jane", Purpose: "research", Reference: "FORM-2"}))(t)
	entries := entriesFrom(t, v, from)
	var kinds []audit.Kind
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
		if !slices.Equal(e.SubjectRefs, []string{given.SubjectRef}) || given.SubjectRef == "" {
			t.Errorf("%s names %v, want %q", e.Kind, e.SubjectRefs, given.SubjectRef)
		}
		if e.Decision != audit.Allow || len(e.RuleIDs) == 0 {
			t.Errorf("%s is decided %q by %v", e.Kind, e.Decision, e.RuleIDs)
		}
		if err := audit.CheckKind(&e); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]audit.Kind{audit.KindSubjectLink, audit.KindConsent, audit.KindWithdrawConsent, audit.KindConsent}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	// What is of nobody names nobody.
	from = head(t, v)
	incident := must2(v.Service.OpenIncident(ctx, officer(), vault.IncidentRequest{Reference: "INC-1"}))(t).Incident
	must2(v.Service.NoteIncident(ctx, officer(), incident.ID, vault.IncidentAssessed, "NOTE-1"))(t)
	for _, e := range entriesFrom(t, v, from) {
		if len(e.SubjectRefs) > 0 {
			t.Errorf("%s names %v", e.Kind, e.SubjectRefs)
		}
	}
}

// TestSuspensionEntryTellsTheSorts: how many of each sort it names, and none of them.
func TestSuspensionEntryTellsTheSorts(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	for name, c := range map[string]struct {
		match vault.SuspensionWords
		want  map[string]int
	}{
		"all sorts": {vault.SuspensionWords{
			Callers: []string{"rob", "sue"}, Clients: []string{"gw-1"}, EndUsers: []string{"bob"}, Scopes: []string{"chat", "mail", "desk"},
			Reasons: []string{"LLM_RESPONSE"}, Entities: []string{"EMAIL_ADDRESS", "LOCATION"},
		}, map[string]int{"callers": 2, "clients": 1, "end_users": 1, "scopes": 3, "reasons": 1, "entities": 2}},
		"one":    {vault.SuspensionWords{Reasons: []string{"LLM_RESPONSE"}, From: v.Clock.Now()}, map[string]int{"reasons": 1}},
		"a time": {vault.SuspensionWords{To: v.Clock.Now()}, nil},
	} {
		from := head(t, v)
		must2(v.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Match: c.match, Reason: "INC-1"}))(t)
		e := one(t, v, from)
		if diff := cmp.Diff(c.want, e.Counts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := audit.CheckKind(&e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
