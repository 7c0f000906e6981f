package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/counterfoil/counterfoil/client"
)

func erasureOf(w *world, subject string) client.ErasureRequest {
	return client.ErasureRequest{
		Regime: client.RegimeGDPR, Subject: subject, ConfirmSubject: subject, Reference: "DSAR-7",
		Identity: client.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: w.vault.Clock.Now()},
	}
}

// TestAPersonIsErased: found by a value, tied, tried, erased, and proved; the
// neighbour's value is there.
func TestAPersonIsErased(t *testing.T) {
	w := newWorld(t)
	gateway, officer := w.gateway(), w.client(w.as("acme", "pia", "privacy_officer"))
	out, err := gateway.Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Content: client.Values{{Entity: "EMAIL_ADDRESS", Value: email}, {Entity: "PERSON", Value: "Jan Nachbar"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tied, err := officer.LinkSubject(t.Context(), "crm:erika", byEmail(email)...)
	if err != nil || tied.Changed != 1 {
		t.Fatalf("%+v %v", tied, err)
	}
	if undone, err := officer.UnlinkSubject(t.Context(), "crm:erika", byEmail(email)...); err != nil || undone.Changed != 1 {
		t.Fatalf("%+v %v", undone, err)
	}
	if tied, err = officer.LinkSubject(t.Context(), "crm:erika", byEmail(email)...); err != nil || tied.Changed != 1 {
		t.Fatalf("%+v %v", tied, err)
	}
	request := erasureOf(w, "crm:erika")
	tried, err := officer.TryErasure(t.Context(), request)
	if err != nil || tried.Request != nil || tried.Counts.Erased != 1 || len(tried.Parts) != 1 || tried.PreviewID == "" {
		t.Fatalf("%+v %v", tried, err)
	}
	request.PreviewID, request.IdempotencyKey = tried.PreviewID, "dsar-7"
	done, err := officer.Erase(t.Context(), request)
	if err != nil || done.Request.Status != client.RequestCompleted || done.Outcome != "erased" || done.Parts[0].Outcome != "erased" {
		t.Fatalf("%+v %v", done, err)
	}
	if e := done.Request.Erasure; e.Counts.Erased != 1 || e.Counts.Rekeyed == 0 || e.CompletedAt == nil || e.ExpectedFinalAt == nil ||
		e.SuppressUntil == nil || len(e.Destinations) != 1 {
		t.Errorf("%+v", e)
	}
	if again, err := officer.Erase(t.Context(), request); err != nil || again.Request.ID != done.Request.ID || again.Receipt.Index != done.Receipt.Index {
		t.Errorf("again: %+v %v", again, err)
	}
	back, err := gateway.Detokenize(t.Context(), restore(client.Tokens(out.Values)))
	if err != nil || back.Values[0] != out.Values[0] || back.Values[1] != "Jan Nachbar" || back.Results[0].Status != client.StatusErased {
		t.Errorf("%+v %v", back, err)
	}
	page, err := officer.SubjectRequests(t.Context(), client.RequestFilter{Kind: client.KindErasure, Status: client.RequestCompleted}, "")
	if err != nil || len(page.Requests) != 1 || page.Requests[0].ID != done.Request.ID {
		t.Errorf("%+v %v", page, err)
	}
	one, err := officer.SubjectRequest(t.Context(), done.Request.ID)
	if err != nil || one.ClosedAt == nil || one.Identity.Method != "in_person" {
		t.Errorf("%+v %v", one, err)
	}
	for _, audience := range []string{client.AudienceSubject, client.AudienceInternal} {
		raw, err := officer.ErasureReceipt(t.Context(), done.Request.ID, audience)
		if err != nil || !json.Valid(raw) || bytes.Contains(raw, []byte("DSAR-7")) != (audience == client.AudienceInternal) {
			t.Errorf("%s: %s %v", audience, raw, err)
		}
	}
	w.wire.changing(func(b []byte) []byte { return bytes.Replace(b, []byte(`\"erased\":1`), []byte(`\"erased\":2`), 1) })
	if _, err := officer.ErasureReceipt(t.Context(), done.Request.ID, client.AudienceInternal); !errors.Is(err, client.ErrAnswer) {
		t.Errorf("an entry that was changed: %v", err)
	}
}

func TestARequestIDIsNoPath(t *testing.T) {
	w := newWorld(t)
	officer := w.client(w.as("acme", "pia", "privacy_officer"))
	for _, id := range []string{"", "..", "../holds", "a/receipt"} {
		if _, err := officer.SubjectRequest(t.Context(), id); !errors.Is(err, client.ErrRequest) {
			t.Errorf("%q: %v", id, err)
		}
		for name, ask := range map[string]func() error{
			"receipt":  func() error { _, err := officer.ErasureReceipt(t.Context(), id, client.AudienceSubject); return err },
			"withdraw": func() error { _, err := officer.WithdrawRequest(t.Context(), id); return err },
			"execute":  func() error { _, err := officer.TryRequest(t.Context(), id); return err },
			"report":   func() error { _, err := officer.ReportOnRequest(t.Context(), id, client.ReportRequest{}); return err },
			"page":     func() error { _, err := officer.ReportPage(t.Context(), id, client.ReportRequest{}); return err },
			"notes":    func() error { _, err := officer.NotesOfRequest(t.Context(), id); return err },
		} {
			if err := ask(); !errors.Is(err, client.ErrRequest) {
				t.Errorf("%s of %q: %v", name, id, err)
			}
		}
	}
	unconfirmed := erasureOf(w, "crm:erika")
	unconfirmed.ConfirmSubject = ""
	if _, err := officer.Erase(t.Context(), unconfirmed); !errors.Is(err, client.ErrRequest) {
		t.Errorf("an erasure that would only be written down: %v", err)
	}
	if w.wire.requests() != 0 {
		t.Errorf("%d requests were sent", w.wire.requests())
	}
}
