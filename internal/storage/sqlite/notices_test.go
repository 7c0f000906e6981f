package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// TestNoticesAreTakenWhole fails each statement of taking: whoever is told of an
// error has none of them, and nobody has one twice within a lease.
func TestNoticesAreTakenWhole(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at, count := 0, 0
	harm := func(before bool) func(string) error {
		return func(string) error {
			if before {
				count++
			}
			if at != 0 && count == (at+1)/2 && before == (at%2 == 1) {
				return errInjected
			}
			return nil
		}
	}
	s := openAt(t, filepath.Join(t.TempDir(), "vault.db"), sqlite.Options{Clock: func() time.Time { return now }},
		sqlite.Hooks{Before: harm(true), After: harm(false)})
	commit := func(c vault.Change) {
		t.Helper()
		if _, err := s.Store.Commit(t.Context(), "acme", c); err != nil {
			t.Fatal(err)
		}
	}
	commit(storagetest.Change(t, "acme", storagetest.Provision()))
	const told = 3
	for range told {
		commit(storagetest.Change(t, "acme", vault.Record{}).Notifying("suspend", []byte(`{}`)))
	}
	take := func() (int, error) {
		count = 0
		got, err := s.Outbox.TakeNotices(t.Context(), "acme", told, time.Minute)
		return len(got), err
	}
	n, err := take()
	if must(t, n, err) != told {
		t.Fatalf("%d notices were taken", n)
	}
	steps, persisted := count, 0
	for broken := 1; broken <= 2*steps; broken++ {
		now = now.Add(time.Minute)
		at = broken
		n, err := take()
		if !errors.Is(err, vault.ErrUnavailable) || n != 0 {
			t.Errorf("broken at %d of %d: %d notices and %v", broken, 2*steps, n, err)
		}
		at = 0
		switch n, err = take(); {
		case must(t, n, err) == 0:
			persisted++ // they are given out again after the lease
		case n != told:
			t.Errorf("broken at %d of %d: of %d notices %d are left", broken, 2*steps, told, n)
		}
	}
	// Only after COMMIT they are put off.
	if persisted != 1 {
		t.Errorf("%d faults of %d put notices off, want 1", persisted, 2*steps)
	}
}
