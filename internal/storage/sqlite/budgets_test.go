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

// halfSpent commits two changes together: the first passes its second budget, when
// its first is counted already. It tells what is counted of that one.
func halfSpent(t *testing.T, h sqlite.Hooks) int {
	t.Helper()
	s := openAt(t, filepath.Join(t.TempDir(), "vault.db"), sqlite.Options{Clock: time.Now}, h)
	first, second := storagetest.Digest("first"), storagetest.Digest("second")
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", storagetest.Provision())); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	release := s.Hold()
	for i, tt := range []struct {
		spends []vault.Spend
		want   error
	}{
		{[]vault.Spend{{Key: first, Tokens: 2, Limit: 5}, {Key: second, Tokens: 2, Limit: 1}}, vault.ErrExhausted},
		{[]vault.Spend{{Key: first, Tokens: 1, Limit: 5}}, nil},
	} {
		change := storagetest.Change(t, "acme", vault.Restore{Spends: tt.spends})
		group.Go(func() {
			if _, err := s.Store.Commit(t.Context(), "acme", change); !errors.Is(err, tt.want) && h.Rewrite == nil {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
		for s.Waiting("acme") <= i {
			runtime.Gosched()
		}
	}
	release()
	group.Wait()
	spent, _, err := s.Proceedings.Spent(t.Context(), "acme", []vault.Digest{first})
	must(t, 0, err)
	return spent[0]
}

func TestInvariant17_WhatFailsInASharedCommitCountsNothing(t *testing.T) {
	if got := halfSpent(t, sqlite.Hooks{}); got != 1 {
		t.Errorf("%d tokens are counted, want 1", got)
	}
}

func TestInvariant17_TwinHalfSpent(t *testing.T) {
	h := sqlite.Hooks{Rewrite: strings.NewReplacer("ROLLBACK TO change", "SELECT 1").Replace}
	if got := halfSpent(t, h); got == 1 {
		t.Error("what failed was not taken back, and it was not seen")
	}
}
