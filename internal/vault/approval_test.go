package vault_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// ticket is why a member of staff asks for a value for which the shipped policy
// demands approvals: one for what is confidential, two for what is restricted.
var ticket = vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"}

func staff(name string) vault.Call   { return vaulttest.Call(name, "restorer") }
func approver(who string) vault.Call { return vaulttest.Call(who, "approver") }

var approve = vault.DecisionGiven{Decision: "approve", Note: "saw the ticket"}

func asked(text string) vault.DetokenizeRequest {
	return vault.DetokenizeRequest{Scope: "chat", Reason: ticket, Text: &text}
}

// wantRefused checks the code of an error and that the log says why, in an entry
// that was not there before.
func wantRefused(t *testing.T, v *vaulttest.Vault, code vault.Code, why string, do func() error) {
	t.Helper()
	before := head(t, v)
	if err := do(); vault.CodeOf(err) != code {
		t.Errorf("%s: got %v, want %s", why, err, code)
	}
	found := slices.ContainsFunc(entriesFrom(t, v, before), func(e audit.Entry) bool {
		return e.Decision == audit.Deny && strings.HasSuffix(e.Code, why)
	})
	if !found {
		t.Errorf("%s: no entry says so", why)
	}
}

// TestInvariant14_Restoration: what is restricted is given back once two others
// have agreed, once, to who asked for it, and for exactly what was asked for.
func TestInvariant14_Restoration(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	card := tokenizeValue(t, v, v.Gateway(), "chat", "CREDIT_CARD", "4111111111111111")
	other := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	rob := staff("rob")

	direct := must2(v.Service.Detokenize(ctx, rob, asked(card)))(t)
	if *direct.Text != card || direct.Results[0].Status != vault.StatusNeedsApproval {
		t.Fatalf("without approvals: %q, %v", *direct.Text, statuses(direct))
	}
	opened := must2(v.Service.RequestRestoration(ctx, rob, asked("the card "+card)))(t).Approval
	if opened.Required != 2 || opened.Status != vault.ApprovalPending || opened.Tokens != 1 || opened.Entities["CREDIT_CARD"] != 1 {
		t.Fatalf("asked for: %+v", opened)
	}
	id := opened.ID
	redeem := func(call vault.Call, text string) func() error {
		return func() error { _, err := v.Service.RedeemRestoration(ctx, call, id, asked(text)); return err }
	}
	decide := func(call vault.Call) func() error {
		return func() error { _, err := v.Service.DecideRestoration(ctx, call, id, approve); return err }
	}
	wantRefused(t, v, vault.CodeConflict, "approval_pending", redeem(rob, "the card "+card))
	// The requester under another name: the same account in other capitals, acting
	// on behalf of the requester, and another account of the same person.
	wantRefused(t, v, vault.CodeConflict, "self_approval", decide(approver("rob")))
	wantRefused(t, v, vault.CodeConflict, "self_approval", decide(approver("ROB")))
	wantRefused(t, v, vault.CodeConflict, "self_approval", decide(vaulttest.OnBehalfOf(approver("amy"), "rob")))
	wantRefused(t, v, vault.CodeDenied, "approve_restore", decide(staff("sue")))

	if got := must2(v.Service.DecideRestoration(ctx, approver("amy"), id, approve))(t).Approval; got.Status != vault.ApprovalPending || len(got.Decisions) != 1 || got.Decisions[0].NoteDigest == "" {
		t.Fatalf("after one of two: %+v", got)
	}
	wantRefused(t, v, vault.CodeConflict, "decided_before", decide(approver("amy")))
	if got := must2(v.Service.DecideRestoration(ctx, approver("abe"), id, approve))(t).Approval; got.Status != vault.ApprovalApproved {
		t.Fatalf("after two of two: %+v", got)
	}
	wantRefused(t, v, vault.CodeConflict, "approval_approved", decide(approver("ann")))
	wantRefused(t, v, vault.CodeConflict, "approval_of_another", redeem(rob, "the card "+card+" and "+other))
	wantRefused(t, v, vault.CodeNotFound, "not_the_requester", redeem(staff("sue"), "the card "+card))

	got := must2(v.Service.RedeemRestoration(ctx, rob, id, asked("the card "+card)))(t)
	// Staff see the last digits of a card; the policy says so, approved or not.
	if got.Results[0].Status != vault.StatusPartial || !strings.HasSuffix(*got.Text, "1111") {
		t.Fatalf("redeemed: %q, %v", *got.Text, statuses(got))
	}
	entry := entriesFrom(t, v, got.Audit.Index)[0]
	if entry.Kind != audit.KindRestore || !slices.Contains(entry.Obligations, "proceeding:"+id) {
		t.Errorf("the entry of the restoration does not name its approval: %+v", entry)
	}
	wantRefused(t, v, vault.CodeConflict, "approval_redeemed", redeem(rob, "the card "+card))
}

