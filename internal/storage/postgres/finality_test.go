package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// retireBehind retires versions while nothing but a data key is behind.
func retireBehind(t *testing.T, hooks postgres.Hooks) error {
	t.Helper()
	s := openAt(t, pgtest.New(t), postgres.Config{}, hooks)
	seed(t, s, "acme")
	keys, err := s.Registry.TenantKeys(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	var rewrap vault.Rewrap
	for _, k := range keys {
		rewrap.Keys = append(rewrap.Keys, vault.RewrappedKey{
			ID: k.ID, From: k.Wrapped.Version, Wrapped: envelope.Wrapped{Version: 4, Bytes: []byte("wrapped anew")},
		})
	}
	commit(t, s, "acme", vault.RaiseWrapMinimum{Version: 4})
	commit(t, s, "acme", rewrap)
	_, err = s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.RetireVersions{Below: 4}))
	return err
}

// TestInvariant15_NoDataKeyIsLeftBehind: one data key keeps its version.
func TestInvariant15_NoDataKeyIsLeftBehind(t *testing.T) {
	if err := retireBehind(t, postgres.Hooks{}); !errors.Is(err, vault.ErrConflict) {
		t.Errorf("with a data key that was not wrapped anew: %v", err)
	}
}

// Twin: where data keys are not asked for, the version is retired.
func TestInvariant15_TwinNoDataKeyIsLeftBehind(t *testing.T) {
	if err := retireBehind(t, postgres.Hooks{Rewrite: func(text string) string {
		return strings.Replace(text, "FROM data_keys AS k WHERE k.tenant = $1 AND k.wrap_version < $2 LIMIT 1",
			"FROM data_keys AS k WHERE k.tenant = $1 AND k.wrap_version < $2 AND false LIMIT 1", 1)
	}}); err != nil {
		t.Errorf("without the guard: %v; the test does not show what it is for", err)
	}
}
