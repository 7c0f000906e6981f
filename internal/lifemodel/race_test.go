//go:build unix

package lifemodel_test

import (
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// races are what two people do at once. Of the two orders in the log each allows
// one outcome.
var races = map[string]func(*arena, int){
	"erase and restore":  eraseAndRestore,
	"erase and tokenize": eraseAndTokenize,
	"hold and sweep":     holdAndSweep,
	"hold and erase":     holdAndErase,
	"expire and extend":  expireAndExtend,
	"release and erase":  releaseAndErase,
}

// TestInvariant7And8And9_Races: two replicas do at once what must not both
// succeed, and whichever the log has first, the outcome is the one that it allows.
func TestInvariant7And8And9_Races(t *testing.T) {
	for store, open := range arenas {
		t.Run(store, func(t *testing.T) {
			a, b := open(t)
			for name, race := range races {
				t.Run(name, func(t *testing.T) {
					r := &arena{TB: t, a: a, b: b, race: name}
					race(r, rounds())
					if r.faults.Load() > 0 {
						t.Errorf("%d faults, the first: %s", r.faults.Load(), r.text)
					}
					t.Logf("the first came first %d times, the second %d times", r.firsts.Load(), r.seconds.Load())
					if r.firsts.Load() == 0 || r.seconds.Load() == 0 {
						t.Error("there was no race")
					}
				})
			}
		})
	}
}

// TestInvariant7And8And9_RacesTwin: what a store forgets of its conditions is
// found out by the race that they decide.
func TestInvariant7And8And9_RacesTwin(t *testing.T) {
	const twinRounds = 200
	for name, forgets := range map[string]func(*forgetful, vault.Change) (vault.Committed, error){
		// A replica that restores what it read, whatever the commit says.
		"erase and restore": func(f *forgetful, c vault.Change) (vault.Committed, error) {
			done, err := f.Store.Commit(ctx, "acme", c)
			if _, is := c.Effect().(vault.Restore); is {
				f.mu.Lock()
				defer f.mu.Unlock()
				if err == nil {
					f.last = done
				} else if f.last.Tree != nil {
					return f.last, nil
				}
			}
			return done, err
		},
		"hold and sweep": forgetHold,
		"hold and erase": forgetHold,
		// A release that is answered and not done.
		"release and erase": func(f *forgetful, c vault.Change) (vault.Committed, error) {
			if _, is := c.Effect().(vault.ReleaseHold); !is {
				return f.Store.Commit(ctx, "acme", c)
			}
			change, err := vault.NewChange("acme", vault.Record{}, plainEntry())
			if err != nil {
				return vault.Committed{}, err
			}
			return f.Store.Commit(ctx, "acme", change)
		},
		"erase and tokenize": remember,
		"expire and extend":  remember,
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t, vaulttest.WithStore(forgetting(forgets)))
			r := &arena{TB: t, a: v, b: v, race: name}
			if races[name](r, twinRounds); r.faults.Load() == 0 {
				t.Error("nobody noticed")
			}
			t.Log(r.text)
		})
	}
}

// remember answers with the token that a value had first, whatever became of it.
func remember(f *forgetful, c vault.Change) (vault.Committed, error) {
	done, err := f.Store.Commit(ctx, "acme", c)
	e, is := c.Effect().(vault.Tokenize)
	if !is || err != nil {
		return done, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	done.Outcome.Standing = slices.Clone(done.Outcome.Standing)
	for i := range e.Mappings {
		identity := e.Mappings[i].Mapping.Identity
		if first, known := f.tokens[identity]; known {
			done.Outcome.Standing[i].TokenID = first
		} else {
			f.tokens[identity] = done.Outcome.Standing[i].TokenID
		}
	}
	return done, err
}
