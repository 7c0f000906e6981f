package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// notices is what a listener was told.
type notices struct {
	mu   sync.Mutex
	told []string
}

func (n *notices) gone(tenant string, keys []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, tenant+" "+strings.Join(keys, ","))
}

// await waits until it was told something, so often.
func (n *notices) await(t *testing.T, what string, times int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		n.mu.Lock()
		count := 0
		for _, told := range n.told {
			if told == what {
				count++
			}
		}
		n.mu.Unlock()
		if count == times {
			return
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Fatalf("it was not told %q %d times: %q", what, times, n.told)
}

// TestListen: a replica that commits through PgBouncer tells another one, past
// it, which keys are gone; who was away is told that it may have missed some.
func TestListen(t *testing.T) {
	db := pgtest.Start(t).Database(t)
	s := openAt(t, pooled(t, db), postgres.Config{Pooled: true}, postgres.Hooks{})
	p := seed(t, s, "acme")
	told := &notices{}
	ctx, stop := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() { postgres.Listen(ctx, db.App, told.gone) })
	told.await(t, " ", 1)

	commit(t, s, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	told.await(t, "acme "+p.Key.ID, 1)
	person := vault.Subject{Digest: storagetest.Digest("ann"), IndexVersion: 1, Ref: vault.NewID()}
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: person.Ref, Wrapped: p.Key.Wrapped}
	m := p.Value("of ann")
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{person.Ref}
	tokenize := p.Tokenize(m)
	tokenize.Keys, tokenize.Subjects = []vault.DataKey{key}, []vault.SubjectUse{{Subject: person, New: true}}
	commit(t, s, "acme", tokenize)
	commit(t, s, "acme", vault.Erase{Keys: []string{key.ID}, Erasure: vault.Erasure{
		Subject: person.Digest, SubjectRef: person.Ref, Reference: "R", Regime: "gdpr",
		Identity: vault.IdentityCheck{Method: "m", Reference: "r", VerifiedBy: "v", At: time.Now()},
	}})
	told.await(t, "acme "+key.ID, 1)

	admin := connect(t, db.Admin)
	if admin.do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'") != 1 {
		t.Fatal("nobody listens")
	}
	told.await(t, " ", 2)
	// Nothing is told of what was not committed.
	absent := vault.NewID()
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.DestroyKeys{Keys: []string{absent}})); err == nil {
		t.Error("a key that is not there was destroyed")
	}
	var many []string
	for i := range 150 {
		k := p.FreshKey()
		value := p.Value(fmt.Sprint("many ", i))
		value.Mapping.KeyID = k.ID
		effect := p.Tokenize(value)
		effect.Keys = []vault.DataKey{k}
		commit(t, s, "acme", effect)
		many = append(many, k.ID)
	}
	commit(t, s, "acme", vault.DestroyKeys{Keys: many})
	told.await(t, "acme ", 1)
	stop()
	listening.Wait()
	if slices.ContainsFunc(told.told, func(s string) bool { return strings.Contains(s, absent) }) {
		t.Error("it was told of a commit that failed")
	}
}

// TestLease: one has it at a time, and it is free again when it is released or
// its holder is gone.
func TestLease(t *testing.T) {
	db := pgtest.Start(t).Database(t)
	take := func(name string, want bool) func() {
		t.Helper()
		release, held, err := postgres.TryLease(t.Context(), db.App, name)
		if err != nil || held != want {
			t.Fatalf("%s: held %t, %v", name, held, err)
		}
		return release
	}
	release := take("sweep", true)
	take("sweep", false)
	take("another", true)()
	release()
	eventually := func() {
		t.Helper()
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			r, held, err := postgres.TryLease(t.Context(), db.App, "sweep")
			if err == nil && held {
				release = r
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the lease is not free: %v", err)
			}
		}
	}
	eventually() // a session ends a little after it was hung up
	connect(t, db.Admin).do("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
	eventually()
	release()
	if _, _, err := postgres.TryLease(t.Context(), "postgres://app:hunter2@[", "sweep"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an address that is none: %v", err)
	}
}
