package client_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// onCall gives the bearers of a restorer who is on call and has a second factor.
func (w *world) onCall(subject string) client.TokenSource {
	return func(context.Context) (string, error) {
		return w.vault.Issuer.Sign(authn.Claims{
			Subject: subject, Tenant: "acme", Roles: []string{"restorer"}, TTL: time.Minute, Extra: map[string]any{"on_call": "true", "amr": "mfa"},
		})
	}
}

// TestAnOperationIsApproved: an erasure, by two of the privacy team.
func TestAnOperationIsApproved(t *testing.T) {
	w := newWorld(t, vaulttest.WithPolicy(authz.FS))
	pia, paul := w.client(w.as("acme", "pia", "privacy_officer")), w.client(w.as("acme", "paul", "privacy_officer"))
	if _, err := w.gateway().Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Subject: "crm:erika", Content: client.Values{{Entity: "EMAIL_ADDRESS", Value: email}},
	}); err != nil {
		t.Fatal(err)
	}
	request := erasureOf(w, "crm:erika")
	tried, err := pia.TryErasure(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	ask := client.ApprovalRequest{Operation: client.OperationErase, Target: tried.PreviewID, Reference: "DSAR-7", IdempotencyKey: "dsar-7"}
	asked, err := pia.RequestApproval(t.Context(), ask)
	if err != nil || asked.Status != client.ApprovalPending || asked.Target != tried.PreviewID {
		t.Fatalf("%+v %v", asked, err)
	}
	if again, err := pia.RequestApproval(t.Context(), ask); err != nil || again.ID != asked.ID {
		t.Errorf("again: %+v %v", again, err)
	}
	if _, err := pia.DecideApproval(t.Context(), asked.ID, client.Approve, ""); !errors.Is(err, client.ErrConflict) {
		t.Errorf("the requester's own: %v", err)
	}
	if page, err := paul.Approvals(t.Context(), client.ApprovalPending, ""); err != nil || len(page.Approvals) != 1 {
		t.Errorf("%+v %v", page, err)
	}
	if agreed, err := paul.DecideApproval(t.Context(), asked.ID, client.Approve, "the files agree"); err != nil || agreed.Status != client.ApprovalApproved {
		t.Errorf("%+v %v", agreed, err)
	}
	if one, err := paul.Approval(t.Context(), asked.ID); err != nil || one.Decisions[0].By != "paul" || one.Operation != client.OperationErase {
		t.Errorf("%+v %v", one, err)
	}
	// It is only looked at where the policy demands one, which it does for many values.
	request.PreviewID, request.ApprovalID = tried.PreviewID, asked.ID
	if done, err := pia.Erase(t.Context(), request); err != nil || done.Request.Status != client.RequestCompleted {
		t.Errorf("%+v %v", done, err)
	}
}

// TestAnEmergencyIsReviewed: by an auditor, from the list of what is open.
func TestAnEmergencyIsReviewed(t *testing.T) {
	w := newWorld(t)
	out, err := w.gateway().Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	nina, ada := w.client(w.onCall("nina")), w.client(w.as("acme", "ada", "auditor"))
	back, err := nina.Detokenize(t.Context(), client.DetokenizeRequest{Scope: "chat-1", Reason: client.Reason{Code: "BREAK_GLASS"}, Content: client.Text(out.Text)})
	if err != nil || back.Text != "mail "+email {
		t.Fatalf("%+v %v", back, err)
	}
	page, err := ada.Reviews(t.Context(), client.ReviewOpen, "")
	if err != nil || len(page.Reviews) != 1 || page.Reviews[0].Actor != "nina" || page.Reviews[0].DueAt.IsZero() {
		t.Fatalf("%+v %v", page, err)
	}
	closed, err := ada.CloseReview(t.Context(), page.Reviews[0].ID, client.FindingPolicyGap, "REV-1")
	if err != nil || closed.Status != client.ReviewClosed || closed.Finding != client.FindingPolicyGap || closed.ClosedBy != "ada" {
		t.Errorf("%+v %v", closed, err)
	}
	if page, err := ada.Reviews(t.Context(), client.ReviewOverdue, ""); err != nil || len(page.Reviews) != 0 {
		t.Errorf("%+v %v", page, err)
	}
}

