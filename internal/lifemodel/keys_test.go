//go:build unix

package lifemodel_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// This file is what happens to the wrapping key. None of it may change what is
// restored.

func (h *history) rotate(*rapid.T) {
	h.step()
	tenants := []string{"acme"}
	if err := h.v.Rotate(ctx, tenants, func(string, int) error { return nil }); err != nil {
		h.Fatalf("rotate: %v", err)
	}
	if !rapid.Bool().Draw(h.T, "rewrap") {
		return
	}
	if err := h.v.Rewrap(ctx, tenants, func(string, int) error { return nil }); err != nil {
		h.Fatalf("rewrap: %v", err)
	}
	if status := must(h.v.Service.EpochStatus(ctx, "acme"))(h); status.Stale != 0 {
		h.Fatalf("%d keys were left under old versions", status.Stale)
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
			must(v.Service.ReleaseHold(ctx, counsel(), hold.ID, "ORDER-5"))(t)
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
