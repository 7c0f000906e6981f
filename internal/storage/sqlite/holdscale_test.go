package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// holdTime is how long it may take to place a hold, however much it keeps.
const holdTime = time.Second

// sqlManyMappings fills a scope with values that are like one of it.
const sqlManyMappings = `
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup, index_version, key_id, sealed,
    state, created_at, expires_at, max_expires_at)
SELECT m.tenant, m.scope_id, 'many ' || n.i, m.format, m.entity, m.class, CAST(printf('%%032d', n.i) AS BLOB),
    CAST(printf('%%032d', n.i) AS BLOB), m.index_version, 'another key', m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
FROM mappings AS m, n`

// manyMappings is a store with very many mappings in one scope.
type manyMappings struct {
	testing.TB
	storagetest.Stores
	path  string
	place storagetest.Place
	one   vault.NewMapping // of them
	many  int
	now   time.Time
}

func newManyMappings(t testing.TB) *manyMappings {
	t.Helper()
	m := &manyMappings{TB: t, many: 100_000, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	switch {
	case underRace:
		m.many = 2_000 // the figures would say nothing
	case os.Getenv("COUNTERFOIL_LONG") == "1":
		m.many = 1_000_000
	}
	m.path = filepath.Join(t.TempDir(), "vault.db")
	m.Stores = openAt(t, m.path, sqlite.Options{Clock: func() time.Time { return m.now }}, sqlite.Hooks{})
	m.place = storagetest.NewPlace("acme", "large", m.now)
	m.one = m.place.Value("one")
	for _, effect := range []vault.Effect{storagetest.Provision(), m.place.Open(), m.place.Tokenize(m.one)} {
		m.commit(effect)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, m.path, fmt.Sprintf(sqlManyMappings, m.many-1))
	m.Stores = m.Reopen()
	m.now = m.now.Add(time.Second)
	return m
}

func (m *manyMappings) commit(effect vault.Effect) string {
	m.Helper()
	change := storagetest.Change(m, "acme", effect)
	if _, err := m.Store.Commit(m.Context(), "acme", change); err != nil {
		m.Fatal(err)
	}
	return change.ID()
}

func (m *manyMappings) timed(what string, run func()) time.Duration {
	m.Helper()
	began := time.Now()
	run()
	took := time.Since(began)
	m.Logf("%d mappings: %s: %v", m.many, what, took.Round(10*time.Microsecond))
	return took
}

// plan says what may be swept, and must find so many mappings.
func (m *manyMappings) plan(want int) vault.Sweep {
	m.Helper()
	sweep, err := m.Registry.Expired(m.Context(), "acme", vault.SweepBatch)
	if err != nil || len(sweep.Mappings) != want {
		m.Errorf("%d mappings may be swept, want %d; %v", len(sweep.Mappings), want, err)
	}
	return sweep
}

// TestInvariant7_HoldOverMany places holds over very many mappings. It touches
// none of them, so it takes no longer than for one.
func TestInvariant7_HoldOverMany(t *testing.T) {
	m := newManyMappings(t)
	m.timed("close the scope, so that all of it is over", func() { m.commit(vault.CloseScope{ScopeID: m.place.Scope.ID}) })
	m.timed("sweep a batch where no hold stands", func() { m.commit(m.plan(vault.SweepBatch)) })
	for what, match := range map[string]vault.HoldMatch{
		"a scope":   {Scopes: []vault.Digest{m.place.Scope.Digest}},
		"an entity": {Entities: []string{m.one.Mapping.Entity}, Classes: []string{m.one.Mapping.Class}},
	} {
		hold, id := vault.Hold{Matter: "M-1", Reference: "R-1", Match: match}, ""
		if took := m.timed("place a hold on "+what, func() { id = m.commit(vault.PlaceHold{Hold: hold}) }); took > holdTime {
			t.Errorf("a hold on %s took %v, want at most %v", what, took, holdTime)
		}
		m.timed("count what a hold on "+what+" reaches", func() {
			reach, err := m.Custody.Reach(t.Context(), "acme", match)
			if want := m.many - vault.SweepBatch; must(t, reach.Mappings, err) != want {
				t.Errorf("a hold on %s reaches %d, want %d", what, reach.Mappings, want)
			}
		})
		m.now = m.now.Add(time.Second) // what ends in this instant is looked at again
		first := m.timed("plan a sweep where all is held", func() { m.plan(0) })
		if again := m.timed("plan it again", func() { m.plan(0) }); again > first/2 && !underRace {
			t.Errorf("planning again took %v, after %v: what is held is looked at with every plan", again, first)
		}
		m.timed("count all that there is", func() {
			all, err := m.Remains.Inventory(t.Context(), "acme")
			if want := m.many - vault.SweepBatch; must(t, len(all.Mappings), err) != 1 || all.Mappings[0].Held != want {
				t.Errorf("an inventory has %+v, want %d held", all.Mappings, want)
			}
		})
		m.timed("release it", func() { m.commit(vault.ReleaseHold{ID: id}) })
	}
	m.commit(vault.PlaceHold{Hold: vault.Hold{Matter: "M-2", Reference: "R-2", Match: vault.HoldMatch{
		Lookups: []vault.Digest{storagetest.Digest("another")}}}})
	m.timed("sweep a batch beside a hold", func() { m.commit(m.plan(vault.SweepBatch)) })
}
