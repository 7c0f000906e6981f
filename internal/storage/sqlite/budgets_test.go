package sqlite_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// together commits changes of a new tenant in one batch, in order.
func together(t *testing.T, h sqlite.Hooks, changes ...vault.Change) (storagetest.Stores, []error) {
	t.Helper()
	s := openAt(t, filepath.Join(t.TempDir(), "vault.db"), sqlite.Options{Clock: time.Now}, h)
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", storagetest.Provision())); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(changes))
	var group sync.WaitGroup
	release := s.Hold()
	for i, c := range changes {
		group.Go(func() { _, errs[i] = s.Store.Commit(t.Context(), "acme", c) })
		for s.Waiting("acme") <= i {
			runtime.Gosched()
		}
	}
	release()
	group.Wait()
	return s, errs
}

// halfSpent commits two changes together: the first passes its second budget, when
// its first is counted already. It tells what is counted of that one.
func halfSpent(t *testing.T, h sqlite.Hooks) (int, []error) {
	t.Helper()
	first, second := storagetest.Digest("first"), storagetest.Digest("second")
	s, errs := together(t, h,
		storagetest.Change(t, "acme", vault.Restore{Spends: []vault.Spend{{Key: first, Tokens: 2, Limit: 5}, {Key: second, Tokens: 2, Limit: 1}}}),
		storagetest.Change(t, "acme", vault.Restore{Spends: []vault.Spend{{Key: first, Tokens: 1, Limit: 5}}}))
	spent, _, err := s.Proceedings.Spent(t.Context(), "acme", []vault.Digest{first})
	must(t, 0, err)
	return spent[0], errs
}

func TestInvariant17_WhatFailsInASharedCommitCountsNothing(t *testing.T) {
	got, errs := halfSpent(t, sqlite.Hooks{})
	if got != 1 || !errors.Is(errs[0], vault.ErrExhausted) || errs[1] != nil {
		t.Errorf("%d tokens are counted, want 1; %v", got, errs)
	}
}

func TestInvariant17_TwinHalfSpent(t *testing.T) {
	h := sqlite.Hooks{Rewrite: strings.NewReplacer("ROLLBACK TO change", "SELECT 1").Replace}
	if got, _ := halfSpent(t, h); got == 1 {
		t.Error("what failed was not taken back, and it was not seen")
	}
}

// TestInvariant15_SuspensionBesidesARestoration: one that a restoration opens
// besides stops those that come after it in the same commit, though what stood was
// read before.
func TestInvariant15_SuspensionBesidesARestoration(t *testing.T) {
	scope := storagetest.NewPlace("acme", "scope", time.Now())
	restore := vault.Restore{Names: []vault.NameRef{{ScopeID: scope.Scope.ID, KeyID: scope.Key.ID}}}
	s, errs := together(t, sqlite.Hooks{}, storagetest.Change(t, "acme", scope.Open()), storagetest.Change(t, "acme", restore),
		storagetest.Change(t, "acme", restore).Opening(suspend(t, vault.SuspensionMatch{}).Proceeding), storagetest.Change(t, "acme", restore))
	if errs[0] != nil || errs[1] != nil || errs[2] != nil || !errors.Is(errs[3], vault.ErrConflict) {
		t.Errorf("got %v, want the last refused", errs)
	}
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", restore)); !errors.Is(err, vault.ErrConflict) {
		t.Errorf("in the next commit: got %v", err)
	}
}
