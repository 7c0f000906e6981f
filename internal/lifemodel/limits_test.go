package lifemodel_test

import (
	"context"
	"testing"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestInvariant17_Young: a request of as many values as there may be is served by a
// database that is a few seconds old, too: nobody has counted its rows yet, and a
// plan that walks along all of them for each value takes minutes.
func TestInvariant17_Young(t *testing.T) {
	if underRace {
		t.Skip("eighteen thousand values: not under -race")
	}
	v := vaulttest.NewOnPostgres(t)
	for _, n := range []int{4000, 4000, vault.MaxFindings} {
		values := make([]vault.Value, n)
		for i := range values {
			values[i] = vault.Value{Entity: "CUSTOM_ID", Value: vault.NewID()}
		}
		if _, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Values: values}); err != nil {
			t.Fatalf("%d values: %v", n, err)
		}
	}
}
