package client_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

// said is a destination of the shipped policy.
const said = "openai/us"

func (w *world) identity() client.IdentityCheck {
	return client.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: w.vault.Clock.Now()}
}

// erika sends a value of a person to a destination, and has it back once.
func (w *world) erika(gateway *client.Client) {
	w.t.Helper()
	out, err := gateway.Tokenize(w.t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Subject: "crm:erika", Destination: said, Content: client.Values{{Entity: "EMAIL_ADDRESS", Value: email}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := gateway.Detokenize(w.t.Context(), restore(client.Tokens(out.Values))); err != nil {
		w.t.Fatal(err)
	}
}

// TestARequestFromIntakeToReport: everything that is done with a request for
// access, each answer under its receipt.
func TestARequestFromIntakeToReport(t *testing.T) {
	w := newWorld(t)
	w.erika(w.gateway())
	officer := w.client(w.as("acme", "pia", "privacy_officer"))
	asked := w.vault.Clock.Now().Add(-48 * time.Hour)
	opened, err := officer.OpenSubjectRequest(t.Context(), client.IntakeRequest{
		Kind: client.KindAccess, Regime: client.RegimeGDPR, Reference: "DSAR-8", ReceivedAt: &asked, IdempotencyKey: "dsar-8",
	})
	if err != nil || opened.Request.Status != client.RequestReceived || opened.Request.Named || !opened.Request.ReceivedAt.Equal(asked.Truncate(time.Microsecond)) {
		t.Fatalf("%+v %v", opened, err)
	}
	id := opened.Request.ID
	again, err := officer.OpenSubjectRequest(t.Context(), client.IntakeRequest{
		Kind: client.KindAccess, Regime: client.RegimeGDPR, Reference: "DSAR-8", ReceivedAt: &asked, IdempotencyKey: "dsar-8",
	})
	if err != nil || again.Request.ID != id || again.Receipt.Index != opened.Receipt.Index {
		t.Errorf("again: %+v %v", again, err)
	}
	if _, err := officer.ReportOnRequest(t.Context(), id, client.ReportRequest{}); !errors.Is(err, client.ErrConflict) {
		t.Errorf("a report to nobody: %v", err)
	}
	for name, step := range map[string]struct {
		take func() (*client.SubjectRequestStep, error)
		done func(*client.SubjectRequest) bool
	}{
		"identity": {func() (*client.SubjectRequestStep, error) {
			return officer.IdentifyRequest(t.Context(), id, client.IdentifyRequest{Identity: w.identity(), Subject: "crm:erika"})
		}, func(r *client.SubjectRequest) bool {
			return r.Status == client.RequestOpen && r.Named && r.Identity.Reference == "ID-9"
		}},
		"assign": {func() (*client.SubjectRequestStep, error) { return officer.AssignRequest(t.Context(), id, "officer-3") },
			func(r *client.SubjectRequest) bool { return r.Assignee == "officer-3" }},
		"extend": {func() (*client.SubjectRequestStep, error) { return officer.ExtendRequest(t.Context(), id, "LETTER-2") },
			func(r *client.SubjectRequest) bool { return r.Extended && r.DueAt.After(opened.Request.DueAt) }},
		"note": {func() (*client.SubjectRequestStep, error) {
			return officer.NoteOnRequest(t.Context(), id, "Called back.")
		},
			func(r *client.SubjectRequest) bool { return r.ID == id }},
	} {
		if got, err := step.take(); err != nil || got.Receipt == nil || !step.done(got.Request) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if got, err := officer.AssignRequest(t.Context(), id, ""); err != nil || got.Request.Assignee != "" {
		t.Errorf("to nobody: %+v %v", got, err)
	}
	notes, err := officer.NotesOfRequest(t.Context(), id)
	if err != nil || len(notes.Notes) != 1 || notes.Notes[0].Text != "Called back." || notes.Receipt == nil {
		t.Errorf("%+v %v", notes, err)
	}
	w.reports(officer, id)
	completed, err := officer.CompleteRequest(t.Context(), id, true)
	if err != nil || completed.Request.Status != client.RequestPartial || completed.Request.ClosedAt == nil || completed.Request.Named {
		t.Errorf("%+v %v", completed, err)
	}
	page, err := officer.SubjectRequests(t.Context(), client.RequestFilter{Open: true}, "")
	if err != nil || len(page.Requests) != 0 {
		t.Errorf("open: %+v %v", page, err)
	}
	to := w.vault.Clock.Now()
	page, err = officer.SubjectRequests(t.Context(), client.RequestFilter{From: &asked, To: &to}, "")
	if err != nil || len(page.Requests) != 1 {
		t.Errorf("of two days: %+v %v", page, err)
	}
	summary, err := officer.RequestSummary(t.Context(), asked, to)
	if err != nil || len(summary.Lines) != 1 || summary.Lines[0].ByStatus[client.RequestPartial] != 1 || summary.Lines[0].MedianDays == nil {
		t.Errorf("%+v %v", summary, err)
	}
}

// reports asks for both forms of the report, without values and with them.
func (w *world) reports(officer *client.Client, id string) {
	t := w.t
	t.Helper()
	report, err := officer.ReportOnRequest(t.Context(), id, client.ReportRequest{})
	if err != nil || len(report.Holdings) != 1 || len(report.Destinations) != 1 || report.Destinations[0].Destination != said ||
		len(report.Restorations) != 1 || report.Restorations[0].Actor != "" || len(report.Values) != 0 || len(report.Limits) == 0 {
		t.Errorf("%+v %v", report, err)
	}
	why := client.Reason{Code: "SUBJECT_ACCESS", Reference: "DSAR-8"}
	report, err = officer.ReportOnRequest(t.Context(), id, client.ReportRequest{Reason: why, Actors: true})
	if err != nil || len(report.Values) != 1 || report.Values[0].Value != email || report.Restorations[0].Actor != "gw-1" {
		t.Errorf("with values: %+v %v", report, err)
	}
	html, err := officer.ReportPage(t.Context(), id, client.ReportRequest{Reason: why})
	if err != nil || !bytes.Contains(html, []byte("<html")) || !bytes.Contains(html, []byte(email)) {
		t.Errorf("%s %v", html, err)
	}
	if _, err := officer.ReportPage(t.Context(), id, client.ReportRequest{Reason: client.Reason{Code: "LLM_RESPONSE"}}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("for another reason: %v", err)
	}
	w.wire.changing(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"audit"`), []byte(`"other"`)) })
	defer w.wire.changing(nil)
	var broken *client.ReceiptError
	if report, err := officer.ReportOnRequest(t.Context(), id, client.ReportRequest{Reason: why}); !errors.As(err, &broken) || report != nil {
		t.Errorf("values without a receipt: %+v %v", report, err)
	}
	if notes, err := officer.NotesOfRequest(t.Context(), id); !errors.As(err, &broken) || notes != nil {
		t.Errorf("notes without a receipt: %+v %v", notes, err)
	}
}

// TestRequestsThatRestrictAndErase: a restriction is made and lifted, an
// objection refused, an erasure tried and done for a request that was open.
func TestRequestsThatRestrictAndErase(t *testing.T) {
	w := newWorld(t)
	w.erika(w.gateway())
	officer := w.client(w.as("acme", "pia", "privacy_officer"))
	open := func(kind string) string {
		t.Helper()
		identity := w.identity()
		opened, err := officer.OpenSubjectRequest(t.Context(), client.IntakeRequest{
			Kind: kind, Regime: client.RegimeGDPR, Reference: "DSAR-9", Subject: "crm:erika", Identity: &identity,
		})
		if err != nil || opened.Request.Status != client.RequestOpen {
			t.Fatalf("%+v %v", opened, err)
		}
		return opened.Request.ID
	}
	erika := client.ExecuteRequest{ConfirmSubject: "crm:erika"}
	restriction, objection, erasure, mistake := open(client.KindRestriction), open(client.KindObjection), open(client.KindErasure), open(client.KindAccess)
	made, err := officer.ExecuteRequest(t.Context(), restriction, erika)
	if err != nil || made.Restricted != 1 || made.Request.Status != client.RequestRunning {
		t.Errorf("%+v %v", made, err)
	}
	lifted, err := officer.LiftRestriction(t.Context(), restriction)
	if err != nil || lifted.Restricted != 1 || lifted.Request.Status != client.RequestCompleted {
		t.Errorf("%+v %v", lifted, err)
	}
	refused, err := officer.RefuseRequest(t.Context(), objection, client.RefusedGrounds)
	if err != nil || refused.Request.RefusalCode != client.RefusedGrounds || refused.Request.Status != client.RequestRefused {
		t.Errorf("%+v %v", refused, err)
	}
	withdrawn, err := officer.WithdrawRequest(t.Context(), mistake)
	if err != nil || withdrawn.Request.Status != client.RequestWithdrawn {
		t.Errorf("%+v %v", withdrawn, err)
	}
	tried, err := officer.TryRequest(t.Context(), erasure)
	if err != nil || tried.Request != nil || tried.PreviewID == "" || tried.Counts.Erased != 1 || tried.Outcome != "erased" {
		t.Fatalf("%+v %v", tried, err)
	}
	if _, err := officer.ExecuteRequest(t.Context(), erasure, client.ExecuteRequest{ConfirmSubject: "crm:hans"}); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("somebody else: %v", err)
	}
	erika.PreviewID, erika.Suppress = tried.PreviewID, client.SuppressForever
	done, err := officer.ExecuteRequest(t.Context(), erasure, erika)
	if err != nil || done.Request.ID != erasure || done.Request.Status != client.RequestCompleted || !done.Request.Erasure.SuppressedForever {
		t.Fatalf("%+v %v", done, err)
	}
	if _, err := officer.ErasureReceipt(t.Context(), erasure, client.AudienceInternal); err != nil {
		t.Error(err)
	}
	report, err := officer.RetentionReport(t.Context())
	if err != nil || report.Inventory.Erasures != 1 || report.Inventory.RequestsClosed != 4 || len(report.Settings) == 0 {
		t.Errorf("%+v %v", report, err)
	}
}

// TestNamesAndVariants: a person is found however the address was written, and
// the caller's own names come back for a reason.
func TestNamesAndVariants(t *testing.T) {
	w := newWorld(t)
	w.erika(w.gateway())
	officer := w.client(w.as("acme", "pia", "privacy_officer"))
	other := byEmail("erika.mustermann+news@example.org")
	found, err := officer.SearchSubjects(t.Context(), client.SubjectSearch{Identifiers: other})
	if err != nil || len(found.Found) != 0 {
		t.Errorf("exact: %+v %v", found, err)
	}
	found, err = officer.SearchSubjects(t.Context(), client.SubjectSearch{Identifiers: other, Variants: true})
	if err != nil || len(found.Found) != 1 || len(found.Found[0].Destinations) != 1 || found.Found[0].EndsAt.IsZero() {
		t.Fatalf("variants: %+v %v", found, err)
	}
	ask := client.NamesRequest{
		ScopeRefs: []string{found.Found[0].ScopeRef}, SubjectRefs: found.SubjectRefs,
		Reason: client.Reason{Code: "SUBJECT_ACCESS", Reference: "DSAR-8"},
	}
	names, err := officer.RestoreNames(t.Context(), ask)
	if err != nil || names.Scopes[ask.ScopeRefs[0]] != "chat-1" || names.Subjects[found.SubjectRefs[0]] != "crm:erika" {
		t.Errorf("%+v %v", names, err)
	}
	ask.Reason.Code = "LLM_RESPONSE"
	if _, err := officer.RestoreNames(t.Context(), ask); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("for another reason: %v", err)
	}
	sent := slices.Clone(w.wire.bodies)
	if _, err := officer.RestoreNames(t.Context(), client.NamesRequest{ScopeRefs: []string{"\xff"}}); !errors.Is(err, client.ErrRequest) || len(w.wire.bodies) != len(sent) {
		t.Errorf("a reference that is not UTF-8: %v", err)
	}
}
