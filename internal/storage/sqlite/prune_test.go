package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite/sqlitetest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// errTorn is how a statement breaks off where there is no disk any more.
var errTorn = errors.New("torn")

var o = sqlite.Options{Clock: time.Now}

// prunable makes a file of which a part may be pruned, and closes it.
func prunable(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	sqlitetest.Prepare(t, path)
	s := openAt(t, path, o, sqlite.Hooks{})
	storagetest.Pruned(t.Context(), t, s.Store, func(time.Duration) {})
	must(t, 0, s.Close())
	return path
}

// TestInvariant11_PruneFaults lets every statement of every batch fail, before it and
// after it: what there is then is whole batches, and pruning goes on from there.
func TestInvariant11_PruneFaults(t *testing.T) {
	what := storagetest.OfPruned(time.Now().Add(time.Minute))
	for step := 0; ; step++ {
		path, at := prunable(t), 0
		fail := func(text string) error {
			if text != "COMMIT" && !strings.Contains(text, "UPDATE entries") && !strings.Contains(text, "DELETE FROM entry_terms") {
				return nil
			}
			if at++; at == step+1 {
				return errTorn
			}
			return nil
		}
		p := openPruner(t, path, o, sqlite.Hooks{Before: fail, After: fail})
		_, err := p.Prune(t.Context(), "acme", what)
		must(t, 0, p.Close())
		if at <= step {
			if err != nil || step < 12 {
				t.Errorf("after %d steps: %v", step, err)
			}
			return
		}
		if !errors.Is(err, errTorn) {
			t.Fatalf("step %d: %v", step, err)
		}
		out := prunedOf(t, path)
		if len(out)%storagetest.PrunesAtOnce != 0 || !slices.Equal(out, storagetest.EverOfPruned[:len(out)]) {
			t.Errorf("step %d: %v are out, which is not whole batches", step, out)
		}
		p = openPruner(t, path, o, sqlite.Hooks{})
		n, err := p.Prune(t.Context(), "acme", what)
		must(t, 0, p.Close())
		if err != nil || len(out)+int(n) != len(storagetest.EverOfPruned) {
			t.Errorf("step %d: %d were out, then %d went, %v", step, len(out), n, err)
		}
		prunedOf(t, path)
		checkFile(t, path)
	}
}

// prunedOf reads which leaves are out, and whether what is left is what it says.
func prunedOf(t *testing.T, path string) (out []int64) {
	t.Helper()
	v, err := sqlite.OpenReadOnly(t.Context(), path)
	must(t, 0, err)
	defer func() { must(t, 0, v.Close()) }()
	storagetest.CheckRows(t, "acme", 23, func(from int64) ([]entryrow.Row, error) {
		return v.EntryRows(t.Context(), "acme", from, 0)
	})
	for _, e := range storagetest.LogOf(t.Context(), t, v, "acme") {
		if e.Leaf == nil {
			out = append(out, e.Index)
		}
	}
	return out
}

// TestInvariant11_WhatWasChangedIsNotPruned: a leaf that is not what was hashed is for
// an auditor to see.
func TestInvariant11_WhatWasChangedIsNotPruned(t *testing.T) {
	for name, text := range map[string]string{
		"leaf": "UPDATE entries SET leaf = CAST(replace(leaf, 'ann', 'eve') AS BLOB) WHERE tenant = 'acme' AND idx = 9",
		"time": "UPDATE entries SET time = time - 1 WHERE tenant = 'acme' AND idx = 9",
		"term": "UPDATE entry_terms SET term = 'eve' WHERE tenant = 'acme' AND idx = 9 AND field = 'actor'",
		"kind": "UPDATE entry_terms SET term = 'outcome' WHERE tenant = 'acme' AND idx = 8 AND field = 'kind'",
	} {
		t.Run(name, func(t *testing.T) {
			path := prunable(t)
			raw(t, path, "DROP TRIGGER entries_no_update", "DROP TRIGGER entry_terms_no_update", text)
			n, err := openPruner(t, path, o, sqlite.Hooks{}).Prune(t.Context(), "acme", storagetest.OfPruned(time.Now().Add(time.Minute)))
			if !errors.Is(err, entryrow.ErrColumn) || n != storagetest.PrunesAtOnce {
				t.Errorf("%d leaves went, %v; want the batch before it, and ErrColumn", n, err)
			}
		})
	}
}

// TestPrunerIsAlone: a file that a service has is not pruned, and none is made.
func TestPrunerIsAlone(t *testing.T) {
	path := prunable(t)
	s := openAt(t, path, o, sqlite.Hooks{})
	if _, err := sqlite.OpenPruner(t.Context(), path, o); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("beside a service: %v", err)
	}
	must(t, 0, s.Close())
	p := openPruner(t, path, o, sqlite.Hooks{})
	if _, err := sqlite.Open(t.Context(), path, o); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("a service beside it: %v", err)
	}
	must(t, 0, p.Close())
	if _, err := sqlite.OpenPruner(t.Context(), path+".none", o); err == nil {
		t.Error("a file was made")
	}
}

// changesOfTheLog are what the triggers let nobody do, whatever an entry says.
var changesOfTheLog = []string{
	"UPDATE entries SET leaf = CAST('{}' AS BLOB) WHERE idx = 4", "UPDATE entries SET leaf = leaf WHERE idx = 4",
	"UPDATE entries SET leaf = NULL, leaf_hash = zeroblob(32) WHERE idx = 4", "UPDATE entries SET leaf = NULL, time = time + 1 WHERE idx = 4",
	"UPDATE entries SET leaf = NULL, change_id = 'x' WHERE idx = 4", "UPDATE entries SET leaf = NULL, seq = 7 WHERE idx = 4",
	"UPDATE entries SET leaf = NULL, idx = 100 WHERE idx = 4", "UPDATE entries SET leaf = NULL, tenant = 'x' WHERE idx = 4",
	"UPDATE entries SET leaf = NULL WHERE tenant = 'globex'", // where no entry says so
	"DELETE FROM entries WHERE idx = 4", "DELETE FROM entry_terms WHERE idx = 4", "UPDATE entry_terms SET term = 'x' WHERE idx = 4",
	"UPDATE log_nodes SET hash = zeroblob(32)", "DELETE FROM log_nodes",
}

func TestInvariant11_OnlyLeavesArePruned(t *testing.T) {
	path := prunable(t)
	refused := func() (n int) {
		db, err := sql.Open("sqlite", "file:"+path)
		must(t, 0, err)
		defer func() { must(t, 0, db.Close()) }()
		for _, text := range changesOfTheLog {
			tx, err := db.Begin()
			must(t, 0, err)
			if _, err := tx.Exec(text); err != nil && strings.Contains(err.Error(), "are never") {
				n++
			}
			must(t, 0, tx.Rollback())
		}
		return n
	}
	if n := refused(); n != len(changesOfTheLog) {
		t.Errorf("%d of %d changes are refused", n, len(changesOfTheLog))
	}
	raw(t, path, "UPDATE entries SET leaf = NULL WHERE tenant = 'acme' AND idx = 4", "DELETE FROM entry_terms WHERE tenant = 'acme' AND idx = 4")
	// Twin: without the guards all of it is done.
	raw(t, path, "DROP TRIGGER entries_no_update", "DROP TRIGGER entries_no_delete", "DROP TRIGGER entry_terms_no_update",
		"DROP TRIGGER entry_terms_no_delete", "DROP TRIGGER log_nodes_no_update", "DROP TRIGGER log_nodes_no_delete")
	if n := refused(); n != 0 {
		t.Errorf("twin: %d changes are refused by something else", n)
	}
}
