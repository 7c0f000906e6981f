package verify_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// governed is the log of a service in which restorations waited for others: one was
// used, one was rejected, one is approved and not used, and what came too early, from
// the wrong person or twice was refused.
func governed(t *testing.T) ([]verify.Entry, verify.Options) {
	t.Helper()
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	done, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Values: []vault.Value{{Entity: "CREDIT_CARD", Value: "4111111111111111"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := "the card " + done.Values[0]
	req := vault.DetokenizeRequest{Scope: "chat", Reason: vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"}, Text: &text}
	rob := vaulttest.Call("rob", "restorer")
	var ids []string
	for range 3 {
		asked, err := v.Service.RequestRestoration(ctx, rob, req)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, asked.Approval.ID)
	}
	decide := func(who, id, decision string) error {
		_, err := v.Service.DecideRestoration(ctx, vaulttest.Call(who, "approver"), id, vault.DecisionGiven{Decision: decision})
		return err
	}
	redeem := func(id string) error { _, err := v.Service.RedeemRestoration(ctx, rob, id, req); return err }
	for _, step := range []struct {
		err     error
		refused bool
	}{
		{redeem(ids[0]), true}, {decide("amy", ids[0], "approve"), false}, {decide("rob", ids[0], "approve"), true}, {redeem(ids[0]), true},
		{decide("amy", ids[0], "approve"), true}, {decide("abe", ids[0], "approve"), false}, {redeem(ids[0]), false}, {redeem(ids[0]), true},
		{decide("amy", ids[1], "reject"), false}, {redeem(ids[1]), true}, {decide("amy", ids[2], "approve"), false},
	} {
		if (step.err != nil) != step.refused {
			t.Fatalf("refused: %v, %v", step.refused, step.err)
		}
	}
	return exported(t, v)
}

// exported reads a log as an auditor of its tenant does.
func exported(t *testing.T, v *vaulttest.Vault) ([]verify.Entry, verify.Options) {
	t.Helper()
	ctx := context.Background()
	keys, err := v.Service.AuditKeys(ctx, v.Auditor())
	if err != nil {
		t.Fatal(err)
	}
	// A checkpoint is published once a second; that of a receipt is of its commit.
	last, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: vaulttest.Ptr("the last")})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := []byte(last.Audit.Checkpoint)
	opts := verify.Options{VKeys: []string{keys[0].Key}, Checkpoints: [][]byte{checkpoint}}
	head, err := opts.Head(checkpoint, "the checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := v.Store.Entries(ctx, "acme", vault.EntryQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var entries []verify.Entry
	for _, s := range stored[:head.Size] {
		entries = append(entries, verify.Entry{Index: s.Index, Leaf: s.Leaf})
	}
	return entries, opts
}

// A log of the service itself is sound, denials and uses alike. The whole of its
// tests were run so once, with no false alarm.
func TestLogOfTheService(t *testing.T) {
	entries, opts := governed(t)
	if got, err := verify.Log(t.Context(), of(entries), opts); err != nil || got.Entries < 15 {
		t.Errorf("%+v, %v", got, err)
	}
}

// The twin: had the service not waited for an approval, its own entries would show
// it, whichever of the two it did not wait for.
func TestInvariant14_Twin_TheLogOfAServiceThatDidNotWait(t *testing.T) {
	entries, opts := governed(t)
	used := usedApproval(t, entries)
	opts.Checkpoints = nil // of such a log it would have signed another
	for n := range 2 {
		without := slices.DeleteFunc(copied(entries), func(e verify.Entry) bool {
			parsed, err := audit.ParseLeaf(e.Leaf)
			agrees := err == nil && parsed.Decision == audit.Allow && parsed.Code == "approve" && slices.Contains(parsed.About(audit.ObligationProceeding), used)
			if agrees {
				n--
			}
			return agrees && n == -1
		})
		var fault *verify.Fault
		if _, err := verify.Log(t.Context(), of(renumbered(without)), opts); len(without) != len(entries)-1 || !errors.As(err, &fault) || fault.Rule != verify.RuleRedeem {
			t.Errorf("%d of %d entries: %v", len(without), len(entries), err)
		}
	}
}

// usedApproval is the approval that a restoration used.
func usedApproval(t *testing.T, entries []verify.Entry) string {
	t.Helper()
	for _, e := range entries {
		parsed, err := audit.ParseLeaf(e.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		if about := parsed.About(audit.ObligationProceeding); parsed.Kind == audit.KindRestore && parsed.Decision == audit.Allow && len(about) == 1 {
			return about[0]
		}
	}
	t.Fatal("no restoration used an approval")
	return ""
}
