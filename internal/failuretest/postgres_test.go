//go:build unix

package failuretest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// until waits for something that must come.
func (p *place) until(what string, come func() bool) {
	p.t.Helper()
	for end := time.Now().Add(comeback); !come(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("it does not come to pass: %s", what)
		}
	}
}

// do runs a statement as a superuser, in a session of its own.
func do(t testing.TB, dsn, text string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), text, args...); err != nil {
		t.Fatal(err)
	}
}

// storeMissing is what is asked of a service without its database: nothing is
// tokenized, nothing restored, the probe says so, and all of it quickly.
func (s *service) storeMissing(known note) {
	s.t.Helper()
	s.quickly("store", func() answer { return s.tokenize("chat-new", "Carol") })
	s.quickly("store", func() answer { return s.restored(known) })
	s.unavailable(s.ready(), "store")
	// There is no log to write an entry into; the operational log has an event
	// for each refusal.
	for _, operation := range []string{"tokenize", "detokenize"} {
		if s.log.refusals(s.t, operation) == 0 {
			s.t.Errorf("no event of a refusal to %s", operation)
		}
	}
}

// PostgreSQL is stopped in order under load, and started again.
func TestPostgresStopped(t *testing.T) {
	server := pgtest.Start(t)
	s := newPlace(t, server.Database(t)).serve()
	known := s.must("chat-1", "Ann")
	l := s.underLoad()
	l.await(20)
	server.Stop(t)
	s.until("the load is refused", func() bool { return l.refused.Load() > 0 })
	l.end()
	s.storeMissing(known)
	server.Start(t)
	s.recovers(func() answer { return s.restored(known) })
	s.recovers(func() answer { return s.tokenize("chat-2", "Dave") })
	s.recovers(s.ready)
	s.holds()
}
