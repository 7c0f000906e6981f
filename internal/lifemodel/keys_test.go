//go:build unix

package lifemodel_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// This file is what happens to the wrapping key. None of it may change what is
// restored.

// epoch is how far the wrapping keys of a service are, over all its histories.
type epoch struct {
	tenants []string
	version int       // that wraps, and the oldest that is written
	since   time.Time // when it came
	stale   bool      // older ones wrap still
	retired int       // the oldest version that is left
}

func (h *history) rotate(*rapid.T) {
	h.step()
	told := func(_ string, version int) error { h.keys.version = version; return nil }
	if err := h.v.Rotate(ctx, h.keys.tenants, told); err != nil {
		h.Fatalf("rotate: %v", err)
	}
	h.keys.since, h.keys.stale = h.now(), true
	if rapid.Bool().Draw(h.T, "rewrap") {
		h.rewrap()
	}
}

func (h *history) rewrap() {
	if err := h.v.Rewrap(ctx, h.keys.tenants, func(string, int) error { return nil }); err != nil {
		h.Fatalf("rewrap: %v", err)
	}
	if status := must(h.v.Service.EpochStatus(ctx, "acme"))(h); status.Stale != 0 {
		h.Fatalf("%d keys were left under old versions", status.Stale)
	}
	h.keys.stale = false
}

// trim destroys versions: at once on somebody's word, or those that no backup
// needs. What stands goes on to be restored; what was erased under them is final.
func (h *history) trim(*rapid.T) {
	h.step()
	req := vault.TrimRequest{Now: rapid.Bool().Draw(h.T, "now"), Reference: "TRIM-1"}
	plans := must(h.v.PlanTrim(ctx, h.keys.tenants, req))(h)
	_, err := h.v.Trim(ctx, plans, req)
	kept := slices.ContainsFunc(h.holds, func(hold *modelHold) bool { return hold.backups })
	got, want := vault.Code(""), vault.Code("")
	if err != nil {
		got = vault.CodeOf(err)
	}
	switch {
	case h.keys.retired == h.keys.version: // nothing is left to destroy
	case !req.Now:
		want = got // by when something was moved last, which the model does not keep
	case h.keys.stale:
		want = vault.CodeConflict
	case kept:
		want = vault.CodeHeld
	}
	if got != want || err == nil && kept && plans[0].Below > h.keys.retired {
		h.Fatalf("trim %+v: %v, want %q", plans, err, want)
	}
	if err != nil {
		return
	}
	h.keys.retired = max(h.keys.retired, plans[0].Below)
	for _, r := range h.receipts {
		final := !must(h.v.Service.ErasureReceipt(ctx, officer(), r.id))(h).Erasure.FinalAt.IsZero()
		if final && r.completed.IsZero() || !final && h.keys.retired == h.keys.version && !r.completed.IsZero() && r.completed.Before(h.keys.since) {
			h.Fatalf("that %s is final is said: %t; it was completed at %s", r.id, final, r.completed)
		}
	}
}

// A released erasure goes on by itself after the wrapping key was rotated, too:
// the fresh keys that it takes were wrapped in advance, under the version before.
func TestErasureGoesOnAfterARotation(t *testing.T) {
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			v := open(t)
			chat := vault.TokenizeRequest{Scope: "chat", Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}}}
			// Its key seals the scope's name, too, which is sealed anew when it goes.
			token := must(v.Service.Tokenize(ctx, v.Gateway(), chat))(t).Values[0]
			must(v.Service.LinkSubject(ctx, officer(), vault.LinkRequest{Subject: "jane", Identifiers: mail("jane@example.com")}))(t)
			hold := must(v.Service.PlaceHold(ctx, counsel(), holdRequest(vault.HoldWords{Scopes: []string{"chat"}})))(t).Hold
			must(v.Service.EraseSubject(ctx, officer(), erasure(v, "jane", "none")))(t)
			if err := v.Rotate(ctx, []string{"acme"}, func(string, int) error { return nil }); err != nil {
				t.Fatal(err)
			}
			must(v.Service.ReleaseHold(ctx, counsel(), hold.ID, "ORDER-5", ""))(t)
			if err := v.Service.ResumeErasures(ctx, "acme"); err != nil {
				t.Fatal(err)
			}
			got := must(v.Service.Detokenize(ctx, counsel(), vault.DetokenizeRequest{
				Scope: "chat", Reason: vault.ReasonGiven{Code: "LEGAL_DISCOVERY", Reference: "MATTER-1"}, Tokens: []string{token},
			}))(t)
			if got.Results[0].Status != vault.StatusErased {
				t.Errorf("it is %s", got.Results[0].Status)
			}
		})
	}
}

// Keys that were wrapped in advance under a version that is gone are dropped.
func TestKeysOfAVersionThatIsGone(t *testing.T) {
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			v := open(t)
			put := func(scope string) {
				must(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
					Scope: scope, Values: []vault.Value{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}},
				}))(t)
			}
			put("before")
			told := func(string, int) error { return nil }
			tenants := must(v.Service.Tenants(ctx))(t)
			req := vault.TrimRequest{Now: true, Reference: "TRIM-1"}
			if err := errors.Join(v.Rotate(ctx, tenants, told), v.Rewrap(ctx, tenants, told)); err != nil {
				t.Fatal(err)
			}
			must(v.Trim(ctx, must(v.PlanTrim(ctx, tenants, req))(t), req))(t)
			put("after")
		})
	}
}
