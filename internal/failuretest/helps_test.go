//go:build unix

package failuretest

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// A replica that cannot hear which keys are destroyed keeps none in memory once
// it hears again: it may have missed something. Meanwhile it serves.
func TestKeysAreForgottenWhereNoticesWereMissed(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	p := newPlace(t, server.Database(t))
	p.backends.DirectDSN = p.db.App
	s := p.serve()
	const listeners = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
	s.until("it listens", func() bool { return one(p.db.Admin, listeners) == 1 })
	known := s.must("chat-1", "Ann")
	s.recovers(func() answer { return s.restored(known) })
	s.until("a key in memory needs no call", func() bool { // once those in advance are wrapped
		before := s.in.KeyCalls().Calls
		time.Sleep(100 * time.Millisecond)
		return s.restored(known).ok() && s.in.KeyCalls().Calls == before
	})
	before := s.in.KeyCalls().Calls
	do(t, p.db.Admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
	s.until("the keys are forgotten", func() bool {
		if a := s.restored(known); !a.ok() {
			t.Errorf("%d: %s", a.status, a.raw)
		}
		return s.in.KeyCalls().Calls > before
	})
	s.until("it listens again", func() bool { return one(p.db.Admin, listeners) == 1 })
	s.holds()
}
