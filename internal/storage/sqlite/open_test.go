package sqlite_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Clock: time.Now}); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("a second one: got %v, want ErrLocked", err)
	}
	// The first is none the worse for it.
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", storagetest.Provision())); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Reopen().Close(); err != nil {
		t.Errorf("after it was closed: %v", err)
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by the store?#%20")
	path := filepath.Join(dir, "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", storagetest.Provision())); err != nil {
		t.Fatal(err)
	}
	modes := func() map[string]fs.FileMode {
		got := make(map[string]fs.FileMode)
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			if info, err := os.Stat(path + suffix); err == nil {
				got[suffix] = info.Mode().Perm()
			}
		}
		return got
	}
	want := map[string]fs.FileMode{"": 0o600, "-wal": 0o600, "-shm": 0o600, ".lock": 0o600}
	if diff := cmp.Diff(want, modes()); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Reopen()
	if diff := cmp.Diff(want, modes()); diff != "" {
		t.Errorf("opened to others, then opened again: %s", diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "a.db"), sqlite.Options{}); err == nil {
		t.Error("a store without a clock was opened")
	}
	if _, err := sqlite.OpenReadOnly(t.Context(), filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a database that does not exist: got %v", err)
	}
	noise := filepath.Join(dir, "noise.db")
	if err := os.WriteFile(noise, []byte("this is no database, though it is as long as a header of one must be, and longer than that"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	if err := openAt(t, newer, sqlite.Options{Clock: time.Now}, sqlite.Hooks{}).Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	for _, path := range []string{noise, newer} {
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{Clock: time.Now}); err == nil {
			t.Errorf("%s was opened", path)
		} else if path == newer && !errors.Is(err, sqlite.ErrSchema) {
			t.Errorf("%s: got %v, want ErrSchema", path, err)
		}
	}
	for _, path := range []string{noise, newer, empty} {
		if _, err := sqlite.OpenReadOnly(t.Context(), path); err == nil {
			t.Errorf("%s was opened for reading", path)
		}
	}
}

