package client_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

func byEmail(value string) []client.Identifier {
	return []client.Identifier{{Entity: "EMAIL_ADDRESS", Value: value}}
}

// TestAHoldFromPlacingToRelease walks through everything that can be done with
// a hold, each answer under its receipt.
func TestAHoldFromPlacingToRelease(t *testing.T) {
	w := newWorld(t)
	if _, err := w.gateway().Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "chat-1", Subject: "crm:erika", Content: client.Values{{Entity: "EMAIL_ADDRESS", Value: email}},
	}); err != nil {
		t.Fatal(err)
	}
	counsel := w.client(w.as("acme", "lea", "legal"))
	review := w.vault.Clock.Now().Add(24*time.Hour + time.Nanosecond)
	since := w.vault.Clock.Now().Add(-time.Hour)
	request := client.HoldRequest{
		Matter: "M-2026-17", Reference: "ORDER-4", ReviewBy: &review, Backups: true, IdempotencyKey: "order-4",
		Match: client.HoldMatch{
			Subjects: []string{"crm:erika"}, Identifiers: byEmail(email), Classes: []string{"confidential"},
			Destinations: []string{"default"}, From: &since, TimeField: client.TimeSent,
		},
	}
	dry := request
	dry.IdempotencyKey = ""
	tried, err := counsel.TryHold(t.Context(), dry)
	if err != nil || tried.Hold != nil || tried.Reach.Mappings != 1 || tried.Reach.Entities["EMAIL_ADDRESS"] != 1 {
		t.Fatalf("%+v %v", tried, err)
	}
	placed, err := counsel.PlaceHold(t.Context(), request)
	if err != nil || placed.Hold.Match.Subjects != 1 || placed.Hold.Match.Identifiers != 1 || placed.Hold.ReviewBy == nil || placed.Receipt == nil ||
		!placed.Hold.Backups || placed.Hold.Match.TimeField != client.TimeSent || len(placed.Hold.Match.Destinations) != 1 {
		t.Fatalf("%+v %v", placed, err)
	}
	again, err := counsel.PlaceHold(t.Context(), request)
	if err != nil || again.Hold.ID != placed.Hold.ID || again.Receipt.Index != placed.Receipt.Index {
		t.Fatalf("again: %+v %v", again, err)
	}
	seen, err := counsel.Hold(t.Context(), placed.Hold.ID)
	if err != nil || seen.Reach.Mappings != 1 || seen.Hold.Matter != "M-2026-17" {
		t.Errorf("%+v %v", seen, err)
	}
	reviewed, err := counsel.ReviewHold(t.Context(), placed.Hold.ID, nil)
	if err != nil || reviewed.Hold.ReviewBy != nil {
		t.Errorf("%+v %v", reviewed, err)
	}
	page, err := counsel.Holds(t.Context(), true, "")
	if err != nil || len(page.Holds) != 1 || page.NextCursor != "" {
		t.Errorf("%+v %v", page, err)
	}
	released, err := counsel.ReleaseHold(t.Context(), placed.Hold.ID, "ORDER-5", "")
	if err != nil || released.Hold.ReleasedAt == nil {
		t.Errorf("%+v %v", released, err)
	}
	if page, err := counsel.Holds(t.Context(), true, ""); err != nil || len(page.Holds) != 0 {
		t.Errorf("%+v %v", page, err)
	}
	if _, err := counsel.ReleaseHold(t.Context(), placed.Hold.ID, "ORDER-5", ""); !errors.Is(err, client.ErrConflict) {
		t.Errorf("released twice: %v", err)
	}
	if _, err := w.gateway().Holds(t.Context(), false, ""); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a gateway lists holds: %v", err)
	}
}

// TestAHoldIDIsNoPath: nothing that is taken for an id leads elsewhere.
func TestAHoldIDIsNoPath(t *testing.T) {
	w := newWorld(t)
	counsel := w.client(w.as("acme", "lea", "legal"))
	for _, id := range []string{"", "..", "../scopes", "a/b", "a?b", "%2e%2e", "a b"} {
		if _, err := counsel.ReleaseHold(t.Context(), id, "ORDER-5", ""); !errors.Is(err, client.ErrRequest) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := counsel.Hold(t.Context(), id); !errors.Is(err, client.ErrRequest) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := counsel.PlaceHold(t.Context(), client.HoldRequest{
		Matter: "M-2026-17", Reference: "ORDER-4", Match: client.HoldMatch{Subjects: []string{"a\xff"}},
	}); !errors.Is(err, client.ErrRequest) {
		t.Errorf("a name that is not UTF-8: %v", err)
	}
	if w.wire.requests() != 0 {
		t.Errorf("%d requests were sent", w.wire.requests())
	}
}

func TestASearchAndAClosing(t *testing.T) {
	w := newWorld(t)
	gateway, officer := w.gateway(), w.client(w.as("acme", "pia", "privacy_officer"))
	out, err := gateway.Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	found, err := officer.SearchSubjects(t.Context(), client.SubjectSearch{Identifiers: byEmail(email)})
	if err != nil || len(found.Found) != 1 || found.Found[0].Count != 1 || found.Found[0].Kind != client.KindConversation || found.Receipt == nil {
		t.Fatalf("%+v %v", found, err)
	}
	w.vault.Clock.Advance(time.Second)
	closed, err := gateway.CloseScope(t.Context(), "chat-1", "")
	if err != nil || closed.ScopeRef != found.Found[0].ScopeRef || closed.ClosedAt.IsZero() {
		t.Fatalf("%+v %v", closed, err)
	}
	if back, err := gateway.Detokenize(t.Context(), restore(client.Text(out.Text))); err != nil || back.Text != out.Text {
		t.Errorf("after the closing: %+v %v", back, err)
	}
	if _, err := gateway.CloseScope(t.Context(), "chat-1", ""); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("closed twice: %v", err)
	}
	// Without its receipt an answer is not given out.
	w.wire.changing(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"audit"`), []byte(`"other"`)) })
	var broken *client.ReceiptError
	if _, err := officer.SearchSubjects(t.Context(), client.SubjectSearch{Subject: "crm:erika"}); !errors.As(err, &broken) {
		t.Errorf("without a receipt: %v", err)
	}
}
