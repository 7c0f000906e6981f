package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/migrations"
)

// TestMigrationOfGrants opens a file of the seventh schema: proceedings that stand
// stay as they are.
func TestMigrationOfGrants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, 0, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite)
	must(t, 0, err)
	_, err = p.UpTo(t.Context(), 7)
	must(t, 0, err)
	must(t, 0, db.Close())
	raw(t, path, `INSERT INTO tenants VALUES ('acme', 1)`,
		`INSERT INTO proceedings VALUES ('acme', 'one', 'suspension', 2, 'standing', 'mia', '', 5, 6, 7, NULL, CAST('{}' AS BLOB))`,
		`INSERT INTO proceedings VALUES ('acme', 'two', 'evidence', 3, 'done', 'max', 'ref', NULL, NULL, 8, 9, CAST('x' AS BLOB))`)
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	at := func(us int64) time.Time { return time.UnixMicro(us).UTC() }
	want := []vault.Proceeding{
		{ID: "two", Kind: vault.ProceedingEvidence, Revision: 3, State: vault.ProceedingDone, Actor: "max", SubjectRef: "ref",
			CreatedAt: at(8), ClosedAt: at(9), Body: []byte("x")},
		{ID: "one", Kind: vault.ProceedingSuspension, Revision: 2, State: vault.ProceedingStanding, Actor: "mia",
			DueAt: at(5), ExpiresAt: at(6), CreatedAt: at(7), Body: []byte("{}")},
	}
	found, err := s.Proceedings.Proceedings(t.Context(), "acme", vault.ProceedingQuery{})
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
	must(t, 0, s.Close())
	checkFile(t, path)
}

// BenchmarkLive measures what a flush of five tokens asks, beside a read of the
// five alone.
func BenchmarkLive(b *testing.B) {
	s := openAt(b, filepath.Join(b.TempDir(), "vault.db"), sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	do := func(c vault.Change) vault.Change {
		_, err := s.Store.Commit(b.Context(), "acme", c)
		must(b, 0, err)
		return c
	}
	p := storagetest.NewPlace("acme", "scope", time.Now())
	q := vault.LiveQuery{ScopeIDs: []string{p.Scope.ID, vault.NewID()}}
	var values []vault.NewMapping
	for range 5 {
		m := p.Value(vault.NewID())
		values, q.TokenIDs = append(values, m), append(q.TokenIDs, m.Mapping.TokenID)
	}
	for _, effect := range []vault.Effect{storagetest.Provision(), p.Open(), p.Tokenize(values...)} {
		do(storagetest.Change(b, "acme", effect))
	}
	q.GrantID = do(storagetest.Granting(b, "acme", p.Restore(values...), storagetest.Grant(time.Now().Add(time.Hour)))).ID()
	b.Run("flush", func(b *testing.B) {
		for b.Loop() {
			if live, err := s.Grants.Live(b.Context(), "acme", q); err != nil || len(live.Mappings) != 5 {
				b.Fatal(err)
			}
		}
	})
	b.Run("mappings", func(b *testing.B) {
		for b.Loop() {
			if m, err := s.Store.Mappings(b.Context(), "acme", vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: q.TokenIDs}); err != nil || len(m) != 5 {
				b.Fatal(err)
			}
		}
	})
}
