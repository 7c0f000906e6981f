package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// spendOnTwo has 64 clients of two replicas spend from one budget of 500 tokens,
// each until it is refused, or has spent for long enough to pass any budget.
func spendOnTwo(t *testing.T, h postgres.Hooks) (given int64, other error) {
	t.Helper()
	db := pgtest.New(t)
	a, b := openAt(t, db, postgres.Config{}, h), openAt(t, db, postgres.Config{}, h)
	p := seed(t, a, "acme")
	m := p.Value("v")
	commit(t, a, "acme", p.Tokenize(m))
	var sum atomic.Int64
	failed := make([]error, 64)
	var group sync.WaitGroup
	for i := range failed {
		group.Go(func() {
			s := []storagetest.Stores{a, b}[i%2]
			for range 40 { // those who want one token would pass it alone
				effect := p.Restore(m)
				effect.Spends = []vault.Spend{{Key: budget, Tokens: i%5 + 1, Limit: 500}}
				_, err := s.Store.Commit(context.Background(), "acme", storagetest.Change(t, "acme", effect))
				if err != nil {
					if !errors.Is(err, vault.ErrExhausted) {
						failed[i] = err
					}
					return
				}
				sum.Add(int64(i%5 + 1))
			}
		})
	}
	group.Wait()
	spent, _, err := a.Proceedings.Spent(t.Context(), "acme", []vault.Digest{budget})
	if err != nil {
		t.Fatal(err)
	}
	if int64(spent[0]) != sum.Load() {
		t.Logf("%d tokens were given, and %d are counted", sum.Load(), spent[0])
	}
	return sum.Load(), errors.Join(failed...)
}

// TestInvariant17_TwoReplicas: they do not pass a budget together, nor leave any
// of it: who wants one token has it while there is one.
func TestInvariant17_TwoReplicas(t *testing.T) {
	given, err := spendOnTwo(t, postgres.Hooks{})
	if err != nil || given != 500 {
		t.Errorf("%d tokens were given, want 500: %v", given, err)
	}
}

// Twin: where each batch counts for itself, not for those of the other replica,
// it shows.
func TestInvariant17_TwinTwoReplicas(t *testing.T) {
	given, err := spendOnTwo(t, postgres.Hooks{Rewrite: func(text string) string {
		return strings.Replace(text, "SELECT b.budget, b.hour, b.spent FROM unnest", "SELECT b.budget, b.hour, 0 * b.spent FROM unnest", 1)
	}})
	if given <= 500 || err != nil {
		t.Errorf("%d tokens were given of 500, though nobody asks what was spent: %v", given, err)
	}
}