// TestRestorationsAreStopped and go on once it is lifted.
func TestRestorationsAreStopped(t *testing.T) {
	w := newWorld(t)
	gateway, pia := w.gateway(), w.client(w.as("acme", "pia", "privacy_officer"))
	out, err := gateway.Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	later := w.vault.Clock.Now().Add(time.Hour + time.Nanosecond)
	placed, err := pia.Suspend(t.Context(), client.SuspensionRequest{
		Match: client.SuspensionMatch{Reasons: []string{"LLM_RESPONSE"}, Scopes: []string{"chat-1"}, To: &later}, Reason: "INC-1",
	})
	if err != nil || placed.Match.Scopes != 1 || placed.LiftedAt != nil || placed.Receipt == nil {
		t.Fatalf("%+v %v", placed, err)
	}
	if back, err := gateway.Detokenize(t.Context(), restore(client.Text(out.Text))); err != nil || back.Results[0].Status != client.StatusSuspended {
		t.Errorf("%+v %v", back, err)
	}
	if page, err := pia.Suspensions(t.Context(), true, ""); err != nil || len(page.Suspensions) != 1 {
		t.Errorf("%+v %v", page, err)
	}
	if lifted, err := pia.LiftSuspension(t.Context(), placed.ID, "INC-1"); err != nil || lifted.LiftedAt == nil {
		t.Errorf("%+v %v", lifted, err)
	}
	if back, err := gateway.Detokenize(t.Context(), restore(client.Text(out.Text))); err != nil || back.Text != "mail "+email {
		t.Errorf("lifted: %+v %v", back, err)
	}
}

