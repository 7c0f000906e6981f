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
	tied, err := officer.LinkSubject(t.Context(), "crm:erika", client.Identifier{Entity: "EMAIL_ADDRESS", Value: email})
	if err != nil || tied.Changed != 1 {
		t.Fatalf("%+v %v", tied, err)
	}
	if undone, err := officer.UnlinkSubject(t.Context(), "crm:erika", client.Identifier{Entity: "EMAIL_ADDRESS", Value: email}); err != nil || undone.Changed != 1 {
		t.Fatalf("%+v %v", undone, err)
	}
	if tied, err = officer.LinkSubject(t.Context(), "crm:erika", client.Identifier{Entity: "EMAIL_ADDRESS", Value: email}); err != nil || tied.Changed != 1 {
		t.Fatalf("%+v %v", tied, err)
	}
	request := erasureOf(w, "crm:erika")
	tried, err := officer.TryErasure(t.Context(), request)
	if err != nil || tried.Request != nil || tried.Counts.Erased != 1 || len(tried.Parts) != 1 || tried.PreviewID == "" {
		t.Fatalf("%+v %v", tried, err)
	}
	request.PreviewID, request.IdempotencyKey = tried.PreviewID, "dsar-7"
	done, err := officer.Erase(t.Context(), request)
	if err != nil || done.Request.State != "completed" || done.Request.Counts.Erased != 1 || done.Request.Counts.Rekeyed == 0 {
		t.Fatalf("%+v %v", done, err)
	}
	if again, err := officer.Erase(t.Context(), request); err != nil || again.Request.ID != done.Request.ID || again.Receipt.Index != done.Receipt.Index {
		t.Errorf("again: %+v %v", again, err)
	}
	back, err := gateway.Detokenize(t.Context(), restore(client.Tokens(out.Values)))
	if err != nil || back.Values[0] != out.Values[0] || back.Values[1] != "Jan Nachbar" || back.Results[0].Status != client.StatusErased {
		t.Errorf("%+v %v", back, err)
	}
	page, err := officer.SubjectRequests(t.Context(), "completed", "")
	if err != nil || len(page.Requests) != 1 || page.Requests[0].ID != done.Request.ID {
		t.Errorf("%+v %v", page, err)
	}
	one, err := officer.SubjectRequest(t.Context(), done.Request.ID)
	if err != nil || one.CompletedAt == nil || one.Identity.Method != "in_person" {
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
		if _, err := officer.ErasureReceipt(t.Context(), id, client.AudienceSubject); !errors.Is(err, client.ErrRequest) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if w.wire.requests() != 0 {
		t.Errorf("%d requests were sent", w.wire.requests())
	}
}
