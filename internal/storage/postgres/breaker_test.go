package postgres_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// muffler makes connections that can be silenced: what is said is swallowed on
// its way, so that no answer comes. It counts what is said.
type muffler struct{ on, said atomic.Int64 }

func (m *muffler) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	return &muffledConn{conn, m}, err
}

type muffledConn struct {
	net.Conn
	m *muffler
}

func (c *muffledConn) Write(b []byte) (int, error) {
	c.m.said.Add(1)
	if c.m.on.Load() != 0 {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// muffled is a store with a tenant whose server can be silenced.
func muffled(t *testing.T, skip string) (*postgres.Store, *muffler) {
	t.Helper()
	db, m := pgtest.New(t), &muffler{}
	s, err := postgres.Open(t.Context(), postgres.WithHooks(
		postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy},
		postgres.Hooks{Dial: m.dial, Skip: func(guard string) bool { return guard == skip }}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", storagetest.Provision())); err != nil {
		t.Fatal(err)
	}
	return s, m
}

// missed has several readers wait for an answer for so long, in vain.
func missed(t *testing.T, s *postgres.Store, patience time.Duration) {
	t.Helper()
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, err := s.TenantKeys(ctx, "acme"); err == nil {
				t.Error("a silent server answered")
			}
		})
	}
	readers.Wait()
}

// uses are the ways to need the server.
func uses(t *testing.T, s *postgres.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"a read": func(ctx context.Context) error { _, err := s.TenantKeys(ctx, "acme"); return err },
		"a commit": func(ctx context.Context) error {
			_, err := s.Commit(ctx, "acme", storagetest.Change(t, "acme", vault.Record{}))
			return err
		},
		"the probe": s.Ready,
	}
}

// A server that gave no answer several times in a row is left alone: nobody
// waits for it, and it is served again once it is back, with nobody's help.
func TestSilentServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, m := muffled(t, "")
	m.on.Store(1)
	missed(t, s, 1500*time.Millisecond)
	for what, use := range uses(t, s) {
		err := use(t.Context())
		if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "left alone") {
			t.Errorf("%s: %v", what, err)
		}
	}
	m.on.Store(0)
	for what, use := range uses(t, s) {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			err := use(t.Context())
			if err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s does not come back: %v", what, err)
			}
		}
	}
}

// The twin: without the guard the next one speaks to the silent server, too.
func TestSilentServerTwin(t *testing.T) {
	t.Parallel()
	s, m := muffled(t, postgres.GuardBreaker)
	m.on.Store(1)
	missed(t, s, 1500*time.Millisecond)
	before := m.said.Load()
	missed(t, s, 100*time.Millisecond)
	if m.said.Load() == before {
		t.Error("without the guard nobody spoke to the server")
	}
}

// What tells nothing about the server does not count: callers who go away at
// once, and questions that it says no to.
func TestBreakerCountsSilenceAlone(t *testing.T) {
	t.Parallel()
	s, m := muffled(t, "")
	m.on.Store(1)
	for range 3 {
		missed(t, s, 20*time.Millisecond)
	}
	m.on.Store(0)
	if _, err := s.TenantKeys(t.Context(), "acme"); err != nil {
		t.Errorf("after callers who went away: %v", err)
	}

	db := pgtest.New(t)
	var wrong atomic.Bool
	refusing, err := postgres.Open(t.Context(), postgres.WithHooks(
		postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy},
		postgres.Hooks{Rewrite: func(text string) string {
			if wrong.Load() {
				return "SELECT 1/0, $1, $2"
			}
			return text
		}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = refusing.Close() })
	wrong.Store(true)
	for range 9 {
		if _, err := refusing.TenantKeys(t.Context(), "acme"); err == nil || strings.Contains(err.Error(), "left alone") {
			t.Fatalf("a refusal: %v", err)
		}
	}
	wrong.Store(false)
	if _, err := refusing.TenantKeys(t.Context(), "acme"); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}
