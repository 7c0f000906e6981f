//go:build unix

package lifemodel_test

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// entitled are races for what a restoration needs besides its values: each is told
// how much of it there is to be.
var entitled = map[string]struct {
	race func(r *arena, n int)
	// much and some are for the race and for its twin.
	much, some int
	// forgets is how a store is broken that the race has to notice.
	forgets func(*forgetful, vault.Change) (vault.Committed, error)
}{
	"spend a budget":      {spendBudget, tenantBudget, tenantBudget, forgetLimits},
	"redeem an approval":  {redeemOnce, 3, 1, forgetRefusals},
	"suspend and restore": {suspendAndRestore, 400, 100, forgetScopes},
}

// TestInvariant14And17_Races: what may be used once or so often is used once and
// so often, and what was suspended is not restored, whoever else is at it on
// another replica.
func TestInvariant14And17_Races(t *testing.T) {
	for store, open := range arenas {
		t.Run(store, func(t *testing.T) {
			a, b := open(t, vaulttest.WithPolicy(withBudget(t)))
			for name, one := range entitled {
				t.Run(name, func(t *testing.T) {
					r := &arena{TB: t, a: a, b: b, race: name}
					a.Clock.Advance(time.Hour) // whose budgets are whole
					if one.race(r, one.much); r.faults.Load() > 0 {
						t.Errorf("%d faults, the first: %s", r.faults.Load(), r.text)
					}
				})
			}
		})
	}
}

// TestInvariant14And17_RacesTwin: what a store forgets of its conditions is found
// out by the race that they decide.
func TestInvariant14And17_RacesTwin(t *testing.T) {
	for name, one := range entitled {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t, vaulttest.WithPolicy(withBudget(t)), vaulttest.WithStore(forgetting(one.forgets)))
			r := &arena{TB: t, a: v, b: v, race: name}
			if one.race(r, one.some); r.faults.Load() == 0 {
				t.Error("nobody noticed")
			}
			t.Log(r.text)
		})
	}
}

// forgetLimits lets a budget have a token more than it has.
func forgetLimits(f *forgetful, c vault.Change) (vault.Committed, error) {
	if e, is := c.Effect().(vault.Restore); is {
		for i := range e.Spends {
			e.Spends[i].Limit++
		}
	}
	return f.Store.Commit(ctx, "acme", c)
}

// forgetRefusals answers a redeem that was refused like the last one that was not.
func forgetRefusals(f *forgetful, c vault.Change) (vault.Committed, error) {
	done, err := f.Store.Commit(ctx, "acme", c)
	if c.Redeems() == nil {
		return done, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.last = done
	} else if f.last.Tree != nil {
		return f.last, nil
	}
	return done, err
}

// forgetScopes says of what is restored that it is in another scope.
func forgetScopes(f *forgetful, c vault.Change) (vault.Committed, error) {
	if e, is := c.Effect().(vault.Restore); is {
		for i := range e.Refs {
			e.Refs[i].ScopeName = vault.Digest{1}
		}
	}
	return f.Store.Commit(ctx, "acme", c)
}