// TestInvariant14_OnePersonInTwoAccounts: what tells that two accounts are one
// person's counts, whatever they are called.
func TestInvariant14_OnePersonInTwoAccounts(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	rob, alias := staff("rob"), approver("robert.admin")
	rob.Caller.Person, alias.Caller.Person = "e-4711", "e-4711"
	id := must2(v.Service.RequestRestoration(ctx, rob, asked(email)))(t).Approval.ID
	wantRefused(t, v, vault.CodeConflict, "self_approval", func() error {
		_, err := v.Service.DecideRestoration(ctx, alias, id, approve)
		return err
	})
	v.Service.SetFaults(vault.Faults{IgnoreRequester: true})
	if _, err := v.Service.DecideRestoration(ctx, alias, id, approve); err != nil {
		t.Fatalf("the guard was taken out and it was refused all the same: this twin shows nothing: %v", err)
	}
}

// TestInvariant14_Expired: neither agreed to nor redeemed after its time. Without
// the guard of the service the commit still refuses, by the store's clock.
func TestInvariant14_Expired(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	must2(v.Service.OpenScope(ctx, v.Gateway(), vault.OpenScopeRequest{Scope: "chat", Kind: vault.ScopeCase}))(t)
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	first := must2(v.Service.RequestRestoration(ctx, staff("rob"), asked(email)))(t).Approval.ID
	second := must2(v.Service.RequestRestoration(ctx, staff("rob"), asked(email)))(t).Approval.ID
	must2(v.Service.DecideRestoration(ctx, approver("amy"), first, approve))(t)
	v.Clock.Advance(vault.ApprovalLife)
	wantRefused(t, v, vault.CodeConflict, "approval_expired", func() error {
		_, err := v.Service.DecideRestoration(ctx, approver("amy"), second, approve)
		return err
	})
	wantRefused(t, v, vault.CodeConflict, "approval_expired", func() error {
		_, err := v.Service.RedeemRestoration(ctx, staff("rob"), first, asked(email))
		return err
	})
	v.Service.SetFaults(vault.Faults{IgnoreApproval: true})
	if got, err := v.Service.RedeemRestoration(ctx, staff("rob"), first, asked(email)); err == nil {
		t.Fatalf("the commit let an expired approval through: %q", *got.Text)
	}
}

// TestInvariant14_RedeemedOnce: of a hundred who redeem at once, one wins, and all
// others are told so, with entries.
func TestInvariant14_RedeemedOnce(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	id := must2(v.Service.RequestRestoration(ctx, staff("rob"), asked(email)))(t).Approval.ID
	must2(v.Service.DecideRestoration(ctx, approver("amy"), id, approve))(t)
	before := head(t, v)
	var mu sync.Mutex
	var group sync.WaitGroup
	given, refused := 0, 0
	for range 100 {
		group.Go(func() {
			got, err := v.Service.RedeemRestoration(ctx, staff("rob"), id, asked(email))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && *got.Text == "jane@example.com":
				given++
			case vault.CodeOf(err) == vault.CodeConflict:
				refused++
			default:
				t.Errorf("redeem: %v", err)
			}
		})
	}
	group.Wait()
	if given != 1 || refused != 99 {
		t.Fatalf("%d were given the value and %d refused, want 1 and 99", given, refused)
	}
	if err := v.Service.FlushDenials(ctx, true); err != nil {
		t.Fatal(err)
	}
	denials := 0
	for _, e := range entriesFrom(t, v, before) {
		if e.Decision == audit.Deny {
			denials += max(1, e.Counts["denials"])
		}
	}
	if denials != 99 {
		t.Errorf("the log has %d refusals, want 99", denials)
	}
}

