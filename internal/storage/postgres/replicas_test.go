package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// replicas opens two stores on one database, by the database's clock.
func replicas(t *testing.T) (a, b storagetest.Stores) {
	t.Helper()
	db := pgtest.New(t)
	return openAt(t, db, postgres.Config{}, postgres.Hooks{}), openAt(t, db, postgres.Config{}, postgres.Hooks{})
}

// TestInvariant4_TwoReplicas: the same values tokenized through two stores at
// once have one token each, and both append to one log without a gap.
func TestInvariant4_TwoReplicas(t *testing.T) {
	a, b := replicas(t)
	p := seed(t, a, "acme")
	const rounds, values = 40, 5
	tokens := make([]map[string]string, 2)
	var group sync.WaitGroup
	for i, s := range []storagetest.Stores{a, b} {
		tokens[i] = make(map[string]string)
		group.Go(func() {
			for round := range rounds {
				var ms []vault.NewMapping
				for v := range values {
					ms = append(ms, p.Value(fmt.Sprint(round, " ", (v+i)%values)))
				}
				for at, standing := range commit(t, s, "acme", p.Tokenize(ms...)).Outcome.Standing {
					tokens[i][fmt.Sprint(round, " ", (at+i)%values)] = standing.TokenID
				}
			}
		})
	}
	group.Wait()
	for value, token := range tokens[0] {
		if tokens[1][value] != token {
			t.Errorf("value %s has the tokens %s and %s", value, token, tokens[1][value])
		}
	}
	if len(tokens[0]) != rounds*values {
		t.Errorf("%d values have tokens, want %d", len(tokens[0]), rounds*values)
	}
	storagetest.CheckLog(t.Context(), t, b.Ledger, "acme")
}

// Twin: where the head is not locked, two replicas get in each other's way, and
// it shows: as a value with two tokens, or as a commit that is refused since
// its place in the log is taken.
func TestInvariant4_TwinTwoReplicas(t *testing.T) {
	db := pgtest.New(t)
	unlocked := postgres.Hooks{Rewrite: func(text string) string {
		const lock = " FOR UPDATE"
		if len(text) > len(lock) && text[len(text)-len(lock):] == lock {
			return text[:len(text)-len(lock)]
		}
		return text
	}}
	a := openAt(t, db, postgres.Config{}, unlocked)
	b := openAt(t, db, postgres.Config{}, unlocked)
	p := seed(t, a, "acme")
	var group sync.WaitGroup
	failed := make([]error, 2)
	for i, s := range []storagetest.Stores{a, b} {
		group.Go(func() {
			for round := range 100 {
				change := storagetest.Change(t, "acme", p.Tokenize(p.Value(fmt.Sprint(round))))
				if _, err := s.Store.Commit(context.Background(), "acme", change); err != nil {
					failed[i] = err
				}
			}
		})
	}
	group.Wait()
	if errors.Join(failed...) == nil {
		t.Error("without the lock two replicas did as well: the test does not show what it is for")
	}
}

// TestInvariant8_TwoReplicas: what one destroys the other does not restore,
// whichever comes first; and their locks cannot stand against each other.
func TestInvariant8_TwoReplicas(t *testing.T) {
	a, b := replicas(t)
	p := seed(t, a, "acme")
	for i := range 40 {
		p.Key = p.FreshKey()
		m := p.Value(fmt.Sprint(i))
		setup := p.Tokenize(m)
		setup.Keys = []vault.DataKey{p.Key}
		commit(t, a, "acme", setup)
		var restored, destroyed vault.Committed
		var rerr, derr error
		var group sync.WaitGroup
		group.Go(func() {
			restored, rerr = a.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", p.Restore(m)))
		})
		group.Go(func() {
			destroyed, derr = b.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}}))
		})
		group.Wait()
		switch {
		case derr != nil:
			t.Fatalf("destroy: %v", derr)
		case rerr != nil && !errors.Is(rerr, vault.ErrConflict):
			t.Fatalf("restore: %v", rerr)
		case rerr == nil && restored.First > destroyed.First:
			t.Fatal("restored after it was destroyed")
		}
	}
	storagetest.CheckLog(t.Context(), t, a.Ledger, "acme")
}

// TestTimeIsTheDatabases: without a clock of the tests, entries have the
// database's time, and expiry goes by it.
func TestTimeIsTheDatabases(t *testing.T) {
	a, b := replicas(t)
	p := seed(t, a, "acme")
	before := time.Now()
	m := p.Value("v")
	m.TTL = time.Second // in which a busy machine restores it
	c := commit(t, a, "acme", p.Tokenize(m))
	if c.At.Before(before.Add(-time.Second)) || c.At.After(time.Now().Add(time.Second)) {
		t.Errorf("committed at %v, it is %v", c.At, before)
	}
	commit(t, b, "acme", p.Restore(m))
	for end := time.Now().Add(20 * time.Second); ; {
		sweep, err := b.Registry.Expired(t.Context(), "acme", 10)
		if err != nil || time.Now().After(end) {
			t.Fatalf("it does not expire: %v", err)
		}
		if len(sweep.Mappings) == 1 {
			break
		}
	}
	_, err := a.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", p.Restore(m)))
	if !errors.Is(err, vault.ErrConflict) {
		t.Errorf("an expired mapping: %v", err)
	}
}
