package vault_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestManyWritersOfOneScope: 64 clients write different and equal values into
// one scope that none of them has seen yet. Data keys fill up under them, the
// first use races; everybody is served, equal values get equal tokens, and
// what was acknowledged restores.
func TestManyWritersOfOneScope(t *testing.T) {
	v := vaulttest.New(t)
	const writers, each = 64, 40
	var tokens sync.Map
	var refused atomic.Int64
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for n := range each {
				for _, value := range []string{fmt.Sprintf("of %d: %d", writer, n), fmt.Sprintf("shared %d", n)} {
					got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
						Scope: "hot", Values: []vault.Value{{Entity: "PERSON", Value: value}},
					})
					if err != nil {
						refused.Add(1)
						t.Errorf("%v", err)
						return
					}
					if before, seen := tokens.LoadOrStore(value, got.Values[0]); seen && before != got.Values[0] {
						t.Errorf("a value has two tokens")
					}
				}
			}
		})
	}
	group.Wait()
	if n := refused.Load(); n > 0 {
		t.Fatalf("%d writers were refused", n)
	}
	restored := 0
	tokens.Range(func(value, tok any) bool {
		got := must2(llm(v, v.Gateway(), "hot", tok.(string)))(t)
		if *got.Text != value {
			t.Errorf("%q came back as %q", value, *got.Text)
		}
		restored++
		return true
	})
	if restored != writers*each+each {
		t.Fatalf("%d values, want %d", restored, writers*each+each)
	}
}