// raw runs statements on a database as its owner can.
func raw(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, 0, db.Close()) }()
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// TestReadOnlyView reads while the store is open, after it was closed, and
// after it was killed.
func TestReadOnlyView(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	commit := func(effect vault.Effect) {
		t.Helper()
		if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	commit(storagetest.Provision())
	p := storagetest.NewPlace("acme", "scope", time.Now())
	commit(p.Open())
	commit(p.Tokenize(p.Value("a"), p.Value("b")))
	killed := filepath.Join(t.TempDir(), "vault.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err == nil {
			err = os.WriteFile(killed+suffix, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(path string) {
		t.Helper()
		v, err := sqlite.OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Tenants(t.Context()); err != nil {
			t.Error(err)
		}
		rows, err := v.EntryRows(t.Context(), "acme", 0, 0)
		if n := must(t, len(rows), err); n != 3 {
			t.Errorf("%d entries, want 3", n)
		}
		if err := errors.Join(v.Close(), v.Close()); err != nil {
			t.Error(err)
		}
		if _, err := v.Tenants(t.Context()); !errors.Is(err, vault.ErrClosed) {
			t.Errorf("a closed view: %v", err)
		}
	}
	t.Run("while it is open", func(*testing.T) { look(path) })
	t.Run("killed", func(*testing.T) { look(killed) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("closed", func(*testing.T) { look(path) })
	if err := s.Reopen().Registry.Ready(t.Context()); err != nil {
		t.Errorf("after others have read it: %v", err)
	}
}

// TestInvariant11_EntriesStay: the tables themselves refuse to change what was
// logged, to everyone who has not first taken the triggers away.
func TestInvariant11_EntriesStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	for _, effect := range []vault.Effect{storagetest.Provision(), vault.Record{}, vault.Record{}} {
		if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, 0, db.Close()) }()
	for _, text := range []string{
		`UPDATE entries SET time = time + 1`, `UPDATE entries SET leaf = NULL`, `DELETE FROM entries WHERE idx = 2`,
		`UPDATE entry_terms SET term = 'another'`, `DELETE FROM entry_terms`,
		`UPDATE log_nodes SET hash = zeroblob(32)`, `DELETE FROM log_nodes`,
		`INSERT OR REPLACE INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq)
			SELECT tenant, 1, leaf, leaf_hash, time, 'another', 0 FROM entries WHERE idx = 2`,
		`INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq)
			SELECT tenant, 7, leaf, leaf_hash, time, 'another', 0 FROM entries WHERE idx = 2`,
	} {
		if _, err := db.Exec(text); err == nil {
			t.Errorf("taken: %s", text)
		}
	}
	storagetest.CheckLog(t.Context(), t, s.Ledger, "acme")
}

// TestEntryRows: rows come in pages, and say what their leaves say. The twin
// changes one thing at a time, and the check names it.
func TestEntryRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	p := storagetest.NewPlace("acme", "scope", time.Now())
	m := p.Value("v")
	for _, effect := range []vault.Effect{storagetest.Provision(), p.Open(), p.Tokenize(m, p.Value("w")), p.Restore(m), vault.Record{}} {
		if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	v, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, 0, v.Close()) }()
	all, err := v.EntryRows(t.Context(), "acme", 0, 0)
	if n := must(t, len(all), err); n != 5 {
		t.Fatalf("%d rows, want 5", n)
	}
	var paged []entryrow.Row
	for {
		page, err := v.EntryRows(t.Context(), "acme", int64(len(paged)), 2)
		if must(t, len(page), err) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	if diff := cmp.Diff(all, paged); diff != "" {
		t.Errorf("in pages: %s", diff)
	}
	for i := range all {
		if err := all[i].Check("acme"); err != nil {
			t.Error(err)
		}
	}
	if len(all[2].Terms) != 5 { // actor, decision, kind, two tokens
		t.Errorf("terms of a tokenize: %v", all[2].Terms)
	}
	for name, change := range map[string]func(*entryrow.Row){
		"leaf":         func(r *entryrow.Row) { r.Leaf = append([]byte(" "), r.Leaf...) },
		"other leaf":   func(r *entryrow.Row) { r.Leaf = all[3].Leaf },
		"pruned leaf":  func(r *entryrow.Row) { r.Leaf = nil },
		"leaf_hash":    func(r *entryrow.Row) { r.LeafHash = audit.Hash{} },
		"time":         func(r *entryrow.Row) { r.Time = r.Time.Add(time.Microsecond) },
		"change_id":    func(r *entryrow.Row) { r.ChangeID = vault.NewID() },
		"seq":          func(r *entryrow.Row) { r.Seq++ },
		"term missing": func(r *entryrow.Row) { r.Terms = r.Terms[1:] },
		"no terms":     func(r *entryrow.Row) { r.Terms = nil },
		"term changed": func(r *entryrow.Row) {
			r.Terms = append([]entryrow.Term{{Field: entryrow.FieldActor, Value: "x"}}, r.Terms[1:]...)
		},
	} {
		row := all[2]
		change(&row)
		if err := row.Check("acme"); !errors.Is(err, entryrow.ErrColumn) {
			t.Errorf("%s: got %v, want ErrColumn", name, err)
		}
	}
	if err := all[2].Check("Acme"); !errors.Is(err, entryrow.ErrColumn) {
		t.Errorf("tenant: got %v, want ErrColumn", err)
	}
}

// TestMigration opens a file of the first schema, with something in it.
func TestMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	p := storagetest.NewPlace("acme", "scope", time.Now())
	m := p.Value("v")
	for _, effect := range []vault.Effect{storagetest.Provision(), p.Open(), p.Tokenize(m)} {
		if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	must(t, 0, s.Close())
	raw(t, path, `DROP TABLE grant_uses`, `DROP INDEX mappings_alive`, `DROP TABLE notices`, `DROP TABLE budget_hours`, `DROP TABLE proceedings`,
		`DROP TABLE suppressions`, `DROP TABLE erasure_common`, `DROP TABLE erasure_destinations`, `DROP TABLE mapping_destinations`,
		`DROP TABLE subject_request_notes`, `DROP TABLE subject_request_lookups`, `DROP TABLE subject_requests`,
		`ALTER TABLE log_heads DROP COLUMN retired_below`, `ALTER TABLE tenant_keys DROP COLUMN handover`,
		`DROP TABLE tombstones`, `DROP TABLE erasures`, `DROP TABLE hold_terms`, `DROP TABLE holds`, `DROP INDEX scopes_digest`,
		`DELETE FROM goose_db_version WHERE version_id > 1`)
	if _, err := sqlite.OpenReadOnly(t.Context(), path); !errors.Is(err, sqlite.ErrSchema) {
		t.Errorf("for reading: got %v, want ErrSchema", err)
	}
	s = s.Reopen()
	hold := vault.PlaceHold{Hold: vault.Hold{Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{Scopes: []vault.Digest{p.Scope.Digest}}}}
	for _, effect := range []vault.Effect{p.Restore(m), hold} {
		if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Error(err)
		}
	}
	_, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}}))
	if !errors.Is(err, vault.ErrHeld) {
		t.Errorf("got %v, want ErrHeld: what was there before is not held", err)
	}
}