// TestAnIncident from who was exposed to its end.
func TestAnIncident(t *testing.T) {
	w := newWorld(t)
	gateway, pia := w.gateway(), w.client(w.as("acme", "pia", "privacy_officer"))
	out, err := gateway.Tokenize(t.Context(), prompt("mail "+email))
	if err == nil {
		_, err = gateway.Detokenize(t.Context(), restore(client.Text(out.Text)))
	}
	if err != nil {
		t.Fatal(err)
	}
	now := w.vault.Clock.Now()
	exposed, err := pia.AssessIncident(t.Context(), client.AssessRequest{From: now.Add(-time.Hour), To: now.Add(time.Hour), Client: "gw-1"})
	if err != nil || exposed.Tokens != 1 || exposed.Entities["EMAIL_ADDRESS"] != 1 || exposed.Receipt == nil {
		t.Fatalf("%+v %v", exposed, err)
	}
	aware := now.Add(-time.Hour)
	opened, err := pia.OpenIncident(t.Context(), client.IncidentRequest{Reference: "INC-1", AwareAt: &aware, From: &aware})
	if err != nil || !opened.AuthorityDueAt.Equal(opened.AwareAt.Add(72*time.Hour)) || opened.AuthorityNotifiedAt != nil {
		t.Fatalf("%+v %v", opened, err)
	}
	if _, err := pia.CloseIncident(t.Context(), opened.ID, client.OutcomeNotified, "INC-1"); !errors.Is(err, client.ErrConflict) {
		t.Errorf("before anybody was told: %v", err)
	}
	for _, kind := range []string{client.EventContained, client.EventAuthorityNotified, client.EventPersonsNotified} {
		if _, err := pia.NoteIncident(t.Context(), opened.ID, kind, "LETTER-1"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if one, err := pia.Incident(t.Context(), opened.ID); err != nil || len(one.Events) != 3 || one.PersonsNotifiedAt == nil {
		t.Errorf("%+v %v", one, err)
	}
	if closed, err := pia.CloseIncident(t.Context(), opened.ID, client.OutcomeNotified, "INC-1"); err != nil || closed.ClosedAt == nil {
		t.Errorf("%+v %v", closed, err)
	}
	if page, err := pia.Incidents(t.Context(), true, ""); err != nil || len(page.Incidents) != 0 {
		t.Errorf("%+v %v", page, err)
	}
	if page, err := pia.Incidents(t.Context(), false, ""); err != nil || len(page.Incidents) != 1 {
		t.Errorf("%+v %v", page, err)
	}
}

// TestAConsent is given, found and withdrawn. Whose it is stands in no address.
func TestAConsent(t *testing.T) {
	w := newWorld(t)
	pia := w.client(w.as("acme", "pia", "privacy_officer"))
	until := w.vault.Clock.Now().Add(24 * time.Hour)
	given, err := pia.GiveConsent(t.Context(), client.ConsentRequest{Subject: "crm:erika", Purpose: "marketing", Reference: "FORM-1", ExpiresAt: &until})
	if err != nil || given.Status != "live" || given.SubjectRef == "" || given.ExpiresAt == nil {
		t.Fatalf("%+v %v", given, err)
	}
	if page, err := pia.Consents(t.Context(), "crm:erika", true, ""); err != nil || len(page.Consents) != 1 || page.Consents[0].ID != given.ID {
		t.Errorf("%+v %v", page, err)
	}
	if taken, err := pia.WithdrawConsent(t.Context(), given.ID, "MAIL-2"); err != nil || taken.WithdrawnAt == nil {
		t.Errorf("%+v %v", taken, err)
	}
	if page, err := pia.Consents(t.Context(), "", true, ""); err != nil || len(page.Consents) != 0 {
		t.Errorf("%+v %v", page, err)
	}
	for _, r := range w.wire.sent {
		if bytes.Contains([]byte(r.URL.String()), []byte("erika")) {
			t.Errorf("%s", r.URL)
		}
	}
}

// TestAnAccessReview says something of every right that there is.
func TestAnAccessReview(t *testing.T) {
	w := newWorld(t)
	ada := w.client(w.as("acme", "ada", "auditor"))
	matrix, err := ada.Matrix(t.Context())
	if err != nil || len(matrix.Rights) == 0 || matrix.PolicyVersion == "" {
		t.Fatalf("%+v %v", matrix, err)
	}
	now := w.vault.Clock.Now()
	review := client.AccessReviewRequest{From: now.Add(-90 * 24 * time.Hour), To: now, Reference: "Q1-2026"}
	seen := map[string]bool{}
	for _, right := range matrix.Rights {
		if !seen[right.Rule] {
			review.Decisions = append(review.Decisions, client.RightDecision{Rule: right.Rule, Decision: client.RightKeep})
		}
		seen[right.Rule] = true
	}
	short := review
	short.Decisions = review.Decisions[1:]
	if _, err := ada.RecordAccessReview(t.Context(), short); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("a right that nobody looked at: %v", err)
	}
	done, err := ada.RecordAccessReview(t.Context(), review)
	if err != nil || done.Reviewer != "ada" || done.PolicyVersion != matrix.PolicyVersion || len(done.Decisions) != len(review.Decisions) {
		t.Errorf("%+v %v", done, err)
	}
	if page, err := ada.AccessReviews(t.Context(), ""); err != nil || len(page.Reviews) != 1 {
		t.Errorf("%+v %v", page, err)
	}
}

// TestAnIDOfAProceedingIsNoPath: nothing that is taken for an id leads elsewhere.
func TestAnIDOfAProceedingIsNoPath(t *testing.T) {
	w := newWorld(t)
	c, ctx := w.client(w.as("acme", "pia", "privacy_officer")), t.Context()
	for _, id := range []string{"", "..", "../holds", "a/b", "a?b"} {
		for name, err := range map[string]error{
			"restoration": fault(c.Restoration(ctx, id)), "decision": fault(c.DecideRestoration(ctx, id, client.Approve, "")),
			"redeem":   fault(c.RedeemRestoration(ctx, id, restore(client.Text("x")))),
			"approval": fault(c.Approval(ctx, id)), "agree": fault(c.DecideApproval(ctx, id, client.Approve, "")),
			"review": fault(c.CloseReview(ctx, id, client.FindingJustified, "R-1")), "lift": fault(c.LiftSuspension(ctx, id, "R-1")),
			"incident": fault(c.Incident(ctx, id)), "event": fault(c.NoteIncident(ctx, id, client.EventContained, "R-1")),
			"withdraw": fault(c.WithdrawConsent(ctx, id, "R-1")), "drop": fault(c.DropPolicy(ctx, id, "R-1")),
			"promote": fault(c.PromotePolicy(ctx, id, "R-1", "")),
		} {
			if !errors.Is(err, client.ErrRequest) {
				t.Errorf("%s of %q: %v", name, id, err)
			}
		}
	}
	if w.wire.requests() != 0 {
		t.Errorf("%d requests were sent", w.wire.requests())
	}
}

func fault[A any](_ *A, err error) error { return err }
