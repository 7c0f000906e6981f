package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// patience is how long these tests wait for what must come.
const patience = 20 * time.Second

// backend waits until a backend of the database is in a state, and returns its
// process id. A backend that was seen before does not count.
func backend(t *testing.T, dsn, condition string, not ...int) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var pid int
		err := conn.QueryRow(t.Context(),
			"SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "+condition+" AND pid <> ALL ($1)", append([]int{}, not...)).Scan(&pid)
		if err == nil {
			return pid
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("no backend is in the state %s", condition)
	return 0
}

// waitForNobody has commits wait for a standby that does not exist, and returns
// once they do: a server takes note of its settings in its own time.
func waitForNobody(t *testing.T, db *pgtest.Database) {
	t.Helper()
	admin := connect(t, db.Admin)
	admin.do("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	admin.do("SELECT pg_reload_conf()")
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if waitsInCommit(t, admin, db) {
			return
		}
	}
	t.Fatal("commits do not wait for a standby")
}

// waitsInCommit tells whether a commit that is made for this waits for a
// standby. It is there no more afterwards.
func waitsInCommit(t *testing.T, admin session, db *pgtest.Database) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.Admin)
	if err != nil {
		t.Fatal(err)
	}
	pid := conn.PgConn().PID()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.Exec(context.Background(), "SELECT pg_logical_emit_message(true, 'test', 'test')")
		_ = conn.Close(context.Background())
	}()
	for {
		select {
		case <-ended:
			return false
		case <-time.After(time.Millisecond):
		}
		// Once it has waited it is ended, which is what it waits for.
		if admin.do(fmt.Sprintf(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE pid = %d AND wait_event = 'SyncRep'`, pid)) > 0 {
			<-ended
			return true
		}
	}
}

// answer is what a commit on the side came to.
type answer struct {
	vault.Committed
	err error
}

func commitAside(s storagetest.Stores, change vault.Change) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		c, err := s.Store.Commit(context.Background(), "acme", change)
		answers <- answer{c, err}
	}()
	return answers
}

func await(t *testing.T, answers <-chan answer) answer {
	t.Helper()
	select {
	case a := <-answers:
		return a
	case <-time.After(2 * patience):
		t.Fatal("no answer")
		return answer{}
	}
}

// once checks that a change has exactly one entry.
func once(t *testing.T, s storagetest.Stores, change vault.Change, a answer) {
	t.Helper()
	entries, err := s.Ledger.Entries(t.Context(), "acme", vault.EntryQuery{ChangeID: change.ID()})
	if err != nil || a.err != nil || len(entries) != 1 || entries[0].Index != a.First {
		t.Errorf("answer %v at %d, %d entries, %v", a.err, a.First, len(entries), err)
	}
	storagetest.CheckLog(t.Context(), t, s.Ledger, "acme")
}

// TestInvariant15_KilledInCommit: kill -9 of the backend while it commits, with
// which the whole server goes into recovery. Before its commit record is
// written nothing landed, and the change is applied again. After it, while it
// waits for a standby, everything landed, and is found.
func TestInvariant15_KilledInCommit(t *testing.T) {
	server := pgtest.Start(t)
	db := server.Database(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	p := seed(t, s, "acme")
	owner := connect(t, db.Owner)
	// A trigger that is deferred runs in COMMIT.
	owner.do(`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
		IF NEW.format = 'dawdle' THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NULL; END$$`)
	owner.do(`CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON mappings DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION dawdle()`)
	t.Run("before its record", func(t *testing.T) {
		holder := connect(t, db.Admin)
		holder.do("SELECT pg_advisory_lock(42)")
		m := p.Value("first")
		m.Mapping.Format = "dawdle"
		change := storagetest.Change(t, "acme", p.Tokenize(m))
		answers := commitAside(s, change)
		pid := backend(t, db.Admin, "wait_event = 'advisory' AND query = 'COMMIT'")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		once(t, s, change, await(t, answers)) // the crash let go of the lock, too
		commit(t, s, "acme", p.Restore(m))
	})
	t.Run("after its record", func(t *testing.T) {
		waitForNobody(t, db)
		m := p.Value("second")
		change := storagetest.Change(t, "acme", p.Tokenize(m))
		answers := commitAside(s, change)
		pid := backend(t, db.Admin, "wait_event = 'SyncRep'")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// Found, but not yet acknowledged: the standby has not got it.
		again := awaitBackend(t, db.Admin, fmt.Sprintf("wait_event = 'SyncRep' AND pid <> %d", pid))
		select {
		case a := <-answers:
			t.Fatalf("acknowledged before the standby has it: %v", a.err)
		default:
		}
		connectAgain(t, db.Admin, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
		once(t, s, change, await(t, answers))
		t.Logf("killed %d; looked up by %d", pid, again)
		commit(t, s, "acme", p.Restore(m))
	})
}

// awaitBackend is backend on a server that may be in recovery.
func awaitBackend(t *testing.T, dsn, condition string) int {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			continue
		}
		var pid int
		err = conn.QueryRow(t.Context(), "SELECT pid FROM pg_stat_activity WHERE "+condition).Scan(&pid)
		_ = conn.Close(context.Background())
		if err == nil {
			return pid
		}
	}
	t.Fatalf("no backend is in the state %s", condition)
	return 0
}

// connectAgain runs statements on a server that may be in recovery still.
func connectAgain(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = onceConnected(t.Context(), dsn, statements); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func onceConnected(ctx context.Context, dsn string, statements []string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, text := range statements {
		if _, err := conn.Exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// TestInvariant15_CancelledWait: a wait for a standby that is cancelled is
// answered with success and a warning. That is no acknowledgement.
func TestInvariant15_CancelledWait(t *testing.T) {
	server := pgtest.Start(t)
	db := server.Database(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	p := seed(t, s, "acme")
	admin := connect(t, db.Admin)
	for _, end := range []string{"pg_cancel_backend", "pg_terminate_backend"} {
		waitForNobody(t, db)
		change := storagetest.Change(t, "acme", p.Tokenize(p.Value(end)))
		answers := commitAside(s, change)
		pid := backend(t, db.Admin, "wait_event = 'SyncRep'")
		admin.do(fmt.Sprintf("SELECT %s(%d)", end, pid))
		// What looks it up waits for the standby as well.
		lookup := backend(t, db.Admin, "wait_event = 'SyncRep'", pid)
		select {
		case a := <-answers:
			t.Fatalf("%s: acknowledged before the standby has it: %v", end, a.err)
		default:
		}
		admin.do("ALTER SYSTEM SET synchronous_standby_names = ''")
		admin.do("SELECT pg_reload_conf()")
		once(t, s, change, await(t, answers))
		t.Logf("%s of %d; looked up by %d", end, pid, lookup)
	}
}

// Twin: where the warning is not looked at, the change is acknowledged though
// the standby has nothing of it.
func TestInvariant15_TwinCancelledWait(t *testing.T) {
	server := pgtest.Start(t)
	db := server.Database(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{Skip: func(guard string) bool {
		return guard == "a warning in COMMIT is no acknowledgement"
	}})
	p := seed(t, s, "acme")
	admin := connect(t, db.Admin)
	waitForNobody(t, db)
	answers := commitAside(s, storagetest.Change(t, "acme", p.Tokenize(p.Value("v"))))
	admin.do(fmt.Sprintf("SELECT pg_cancel_backend(%d)", backend(t, db.Admin, "wait_event = 'SyncRep'")))
	if a := await(t, answers); a.err != nil {
		t.Errorf("the test would not have seen it: %v", a.err)
	}
}

// TestServerComesAndGoes: while the server is away everything is refused and
// readiness says since when; when it is back the store serves, with nobody's
// help, and nothing that was acknowledged is lost.
func TestServerComesAndGoes(t *testing.T) {
	server := pgtest.Start(t)
	db := server.Database(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	p := seed(t, s, "acme")
	m := p.Value("v")
	commit(t, s, "acme", p.Tokenize(m))
	for name, leave := range map[string]func(testing.TB){"stopped": server.Stop, "killed": server.Kill} {
		leave(t)
		_, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.Record{}))
		if !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("%s: a commit: %v", name, err)
		}
		if _, err := s.Ledger.Head(t.Context(), "acme"); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("%s: a read: %v", name, err)
		}
		var missing *postgres.NotReady
		err = s.Registry.Ready(t.Context())
		if !errors.As(err, &missing) || missing.Dependency != "postgresql" || missing.Since.After(time.Now()) || !errors.Is(err, vault.ErrUnavailable) {
			t.Fatalf("%s: ready: %v", name, err)
		}
		since := missing.Since
		if err := s.Registry.Ready(t.Context()); !errors.As(err, &missing) || !missing.Since.Equal(since) {
			t.Errorf("%s: missing since %v, and then since %v", name, since, missing.Since)
		}
		for _, secret := range []string{server.Dir(), "counterfoil_app", "SELECT", db.Name} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error tells of the server: %v", name, err)
			}
		}
		server.Start(t)
		commit(t, s, "acme", p.Restore(m))
		if err := s.Registry.Ready(t.Context()); err != nil {
			t.Errorf("%s, and back: %v", name, err)
		}
		storagetest.CheckLog(t.Context(), t, s.Ledger, "acme")
	}
}

// TestRestartIsNotNoticed: a server that restarts between two commits leaves a
// pool of dead connections, and no request fails for it.
func TestRestartIsNotNoticed(t *testing.T) {
	server := pgtest.Start(t)
	db := server.Database(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	p := seed(t, s, "acme")
	for i := range 3 {
		server.Stop(t)
		server.Start(t)
		commit(t, s, "acme", p.Tokenize(p.Value(fmt.Sprint(i))))
		if _, err := s.Ledger.Head(t.Context(), "acme"); err != nil {
			t.Error(err)
		}
	}
}
