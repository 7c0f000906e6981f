package sqlite_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite/sqlitetest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		os.Exit(child(path))
	}
	goleak.VerifyTestMain(m)
}

func TestContract(t *testing.T) {
	storagetest.Run(t, openWith(sqlite.Options{}, sqlite.Hooks{}))
}

// openWith opens stores with options and hooks for the suite.
func openWith(o sqlite.Options, h sqlite.Hooks) storagetest.Open {
	return func(t testing.TB, clock func() time.Time) storagetest.Stores {
		o.Clock = clock
		path := filepath.Join(t.TempDir(), "vault", "vault.db")
		sqlitetest.Prepare(t, path)
		return openAt(t, path, o, h)
	}
}

func openAt(t testing.TB, path string, o sqlite.Options, h sqlite.Hooks) storagetest.Stores {
	t.Helper()
	var gate sync.RWMutex
	h.Gate = func() {
		gate.RLock()
		defer gate.RUnlock()
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.WithHooks(o, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return storagetest.Stores{
		Store: s, Ledger: s, Books: s, Registry: s, Custody: s, Erasures: s, Requests: s, Remains: s, Proceedings: s, Outbox: s,
		Grants:  s,
		Hold:    func() func() { gate.Lock(); return gate.Unlock },
		Waiting: s.Waiting,
		Close:   s.Close,
		Pruner: func() (vault.Pruner, func() error) {
			p := openPruner(t, path, o, h)
			return p, p.Close
		},
		Reopen: func() storagetest.Stores { return openAt(t, path, o, h) },
	}
}

func openPruner(t testing.TB, path string, o sqlite.Options, h sqlite.Hooks) *sqlite.Pruner {
	t.Helper()
	h.Prunes = storagetest.PrunesAtOnce
	p, err := sqlite.OpenPruner(t.Context(), path, sqlite.WithHooks(o, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}
