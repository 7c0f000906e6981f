package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// errTorn is how a server breaks off that is killed.
var errTorn = errors.New("torn")

// TestInvariant11_PruneFaults lets every statement of every batch fail, before it and
// after it: what there is then is whole batches, and pruning goes on from there.
func TestInvariant11_PruneFaults(t *testing.T) {
	for step := 0; ; step++ {
		db := pgtest.New(t)
		s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
		storagetest.Pruned(t.Context(), t, s.Store, func(time.Duration) {})
		what := storagetest.OfPruned(time.Now().Add(time.Minute))
		at := 0
		fail := func(string) error {
			if at++; at == step+1 {
				return errTorn
			}
			return nil
		}
		p := openPruner(t, db, postgres.Hooks{Before: writes(fail), After: writes(fail)})
		_, err := p.Prune(t.Context(), "acme", what)
		if at <= step {
			if err != nil || step < 12 {
				t.Errorf("after %d steps: %v", step, err)
			}
			return
		}
		if !errors.Is(err, errTorn) {
			t.Fatalf("step %d: %v", step, err)
		}
		var out []int64
		for _, e := range storagetest.LogOf(t.Context(), t, s.Ledger, "acme") {
			if e.Leaf == nil {
				out = append(out, e.Index)
			}
		}
		if len(out)%storagetest.PrunesAtOnce != 0 || !slices.Equal(out, storagetest.EverOfPruned[:len(out)]) {
			t.Errorf("step %d: %v are out, which is not whole batches", step, out)
		}
		checkRows(t, db)
		n, err := openPruner(t, db, postgres.Hooks{}).Prune(t.Context(), "acme", what)
		if err != nil || len(out)+int(n) != len(storagetest.EverOfPruned) {
			t.Errorf("step %d: %d were out, then %d went, %v", step, len(out), n, err)
		}
		checkRows(t, db)
	}
}

// writes lets a fault meet what changes something, and what ends it.
func writes(fail func(string) error) func(string) error {
	return func(text string) error {
		if text == "COMMIT" || strings.Contains(text, "UPDATE entries") || strings.Contains(text, "DELETE FROM entry_terms") {
			return fail(text)
		}
		return nil
	}
}

func checkRows(t *testing.T, db *pgtest.Database) {
	t.Helper()
	v, err := postgres.OpenReadOnly(t.Context(), db.Audit)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	storagetest.CheckRows(t, "acme", 23, func(from int64) ([]entryrow.Row, error) {
		return v.EntryRows(t.Context(), "acme", from, 0)
	})
}

// TestInvariant11_WhatWasChangedIsNotPruned: a leaf that is not what was hashed is for
// an auditor to see.
func TestInvariant11_WhatWasChangedIsNotPruned(t *testing.T) {
	for name, text := range map[string]string{
		"leaf": "UPDATE entries SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'ann', 'eve'), 'UTF8') WHERE tenant = 'acme' AND idx = 9",
		"time": "UPDATE entries SET time = time - 1 WHERE tenant = 'acme' AND idx = 9",
		"term": "UPDATE entry_terms SET term = 'eve' WHERE tenant = 'acme' AND idx = 9 AND field = 'actor'",
		"kind": "UPDATE entry_terms SET term = 'outcome' WHERE tenant = 'acme' AND idx = 8 AND field = 'kind'",
	} {
		t.Run(name, func(t *testing.T) {
			db := pgtest.New(t)
			s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
			storagetest.Pruned(t.Context(), t, s.Store, func(time.Duration) {})
			admin := connect(t, db.Admin)
			admin.do("SET session_replication_role = replica")
			admin.do(text)
			n, err := openPruner(t, db, postgres.Hooks{}).Prune(t.Context(), "acme", storagetest.OfPruned(time.Now().Add(time.Minute)))
			if !errors.Is(err, entryrow.ErrColumn) || n != storagetest.PrunesAtOnce {
				t.Errorf("%d leaves went, %v; want the batch before it, and ErrColumn", n, err)
			}
		})
	}
}

// TestPrunerIsTheOwner: whoever is not the owner prunes nothing.
func TestPrunerIsTheOwner(t *testing.T) {
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	storagetest.Pruned(t.Context(), t, s.Store, func(time.Duration) {})
	for _, dsn := range []string{db.App, db.Destroy, db.Audit} {
		as := *db
		as.Owner = dsn
		n, err := openPruner(t, &as, postgres.Hooks{}).Prune(t.Context(), "acme", storagetest.OfPruned(time.Now().Add(time.Minute)))
		if err == nil || n != 0 {
			t.Errorf("%d leaves went, %v", n, err)
		}
	}
}
