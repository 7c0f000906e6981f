package vault_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestIncident: who was exposed, from the log, and the clocks.
func TestIncident(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	for _, person := range []string{"jane", "joe"} {
		text := must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
			Scope: "chat of " + person, Destination: "openai/us",
			Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: person + "@example.com", Subject: person}, {Entity: "LOCATION", Value: "Lisbon", Subject: person}},
		}))(t).Values
		must2(llm(v, v.Gateway(), "chat of "+person, strings.Join(text, " ")))(t)
	}
	from, to := v.Clock.Now().Add(-time.Hour), v.Clock.Now().Add(time.Hour)
	assess := func(change func(*vault.AssessRequest)) vault.Assessment {
		req := vault.AssessRequest{From: from, To: to}
		change(&req)
		return must2(v.Service.AssessIncident(ctx, officer(), req))(t)
	}
	all := assess(func(*vault.AssessRequest) {})
	if all.Entries != 2 || all.Tokens != 4 || all.Entities["EMAIL_ADDRESS"] != 2 || len(all.Subjects) != 2 || len(all.Scopes) != 2 || all.Actors["gw-1"] != 2 || all.Audit == nil {
		t.Errorf("restored: %+v", all)
	}
	if one := assess(func(r *vault.AssessRequest) { r.Scope = "chat of joe" }); one.Tokens != 2 || len(one.Subjects) != 1 {
		t.Errorf("of one scope: %+v", one)
	}
	if one := assess(func(r *vault.AssessRequest) { r.SubjectRef = all.Subjects[0] }); one.Tokens != 2 {
		t.Errorf("of one person: %+v", one)
	}
	if sent := assess(func(r *vault.AssessRequest) { r.Tokenized, r.Destination = true, "openai/us" }); sent.Tokens != 4 {
		t.Errorf("sent: %+v", sent)
	}
	for name, none := range map[string]func(*vault.AssessRequest){
		"actor":       func(r *vault.AssessRequest) { r.Actor = "gw-2" },
		"client":      func(r *vault.AssessRequest) { r.Client = "gw-2" },
		"reason":      func(r *vault.AssessRequest) { r.Reason = "FRAUD_REVIEW" },
		"entity":      func(r *vault.AssessRequest) { r.Entity = "PERSON" },
		"destination": func(r *vault.AssessRequest) { r.Tokenized, r.Destination = true, "anthropic/eu" },
		"time":        func(r *vault.AssessRequest) { r.To = from.Add(time.Minute) },
	} {
		if got := assess(none); got.Entries != 0 {
			t.Errorf("another %s: %+v", name, got)
		}
	}

	opened := must2(v.Service.OpenIncident(ctx, officer(), vault.IncidentRequest{Reference: "INC-1", AwareAt: v.Clock.Now().Add(-time.Hour)}))(t).Incident
	if !opened.AuthorityDueAt.Equal(opened.AwareAt.Add(72*time.Hour)) || !opened.PersonsDueAt.Equal(opened.AwareAt.AddDate(0, 0, 60)) {
		t.Errorf("clocks: %+v", opened)
	}
	if _, err := v.Service.CloseIncident(ctx, officer(), opened.ID, vault.OutcomeNotified, "END-1"); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("closed as notified while nobody was: %v", err)
	}
	v.Clock.Advance(71*time.Hour + time.Second)
	if got := must2(v.Service.Incident(ctx, v.Auditor(), opened.ID))(t); !got.AuthorityOverdue || got.PersonsOverdue {
		t.Errorf("after 72 hours: %+v", got)
	}
	must2(v.Service.NoteIncident(ctx, officer(), opened.ID, vault.IncidentAuthorityNotified, "LETTER-1"))(t)
	closed := must2(v.Service.CloseIncident(ctx, officer(), opened.ID, vault.OutcomeNotified, "END-1"))(t).Incident
	if closed.ClosedAt.IsZero() || len(closed.Events) != 1 || !closed.AuthorityOverdue || closed.PersonsOverdue {
		t.Errorf("closed: %+v", closed)
	}
}

