package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
)

// deletable makes a file with a proceeding of each kind, open and closed, and returns
// those that a statement deletes from it.
func deletable(t *testing.T, spoil ...string) (gone []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	must(t, 0, openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{}).Close())
	raw(t, path, append(spoil, `INSERT INTO tenants VALUES ('acme', 1)`)...)
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, 0, err)
	defer func() { must(t, 0, db.Close()) }()
	for _, kind := range []string{"approval", "restoration", "review", "suspension", "incident", "consent", "access_review", "policy", "evidence", "grant"} {
		for state, closed := range map[string]any{"standing": nil, "done": 2} {
			_, err := db.Exec(`INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, created_at, closed_at, body)
				VALUES ('acme', ?, ?, 1, ?, 'mia', '', 1, ?, x'7b7d')`, kind+" "+state, kind, state, closed)
			must(t, 0, err)
			if _, err := db.Exec(`DELETE FROM proceedings WHERE proceeding_id = ?`, kind+" "+state); err == nil {
				gone = append(gone, kind+" "+state)
			}
		}
	}
	return gone
}

// TestInvariant2_OnlyClosedGrantsAreDeleted: of all that people come back to grants that
// are closed alone can be deleted.
func TestInvariant2_OnlyClosedGrantsAreDeleted(t *testing.T) {
	if gone := deletable(t); len(gone) != 1 || gone[0] != "grant done" {
		t.Errorf("%q could be deleted", gone)
	}
}

// Twin: without the trigger all of it can be.
func TestInvariant2_TwinClosedGrants(t *testing.T) {
	if gone := deletable(t, "DROP TRIGGER proceedings_no_delete"); len(gone) != 20 {
		t.Errorf("%d could be deleted: the test would not have seen the trigger fall", len(gone))
	}
}
