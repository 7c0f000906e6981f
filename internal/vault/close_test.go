package vault_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestInvariant9_ClosedIsExpired: from the closing on nothing of the scope is
// restored; the next text under the name has other tokens, and the closing
// under the same idempotency key does not meet it.
func TestInvariant9_ClosedIsExpired(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	before := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	v.Clock.Advance(time.Second)
	from := head(t, v)
	call := keyed(v.Gateway(), "key-1", "body")
	closed := must2(v.Service.CloseScope(ctx, call, vault.CloseScopeRequest{Scope: "chat"}))(t)
	e := one(t, v, from)
	if e.Kind != audit.KindScopeClose || len(e.ScopeRefs) != 1 || e.ScopeRefs[0] != closed.ScopeRef || !e.Time.Equal(closed.ClosedAt) {
		t.Errorf("the entry is %+v, the answer %+v", e, closed)
	}
	if got := must2(llm(v, v.Gateway(), "chat", before))(t); statuses(got)[0] != vault.StatusUnknown {
		t.Errorf("after the closing: %v", statuses(got))
	}
	after := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	again := must2(v.Service.CloseScope(ctx, call, vault.CloseScopeRequest{Scope: "chat"}))(t)
	if again.ScopeRef != closed.ScopeRef || !again.ClosedAt.Equal(closed.ClosedAt) || again.Audit.Index != closed.Audit.Index {
		t.Errorf("again: %+v, want %+v", again, closed)
	}
	got := must2(llm(v, v.Gateway(), "chat", before+" "+after))(t)
	if *got.Text != before+" Jane Doe" {
		t.Errorf("the next scope of the name: %q", *got.Text)
	}
	sweep(t, v)
	if rows, err := v.Store.Scopes(ctx, "acme", vault.Digest{}); err != nil || len(rows) != 0 {
		t.Errorf("a name of nobody's: %d scopes, %v", len(rows), err)
	}
}

// TestInvariant6_ClosingOfOthers: a scope of somebody else is not told from
// one that does not exist, and stays.
func TestInvariant6_ClosingOfOthers(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	living := tokenizeValue(t, v, vaulttest.OnBehalfOf(v.Gateway(), "alice"), "chat", "PERSON", "Jane Doe")
	_, none := v.Service.CloseScope(ctx, v.Gateway(), vault.CloseScopeRequest{Scope: "none"})
	for name, call := range map[string]vault.Call{
		"client": vaulttest.OnBehalfOf(vaulttest.Call("gw-2", "gateway"), "alice"), "end user": vaulttest.OnBehalfOf(v.Gateway(), "bob"),
	} {
		from := head(t, v)
		_, err := v.Service.CloseScope(ctx, call, vault.CloseScopeRequest{Scope: "chat"})
		if vault.CodeOf(err) != vault.CodeNotFound || fmt.Sprint(err) != fmt.Sprint(none) {
			t.Errorf("another %s: %v, and of none: %v", name, err, none)
		}
		if e := one(t, v, from); e.Decision != audit.Deny {
			t.Errorf("another %s: the entry is %+v", name, e)
		}
	}
	if _, err := v.Service.CloseScope(ctx, officer(), vault.CloseScopeRequest{Scope: "chat"}); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a privacy officer: %v", err)
	}
	if got := must2(llm(v, vaulttest.OnBehalfOf(v.Gateway(), "alice"), "chat", living))(t); *got.Text != "Jane Doe" {
		t.Fatal("a stranger closed the scope")
	}
	v.Service.SetFaults(vault.Faults{IgnoreBinding: true})
	if _, err := v.Service.CloseScope(ctx, vaulttest.Call("gw-2", "gateway"), vault.CloseScopeRequest{Scope: "chat"}); err != nil {
		t.Errorf("twin: the guard was taken out and the scope stayed: %v", err)
	}
}
