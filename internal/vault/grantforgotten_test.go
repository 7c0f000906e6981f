package vault_test

import (
	"context"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestClosedGrantIsForgotten: what stays of a grant that is closed is shown for
// GrantKept; after it the grant is like one that never was, and the log has what it was.
func TestClosedGrantIsForgotten(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	out := prompted(t, v, v.Gateway(), "chat", "Write to jane@example.com.", vault.GrantWish{})
	id, token := out.Grant.Grant.ID, out.Tokens[0].Token
	s := streaming(t, v, v.Gateway(), id)
	push(t, s, chunk(token))
	finish(t, s)
	if _, err := v.Service.CloseGrant(ctx, v.Gateway(), id); err != nil && vault.CodeOf(err) != vault.CodeConflict {
		t.Fatal(err)
	}
	forget := func() {
		t.Helper()
		if more, err := v.Service.ForgetGrants(ctx, "acme"); err != nil || more {
			t.Fatalf("more: %t, %v", more, err)
		}
	}
	v.Clock.Advance(vault.GrantKept - time.Second)
	forget()
	if _, err := v.Service.Grant(ctx, v.Gateway(), id); err != nil {
		t.Errorf("before its time: %v", err)
	}
	entries := head(t, v)
	v.Clock.Advance(time.Second)
	forget()
	if _, err := v.Service.Grant(ctx, v.Gateway(), id); vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("after its time: %v", err)
	}
	if _, err := v.Service.CloseGrant(ctx, v.Gateway(), id); vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("to close what is forgotten: %v", err)
	}
	page, err := v.Service.OpenGrants(ctx, officer(), vault.ProceedingListRequest{})
	if err != nil || len(page.Grants) != 0 {
		t.Errorf("%d grants are listed, %v", len(page.Grants), err)
	}
	if now := head(t, v); now != entries {
		t.Errorf("to forget wrote %d entries", now-entries)
	}
}
