package vault_test

import (
	"context"
	"errors"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// wantField checks that an error is about one field.
func wantField(t *testing.T, err error, field string) {
	t.Helper()
	var public *vault.Error
	if !errors.As(err, &public) || len(public.Violations) != 1 || public.Violations[0].Field != field {
		t.Errorf("got %v, want a violation of %s", err, field)
	}
}

func setState(v *vaulttest.Vault, tenant string, state vault.TenantState) error {
	return v.Service.SetTenantState(context.Background(), vault.Call{Channel: "process"}, tenant, state)
}

// TestSuspendedTenant: nothing is tokenized or restored, every attempt is an
// entry, the log can be read, and after it is resumed all is as before.
func TestSuspendedTenant(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	from := head(t, v)
	if err := setState(v, "acme", vault.TenantSuspended); err != nil {
		t.Fatal(err)
	}
	if e := one(t, v, from); e.Kind != audit.KindTenantSuspend {
		t.Fatalf("the entry is %+v", e)
	}
	refused := func(err error) {
		t.Helper()
		var public *vault.Error
		if !errors.As(err, &public) || public.Code != vault.CodeDenied {
			t.Fatalf("got %v, want denied", err)
		}
	}
	from = head(t, v)
	_, err := llm(v, v.Gateway(), "chat", tok)
	refused(err)
	if e := one(t, v, from); e.Kind != audit.KindRestore || e.Decision != audit.Deny || e.Code != "denied:tenant" {
		t.Fatalf("the entry of the refusal is %+v", e)
	}
	_, err = v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: vaulttest.Ptr("mail jane@example.com")})
	refused(err)
	_, err = v.Service.OpenScope(context.Background(), v.Gateway(), vault.OpenScopeRequest{Scope: "case", Kind: vault.ScopeCase})
	refused(err)
	if _, err := v.Service.AuditSearch(context.Background(), v.Auditor(), vault.EntrySearch{EntryQuery: vault.EntryQuery{Limit: 10}}); err != nil {
		t.Fatalf("the log of a suspended tenant: %v", err)
	}
	if err := setState(v, "acme", vault.TenantActive); err != nil {
		t.Fatal(err)
	}
	if got := must2(llm(v, v.Gateway(), "chat", tok))(t); *got.Text != "Jane Doe" {
		t.Fatalf("after it was resumed: %q", *got.Text)
	}
}

func TestStatesOfATenant(t *testing.T) {
	v := vaulttest.New(t)
	for _, step := range []struct {
		tenant string
		state  vault.TenantState
		code   vault.Code
	}{
		{"acme", vault.TenantActive, vault.CodeConflict},
		{"acme", "asleep", vault.CodeInvalid},
		{"nowhere", vault.TenantSuspended, vault.CodeNotFound},
		{vault.SystemTenant, vault.TenantSuspended, vault.CodeConflict},
		{"Acme", vault.TenantSuspended, vault.CodeInvalid},
		{"acme", vault.TenantClosed, ""},
		{"acme", vault.TenantActive, vault.CodeConflict},
		{"acme", vault.TenantSuspended, vault.CodeConflict},
	} {
		err := setState(v, step.tenant, step.state)
		if (err == nil) != (step.code == "") || err != nil && vault.CodeOf(err) != step.code {
			t.Errorf("%s to %s: %v, want %q", step.tenant, step.state, err, step.code)
		}
	}
	if _, err := llm(v, vault.Call{Channel: "test", Caller: vault.Caller{Tenant: "globex", Subject: "g", Client: "g", Roles: []string{"gateway"}}}, "c", "x"); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}
