//go:build unix

package failuretest

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// one reads one number as a superuser; 0 where there is no row or no server.
func one(dsn, text string) (n int) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, text).Scan(&n); err != nil {
		return 0
	}
	return n
}

// PostgreSQL crashes under load, again and again. Whatever was in COMMIT is
// looked up after its recovery: acknowledged if it stands, and never twice.
func TestPostgresCrashes(t *testing.T) {
	server := pgtest.Start(t)
	s := newPlace(t, server.Database(t)).serve()
	known := s.must("chat-1", "Ann")
	l := s.underLoad()
	for range 3 {
		l.await(l.served.Load() + 20)
		server.Kill(t)
		server.Start(t)
	}
	l.await(l.served.Load() + 20)
	l.end()
	s.recovers(func() answer { return s.restored(known) })
	s.holds()
}

// kill -9 of the very backend that is in COMMIT, which takes the whole server
// down with it, under load. Its change had no commit record yet: it is applied
// again, once, and acknowledged only then.
func TestPostgresKilledInCommit(t *testing.T) {
	server := pgtest.Start(t)
	db := server.Database(t)
	s := newPlace(t, db).serve()
	known := s.must("chat-1", "Ann")
	// A trigger that is deferred runs in COMMIT.
	do(t, db.Owner, `CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
		IF NEW.entity = 'EMAIL_ADDRESS' THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NULL; END$$`)
	do(t, db.Owner, `CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON mappings DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION dawdle()`)
	holder, err := pgx.Connect(t.Context(), db.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close(context.Background()) }()
	if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_lock(42)"); err != nil {
		t.Fatal(err)
	}
	l := s.underLoad()
	l.await(20)
	asked := make(chan answer)
	go func() {
		asked <- s.send(http.MethodPost, "/v1/tokenize", object{
			"scope": "chat-2", "values": []object{{"entity": "EMAIL_ADDRESS", "value": "eve@example.org"}},
		})
	}()
	var pid int
	s.until("a backend is in COMMIT", func() bool {
		pid = one(db.Admin, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = 'COMMIT'")
		return pid != 0
	})
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// The crash let go of the lock, too.
	a := <-asked
	if a.ok() {
		s.book.write(note{"tokenize", "chat-2", a.body.Values[0], "eve@example.org", a.body.Audit})
	} else {
		s.unavailable(a, "store")
	}
	t.Logf("the change in COMMIT was answered with %d after %s", a.status, a.took)
	l.await(l.served.Load() + 20)
	l.end()
	s.recovers(func() answer { return s.restored(known) })
	if n := one(db.Admin, "SELECT count(*) FROM mappings WHERE entity = 'EMAIL_ADDRESS'"); n > 1 || a.ok() && n != 1 {
		t.Errorf("the change that was killed stands %d times", n)
	}
	s.holds()
}

// Other sessions hold every connection that the server gives.
func TestPostgresOutOfConnections(t *testing.T) {
	server := pgtest.Start(t, "max_connections=30")
	db := server.Database(t)
	s := newPlace(t, db).serve()
	known := s.must("chat-1", "Ann")
	var held []*pgx.Conn
	release := func() {
		for _, conn := range held {
			_ = conn.Close(context.Background())
		}
		held = nil
	}
	defer release()
	const own = "usename IN ('counterfoil_app', 'counterfoil_destroy')"
	s.until("others have every connection", func() bool {
		do(t, db.Admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "+own)
		for {
			conn, err := pgx.Connect(t.Context(), db.Audit)
			if err != nil {
				var full *pgconn.PgError
				if !errors.As(err, &full) || full.Code != "53300" {
					t.Fatal(err)
				}
				return one(db.Admin, "SELECT count(*) FROM pg_stat_activity WHERE "+own) == 0
			}
			held = append(held, conn)
		}
	})
	s.storeMissing(known)
	release()
	s.recovers(func() answer { return s.restored(known) })
	s.recovers(func() answer { return s.tokenize("chat-2", "Dave") })
	s.recovers(s.ready)
	// A few connections are enough: what gets none waits, and is served or
	// refused.
	for range 20 {
		conn, err := pgx.Connect(t.Context(), db.Audit)
		if err != nil {
			break
		}
		held = append(held, conn)
	}
	l := s.underLoad()
	l.await(20)
	l.end()
	release()
	s.holds()
}