// TestRestorationNotNeeded: what can be had at once is not asked for, and what
// cannot be had at all is refused like that.
func TestRestorationNotNeeded(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	place := tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", "Lisbon")
	if _, err := v.Service.RequestRestoration(ctx, staff("rob"), asked(place)); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("an internal value: %v", err)
	}
	if _, err := v.Service.RequestRestoration(ctx, v.Gateway(), asked(place)); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a gateway: %v", err)
	}
	if _, err := v.Service.Restoration(ctx, staff("sue"), vault.NewID()); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("one that is not there, to who may read none: %v", err)
	}
}

// TestRestorationsListed: a requester sees their own, an auditor all.
func TestRestorationsListed(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS))
	email := tokenizeValue(t, v, v.Gateway(), "chat", "EMAIL_ADDRESS", "jane@example.com")
	mine := must2(v.Service.RequestRestoration(ctx, staff("rob"), asked(email)))(t).Approval.ID
	v.Clock.Advance(time.Second) // the newest is listed first
	theirs := must2(v.Service.RequestRestoration(ctx, staff("sue"), asked(email)))(t).Approval.ID
	ids := func(call vault.Call, req vault.ApprovalListRequest) (out []string) {
		for _, a := range must2(v.Service.Restorations(ctx, call, req))(t).Approvals {
			out = append(out, a.ID)
		}
		return out
	}
	if got := ids(staff("rob"), vault.ApprovalListRequest{}); !slices.Equal(got, []string{mine}) {
		t.Errorf("rob sees %v", got)
	}
	if got := ids(v.Auditor(), vault.ApprovalListRequest{}); !slices.Equal(got, []string{theirs, mine}) {
		t.Errorf("an auditor sees %v", got)
	}
	page := must2(v.Service.Restorations(ctx, v.Auditor(), vault.ApprovalListRequest{Limit: 1}))(t)
	if got := ids(v.Auditor(), vault.ApprovalListRequest{Cursor: page.Next}); !slices.Equal(got, []string{mine}) {
		t.Errorf("the second page is %v", got)
	}
	must2(v.Service.DecideRestoration(ctx, approver("amy"), mine, vault.DecisionGiven{Decision: "reject"}))(t)
	v.Clock.Advance(time.Minute)
	if got := ids(v.Auditor(), vault.ApprovalListRequest{Status: vault.ApprovalRejected}); !slices.Equal(got, []string{mine}) {
		t.Errorf("rejected are %v", got)
	}
	if got := ids(v.Auditor(), vault.ApprovalListRequest{Status: vault.ApprovalPending}); !slices.Equal(got, []string{theirs}) {
		t.Errorf("pending are %v", got)
	}
}

