package sqlite_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storagetest.Run(t, openWith(sqlite.Hooks{}))
}

// openWith opens stores with hooks for the suite.
func openWith(h sqlite.Hooks) storagetest.Open {
	return func(t testing.TB, clock func() time.Time) storagetest.Stores {
		return openAt(t, filepath.Join(t.TempDir(), "vault", "vault.db"), clock, h)
	}
}

func openAt(t testing.TB, path string, clock func() time.Time, h sqlite.Hooks) storagetest.Stores {
	t.Helper()
	var gate sync.RWMutex
	h.Gate = func() {
		gate.RLock()
		defer gate.RUnlock()
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.WithHooks(sqlite.Options{Clock: clock}, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return storagetest.Stores{
		Store: s, Ledger: s, Registry: s,
		Hold:    func() func() { gate.Lock(); return gate.Unlock },
		Waiting: s.Waiting,
		Close:   s.Close,
		Reopen:  func() storagetest.Stores { return openAt(t, path, clock, h) },
	}
}
