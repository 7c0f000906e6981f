package client_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestARestorationIsApprovedAndRedeemed: asked for by one, agreed to by another,
// and had back once.
func TestARestorationIsApprovedAndRedeemed(t *testing.T) {
	w := newWorld(t, vaulttest.WithPolicy(authz.FS))
	out, err := w.gateway().Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	rita, anna := w.client(w.as("acme", "rita", "restorer")), w.client(w.as("acme", "anna", "approver"))
	request := client.DetokenizeRequest{
		Scope: "chat-1", Reason: client.Reason{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"}, Content: client.Text(out.Text), OnRefused: client.RefusedLabel,
	}
	back, err := rita.Detokenize(t.Context(), request)
	if err != nil || back.Results[0].Status != client.StatusNeedsApproval {
		t.Fatalf("%+v %v", back, err)
	}
	asked, err := rita.RequestRestoration(t.Context(), request)
	if err != nil || asked.Status != client.ApprovalPending || asked.ApprovalsRequired != 1 || asked.Tokens != 1 || asked.Receipt == nil {
		t.Fatalf("%+v %v", asked, err)
	}
	if _, err := rita.RedeemRestoration(t.Context(), asked.ID, request); !errors.Is(err, client.ErrConflict) {
		t.Errorf("before anybody agreed: %v", err)
	}
	if _, err := rita.DecideRestoration(t.Context(), asked.ID, client.Approve, ""); !errors.Is(err, client.ErrDenied) {
		t.Errorf("the requester's own: %v", err)
	}
	page, err := anna.Restorations(t.Context(), client.ApprovalPending, "")
	if err != nil || len(page.Restorations) != 1 || page.Restorations[0].ID != asked.ID {
		t.Errorf("%+v %v", page, err)
	}
	agreed, err := anna.DecideRestoration(t.Context(), asked.ID, client.Approve, "I called back.")
	if err != nil || agreed.Status != client.ApprovalApproved || len(agreed.Decisions) != 1 || agreed.Decisions[0].NoteDigest == "" {
		t.Errorf("%+v %v", agreed, err)
	}
	other := request
	other.Content = client.Text(out.Text + "!")
	if _, err := rita.RedeemRestoration(t.Context(), asked.ID, other); !errors.Is(err, client.ErrConflict) {
		t.Errorf("another text: %v", err)
	}
	given, err := rita.RedeemRestoration(t.Context(), asked.ID, request)
	if err != nil || given.Text != "mail "+email {
		t.Fatalf("%+v %v", given, err)
	}
	if _, err := rita.RedeemRestoration(t.Context(), asked.ID, request); !errors.Is(err, client.ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	if one, err := rita.Restoration(t.Context(), asked.ID); err != nil || one.Status != client.ApprovalRedeemed || one.ClosedAt == nil {
		t.Errorf("%+v %v", one, err)
	}
	quota, err := rita.Quota(t.Context(), "CUSTOMER_SUPPORT")
	if err != nil || len(quota) == 0 || quota[0].Used != 1 || quota[0].Remaining != quota[0].Limit-1 {
		t.Errorf("%+v %v", quota, err)
	}
}

// Under the caller's own key it is asked for once, and without a receipt that
// holds nothing is given out.
func TestARestorationIsAskedForOnce(t *testing.T) {
	w := newWorld(t, vaulttest.WithPolicy(authz.FS))
	out, err := w.gateway().Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	rita := w.client(w.as("acme", "rita", "restorer"))
	request := client.DetokenizeRequest{
		Scope: "chat-1", Reason: client.Reason{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"}, Content: client.Text(out.Text), IdempotencyKey: "ticket-7",
	}
	asked, err := rita.RequestRestoration(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := rita.RequestRestoration(t.Context(), request); err != nil || again.ID != asked.ID {
		t.Errorf("again: %+v %v", again, err)
	}
	w.wire.changing(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"audit"`), []byte(`"other"`)) })
	request.IdempotencyKey = ""
	var broken *client.ReceiptError
	if answer, err := rita.RequestRestoration(t.Context(), request); answer != nil || !errors.As(err, &broken) {
		t.Errorf("without a receipt: %+v %v", answer, err)
	}
}

// A redemption whose answer is lost is spent: it is not had twice by asking again.
func TestARedemptionIsSpentOnce(t *testing.T) {
	w := newWorld(t, vaulttest.WithPolicy(authz.FS))
	out, err := w.gateway().Tokenize(t.Context(), prompt("mail "+email))
	if err != nil {
		t.Fatal(err)
	}
	rita, anna := w.client(w.as("acme", "rita", "restorer")), w.client(w.as("acme", "anna", "approver"))
	request := client.DetokenizeRequest{
		Scope: "chat-1", Reason: client.Reason{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"}, Content: client.Text(out.Text),
	}
	asked, err := rita.RequestRestoration(t.Context(), request)
	if err == nil {
		_, err = anna.DecideRestoration(t.Context(), asked.ID, client.Approve, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	w.wire.losing(1)
	if given, err := rita.RedeemRestoration(t.Context(), asked.ID, request); given != nil || !errors.Is(err, client.ErrConflict) {
		t.Errorf("%+v %v", given, err)
	}
	if one, err := rita.Restoration(t.Context(), asked.ID); err != nil || one.Status != client.ApprovalRedeemed {
		t.Errorf("%+v %v", one, err)
	}
}