// TestOperationApproval: an erasure of more than the policy lets one person do
// needs an approval of exactly its preview.
func TestOperationApproval(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(demanding(t)))
	for _, value := range []string{"a@example.com", "b@example.com"} {
		must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
			Scope: "chat", Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: value, Subject: "jane"}},
		}))(t)
	}
	erase := vault.ErasureRequest{
		Regime: "gdpr", Subject: "jane", ConfirmSubject: "jane", Reference: "DSAR-1",
		Identity: vault.IdentityCheck{Method: "passport", Reference: "ID-1", VerifiedBy: "pia", At: v.Clock.Now()},
	}
	wantRefused(t, v, vault.CodeConflict, "needs_approval", func() error {
		_, err := v.Service.EraseSubject(ctx, officer(), erase)
		return err
	})
	dry := erase
	dry.DryRun = true
	preview := must2(v.Service.EraseSubject(ctx, officer(), dry))(t).PreviewID
	asked := must2(v.Service.RequestApproval(ctx, officer(), vault.ApprovalRequest{Operation: "erase", Target: preview, Reference: "DSAR-1"}))(t).Approval
	if _, err := v.Service.DecideApproval(ctx, vaulttest.Call("ole", "operator"), asked.ID, approve); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("an operator agrees to an erasure: %v", err)
	}
	must2(v.Service.DecideApproval(ctx, vaulttest.Call("paul", "privacy_officer"), asked.ID, approve))(t)
	erase.ApprovalID = asked.ID
	// Something came in between: the preview that was agreed to is another.
	must2(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: "c@example.com", Subject: "jane"}},
	}))(t)
	wantRefused(t, v, vault.CodeConflict, "approval_of_another", func() error {
		_, err := v.Service.EraseSubject(ctx, officer(), erase)
		return err
	})
	preview = must2(v.Service.EraseSubject(ctx, officer(), dry))(t).PreviewID
	asked = must2(v.Service.RequestApproval(ctx, officer(), vault.ApprovalRequest{Operation: "erase", Target: preview, Reference: "DSAR-1"}))(t).Approval
	must2(v.Service.DecideApproval(ctx, vaulttest.Call("paul", "privacy_officer"), asked.ID, approve))(t)
	erase.ApprovalID = asked.ID
	if done := must2(v.Service.EraseSubject(ctx, officer(), erase))(t); done.Erasure.Counts.Erased != 3 {
		t.Errorf("erased %+v", done.Erasure.Counts)
	}
	if got := must2(v.Service.Approval(ctx, officer(), asked.ID))(t); got.Status != vault.ApprovalRedeemed {
		t.Errorf("the approval is %s", got.Status)
	}
}

// TestHoldReleaseApproval and the closing of a tenant: the same of other operations.
func TestHoldReleaseApproval(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(demanding(t)))
	hold := must2(v.Service.PlaceHold(ctx, counsel(), vault.HoldRequest{
		Matter: "M-1", Reference: "ORDER-1", Match: vault.HoldWords{Entities: []string{"EMAIL_ADDRESS"}},
	}))(t).Hold.ID
	wantRefused(t, v, vault.CodeConflict, "needs_approval", func() error {
		_, err := v.Service.ReleaseHold(ctx, counsel(), hold, "ORDER-2", "")
		return err
	})
	id := must2(v.Service.RequestApproval(ctx, counsel(), vault.ApprovalRequest{Operation: "hold_release", Target: hold, Reference: "ORDER-2"}))(t).Approval.ID
	wantRefused(t, v, vault.CodeConflict, "approval_pending", func() error {
		_, err := v.Service.ReleaseHold(ctx, counsel(), hold, "ORDER-2", id)
		return err
	})
	must2(v.Service.DecideApproval(ctx, vaulttest.Call("leo", "legal"), id, approve))(t)
	must2(v.Service.ReleaseHold(ctx, counsel(), hold, "ORDER-2", id))(t)

	closing := vault.Call{Channel: "process"}
	wantRefused(t, v, vault.CodeConflict, "needs_approval", func() error {
		return v.Service.SetTenantState(ctx, closing, "acme", vault.TenantClosed)
	})
	id = must2(v.Service.RequestApproval(ctx, vaulttest.Call("ole", "operator"), vault.ApprovalRequest{Operation: "tenant_close", Target: "acme", Reference: "END-1"}))(t).Approval.ID
	must2(v.Service.DecideApproval(ctx, vaulttest.Call("olga", "operator"), id, approve))(t)
	closing.ApprovalID = id
	if err := v.Service.SetTenantState(ctx, closing, "acme", vault.TenantClosed); err != nil {
		t.Errorf("closing with its approval: %v", err)
	}
}
