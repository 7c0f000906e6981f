package postgres_test

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(pgtest.Main(m))
}

func TestContract(t *testing.T) {
	storagetest.Run(t, openWith(postgres.Config{}, postgres.Hooks{}))
}

// openWith opens stores with a configuration and hooks for the suite, each on
// a database of its own.
func openWith(c postgres.Config, h postgres.Hooks) storagetest.Open {
	return func(t testing.TB, clock func() time.Time) storagetest.Stores {
		c.Clock = clock
		return openAt(t, pgtest.New(t), c, h)
	}
}

func openAt(t testing.TB, db *pgtest.Database, c postgres.Config, h postgres.Hooks) storagetest.Stores {
	t.Helper()
	var gate sync.RWMutex
	h.Gate = func() {
		gate.RLock()
		defer gate.RUnlock()
	}
	if c.AppDSN == "" {
		c.AppDSN, c.DestroyDSN = db.App, db.Destroy
	}
	s, err := postgres.Open(t.Context(), postgres.WithHooks(c, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return storagetest.Stores{
		Store: s, Ledger: s, Books: s, Registry: s, Custody: s, Erasures: s, Requests: s, Remains: s,
		Proceedings: s, Outbox: s, Grants: s,
		Hold:    func() func() { gate.Lock(); return gate.Unlock },
		Waiting: s.Waiting,
		Close:   s.Close,
		Pruner: func() (vault.Pruner, func() error) {
			p := openPruner(t, db, h)
			return p, p.Close
		},
		Reopen: func() storagetest.Stores { return openAt(t, db, c, h) },
	}
}

func openPruner(t testing.TB, db *pgtest.Database, h postgres.Hooks) *postgres.Pruner {
	t.Helper()
	h.Prunes = storagetest.PrunesAtOnce
	p, err := postgres.OpenPruner(t.Context(), db.Owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return postgres.WithPruneHooks(p, h)
}
