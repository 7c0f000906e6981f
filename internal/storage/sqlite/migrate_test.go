package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/migrations"
)

// TestMigrationOfHolds opens a file of the third schema, whose holds and
// tombstones say less than those of today.
func TestMigrationOfHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, 0, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite)
	must(t, 0, err)
	_, err = p.UpTo(t.Context(), 3)
	must(t, 0, err)
	must(t, 0, db.Close())
	raw(t, path, `INSERT INTO tenants VALUES ('acme', 1)`,
		`INSERT INTO holds VALUES ('acme', 'h1', 'M-1', 'R-1', 'c', 0, 1, 0, 1, 0, 7, 9223372036854775807, 1, NULL, 5, NULL)`,
		`INSERT INTO holds VALUES ('acme', 'h2', 'M-2', 'R-2', '', 0, 0, 0, 0, 0, 0, 9, 0, 8, 6, 7)`,
		`INSERT INTO hold_terms VALUES ('acme', 'h1', 'entity', CAST('PERSON' AS BLOB)), ('acme', 'h1', 'lookup', zeroblob(32))`,
		`INSERT INTO erasures VALUES ('acme', 'e', NULL, 's', 'R-7', 'gdpr', 'm', 'r', 'v', 1, 'completed', 2, 2, 1, 0, 0, 1, 0)`,
		`INSERT INTO tombstones VALUES ('acme', 'k', 'e', 2, NULL)`)
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	at := func(us int64) time.Time { return time.UnixMicro(us).UTC() }
	holds, err := s.Custody.Holds(t.Context(), "acme", vault.HoldQuery{})
	must(t, 0, err)
	want := []vault.Hold{
		{ID: "h2", Matter: "M-2", Reference: "R-2", Match: vault.HoldMatch{To: at(9)}, ReviewBy: at(8), CreatedAt: at(6), ReleasedAt: at(7)},
		{ID: "h1", Matter: "M-1", Reference: "R-1", Custodian: "c", ExistingOnly: true, CreatedAt: at(5),
			Match: vault.HoldMatch{Lookups: []vault.Digest{{}}, Entities: []string{"PERSON"}, From: at(7)}},
	}
	if diff := cmp.Diff(want, holds); diff != "" {
		t.Error(diff)
	}
	// Nobody knows what wrapped a key of then, or whether it sealed what stayed.
	buried, err := s.Remains.Tombstones(t.Context(), "acme", vault.TombstoneQuery{})
	must(t, 0, err)
	if diff := cmp.Diff([]vault.Tombstone{{KeyID: "k", ErasureID: "e", At: at(2), Rekeyed: true}}, buried); diff != "" {
		t.Error(diff)
	}
	must(t, 0, s.Close())
	checkFile(t, path)
}