// TestExposure: what each destination has had, and would have in clear.
func TestExposure(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Destinations: []string{"openai/us", "anthropic/eu"}, Text: vaulttest.Ptr("jane@example.com on 2026-04-01"),
	}))(t)
	got := must2(v.Service.Exposure(ctx, v.Auditor()))(t)
	by := make(map[string]vault.DestinationExposure)
	for _, e := range got {
		by[e.Name] = e
	}
	eu := by["anthropic/eu"]
	if len(eu.Sent) == 0 || eu.Sent[0].Mappings == 0 || eu.DPA == nil || !eu.DPA.InForce || !slices.Contains(eu.InClear, "DATE_TIME") {
		t.Errorf("anthropic/eu: %+v", eu)
	}
	if us := by["openai/us"]; len(us.Sent) != len(eu.Sent) || len(us.InClear) > 0 {
		t.Errorf("openai/us: %+v", us)
	}
	v.Clock.Advance(3 * 365 * 24 * time.Hour)
	for _, e := range must2(v.Service.Exposure(ctx, v.Auditor()))(t) {
		if e.Name == "anthropic/eu" && (e.DPA.InForce || len(e.InClear) > 0) {
			t.Errorf("after its agreement: %+v", e)
		}
	}
}

// TestAccessReview: a decision about every right, and no other.
func TestAccessReview(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	must2(llm(v, v.Gateway(), "chat", email))(t)
	matrix := must2(v.Service.PolicyMatrix(ctx, v.Auditor()))(t)
	var decisions []vault.AccessReviewDecision
	seen, used := make(map[string]bool), 0
	for _, line := range matrix.Lines {
		if line.Uses > 0 {
			used++
			if line.Reason != "LLM_RESPONSE" || line.Class != "confidential" || line.LastUsed.IsZero() {
				t.Errorf("used: %+v", line)
			}
		}
		if !seen[line.Rule] {
			seen[line.Rule] = true
			decisions = append(decisions, vault.AccessReviewDecision{Rule: line.Rule, Decision: "keep"})
		}
	}
	if used != 1 {
		t.Errorf("%d rights were used, want 1", used)
	}
	review := vault.AccessReviewRequest{From: v.Clock.Now().Add(-time.Hour), To: v.Clock.Now(), Reference: "REVIEW-1", Decisions: decisions[1:]}
	_, err := v.Service.RecordAccessReview(ctx, v.Auditor(), review)
	wantViolation(t, err, "/decisions")
	review.Decisions = decisions
	must2(v.Service.RecordAccessReview(ctx, v.Auditor(), review))(t)
	if got := must2(v.Service.AccessReviews(ctx, v.Auditor(), vault.ProceedingListRequest{}))(t).Reviews; len(got) != 1 || len(got[0].Decisions) != len(decisions) || got[0].PolicyVersion != matrix.PolicyVersion {
		t.Errorf("reviews: %+v", got)
	}
}

// TestNotices: what is loud is queued in the commit, delivered at least once, and
// holds no value.
func TestNotices(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS), notifying())
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	must2(detokenized(v, onCall("rob"), "BREAK_GLASS", "", email))(t)
	must2(llm(v, v.Gateway(), "chat", email))(t) // not loud
	v.Clock.Advance(time.Second)                 // the oldest is sent first
	must2(v.Service.RequestRestoration(ctx, staff("rob"), asked(email)))(t)
	var sent []vault.Notice
	send := func(done bool) {
		t.Helper()
		sent = nil
		if _, err := v.Service.SendNotices(ctx, "acme", func(_ context.Context, _ string, n vault.Notice) vault.Delivery {
			sent = append(sent, n)
			return vault.Delivery{Done: done, Again: v.Clock.Now().Add(time.Minute)}
		}); err != nil {
			t.Fatal(err)
		}
	}
	send(false)
	if len(sent) != 2 || sent[0].Kind != string(audit.KindReviewOpen) || sent[1].Kind != string(audit.KindApprovalRequest) {
		t.Fatalf("queued: %+v", sent)
	}
	for _, n := range sent {
		if strings.Contains(string(n.Body), "jane") || strings.Contains(string(n.Body), "EMAIL_ADDRESS_") {
			t.Errorf("a notice tells a value or a token: %s", n.Body)
		}
	}
	if send(true); len(sent) != 0 {
		t.Errorf("before its time: %+v", sent)
	}
	v.Clock.Advance(time.Minute)
	if send(true); len(sent) != 2 || sent[0].Attempts != 1 {
		t.Errorf("again: %+v", sent)
	}
	v.Clock.Advance(time.Hour)
	if send(true); len(sent) != 0 {
		t.Errorf("delivered, and once more: %+v", sent)
	}
}
