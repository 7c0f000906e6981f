package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// TestNoticesOutliveFaults: whatever goes wrong while a notice is taken, put off
// or settled, it is there again once its lease is over, or was settled.
func TestNoticesOutliveFaults(t *testing.T) {
	for name, before := range map[string]bool{"failed": true, "failed but done": false} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			spoil := func(here bool) func(string) error {
				return func(text string) error {
					if here && broken.Load() && strings.Contains(text, " notices ") {
						return errInjected
					}
					return nil
				}
			}
			now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
			db := pgtest.New(t)
			s := openAt(t, db, postgres.Config{Clock: func() time.Time { return now }}, postgres.Hooks{Before: spoil(before), After: spoil(!before)})
			seed(t, s, "acme")
			change := storagetest.Change(t, "acme", vault.Record{}).Notifying("restore", []byte(`{"n":1}`))
			if _, err := s.Store.Commit(t.Context(), "acme", change); err != nil {
				t.Fatal(err)
			}
			taken := func() int {
				t.Helper()
				now = now.Add(time.Hour)
				notices, err := s.Outbox.TakeNotices(t.Context(), "acme", 10, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				return len(notices)
			}
			for what, do := range map[string]func() error{
				"take": func() error {
					_, err := s.Outbox.TakeNotices(t.Context(), "acme", 10, time.Minute)
					return err
				},
				"postpone": func() error { return s.Outbox.PostponeNotice(t.Context(), "acme", change.ID(), now) },
			} {
				broken.Store(true)
				if err := do(); !errors.Is(err, vault.ErrUnavailable) {
					t.Errorf("%s: got %v, want an unavailable store", what, err)
				}
				broken.Store(false)
				if n := taken(); n != 1 {
					t.Errorf("after %s: %d notices are there, want 1", what, n)
				}
			}
			broken.Store(true)
			if err := s.Outbox.SettleNotice(t.Context(), "acme", change.ID()); !errors.Is(err, vault.ErrUnavailable) {
				t.Errorf("settle: got %v, want an unavailable store", err)
			}
			broken.Store(false)
			if n := taken(); (n == 1) != before {
				t.Errorf("after settle: %d notices are there", n)
			}
		})
	}
}

// TestNoticesAreRefused: without a lease two replicas would have the same, and a
// store that is closed, or a caller who has gone, has none.
func TestNoticesAreRefused(t *testing.T) {
	s := openAt(t, pgtest.New(t), postgres.Config{}, postgres.Hooks{})
	seed(t, s, "acme")
	if _, err := s.Outbox.TakeNotices(t.Context(), "acme", 10, 0); !errors.Is(err, postgres.ErrMalformed) {
		t.Errorf("without a lease: %v", err)
	}
	if err := s.Outbox.PostponeNotice(t.Context(), "acme", "x", time.Time{}); !errors.Is(err, postgres.ErrMalformed) {
		t.Errorf("until no time: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Outbox.SettleNotice(gone, "acme", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("of who has gone: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Outbox.TakeNotices(t.Context(), "acme", 10, time.Minute); !errors.Is(err, vault.ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
	if _, err := s.Proceedings.ForgetSpent(t.Context(), "acme", 10); !errors.Is(err, vault.ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
}
