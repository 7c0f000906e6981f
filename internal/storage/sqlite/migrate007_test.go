package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/migrations"
)

// version6 makes a file of the sixth schema with logs of so many entries.
func version6(t *testing.T, path string, entries int, tenants ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, 0, err)
	defer func() { must(t, 0, db.Close()) }()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite)
	must(t, 0, err)
	_, err = p.UpTo(t.Context(), 6)
	must(t, 0, err)
	tx, err := db.Begin()
	must(t, 0, err)
	for _, tenant := range tenants {
		_, err = tx.Exec(`INSERT INTO tenants VALUES (?, 1)`, tenant)
		must(t, 0, err)
		for _, r := range storagetest.Version6(t, tenant, entries) {
			_, err = tx.Exec(`INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)`,
				tenant, r.Index, r.Leaf, r.LeafHash[:], r.Time.UnixMicro(), r.ChangeID, r.Seq)
			must(t, 0, err)
			for _, term := range r.Terms {
				_, err = tx.Exec(`INSERT INTO entry_terms VALUES (?, ?, ?, ?)`, tenant, string(term.Field), term.Value, r.Index)
				must(t, 0, err)
			}
		}
	}
	must(t, 0, tx.Commit())
}

// TestMigrationOfTerms opens a file of the sixth schema: the entries that stand are
// searched by what entries are searched by today.
func TestMigrationOfTerms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	entries := storagetest.Scale(400, 100_000)
	version6(t, path, entries, "acme", "globex")
	began := time.Now()
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	t.Logf("%d entries in %v", 2*entries, time.Since(began))
	must(t, 0, s.Close())
	v, err := sqlite.OpenReadOnly(t.Context(), path)
	must(t, 0, err)
	defer func() { must(t, 0, v.Close()) }()
	for _, tenant := range []string{"acme", "globex"} {
		storagetest.CheckRows(t, tenant, entries, func(from int64) ([]entryrow.Row, error) {
			return v.EntryRows(t.Context(), tenant, from, 0)
		})
	}
	checkFile(t, path)
}

// Twin: without the migration every row of then would be told from its leaf.
func TestTwinMigrationOfTerms(t *testing.T) {
	for _, r := range storagetest.Version6(t, "acme", 8) {
		// A count of failures has none of the fields that came later.
		if err := r.Check("acme"); (err == nil) != (r.Index == 6) {
			t.Errorf("row %d: %v", r.Index, err)
		}
	}
}
