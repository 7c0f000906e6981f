//go:build unix

package failuretest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// standby is a copy of a server, beside it.
type standby struct {
	server *pgtest.Server
	bin    string // where the programs are
	dir    string // of its socket and data
	port   int
}

// newStandby copies a server, and has the copy follow it.
func newStandby(t *testing.T, server *pgtest.Server) standby {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		t.Fatalf("no server to run: %v", err)
	}
	b := standby{server: server, bin: filepath.Dir(found[len(found)-1]), dir: server.Scratch(t), port: pgtest.FreePort(t)}
	b.run(t, "pg_basebackup", "--pgdata="+b.data(), "--checkpoint=fast", "--wal-method=stream", "--no-sync", "--write-recovery-conf",
		"--dbname=host="+server.Dir()+" port="+strconv.Itoa(server.Port())+" user=postgres application_name=beside")
	b.start(t)
	return b
}

func (b standby) data() string { return filepath.Join(b.dir, "data") }

func (b standby) start(t *testing.T) {
	t.Helper()
	b.server.Run(t, filepath.Join(b.bin, "postgres"), "-D", b.data(), "-c", "unix_socket_directories="+b.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(b.port), "-c", "max_connections=300", "-c", "shared_buffers=64MB")
}

// run runs a program to its end, as whoever has the folder.
func (b standby) run(t *testing.T, program string, args ...string) {
	t.Helper()
	info, err := os.Stat(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(b.bin, program), args...)
	cmd.Dir = b.dir
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
}

// promote makes a primary of it, as soon as it answers.
func (b standby) promote(t *testing.T, p *place) {
	t.Helper()
	admin := b.alone(p.db.Admin)
	p.until("the standby answers", func() bool { return one(admin, "SELECT 1 WHERE pg_is_in_recovery()") == 1 })
	do(t, admin, "SELECT pg_promote()")
}

// both has the service of a place know both servers.
func (b standby) both(t *testing.T, p *place) {
	t.Helper()
	c := *p.backends.Postgres
	c.AppDSN = b.dsn(t, p.db.App, "read-write")
	c.DestroyDSN = b.dsn(t, p.db.Destroy, "read-write")
	p.backends.Postgres, p.backends.AuditDSN = &c, b.dsn(t, p.db.Audit, "")
}

// dsn is an address of a role on both servers: whichever takes writes.
func (b standby) dsn(t *testing.T, primary, session string) string {
	t.Helper()
	u, err := url.Parse(primary)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", q.Get("host")+","+b.dir)
	q.Set("port", q.Get("port")+","+strconv.Itoa(b.port))
	if session != "" {
		q.Set("target_session_attrs", session)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// alone is the address of the standby only.
func (b standby) alone(primary string) string {
	u, err := url.Parse(primary)
	if err != nil {
		return ""
	}
	u.RawQuery = url.Values{"host": {b.dir}, "port": {strconv.Itoa(b.port)}}.Encode()
	return u.String()
}

// vanish kills every process of a server at once, as a machine goes that loses
// its power.
func vanish(t *testing.T, server *pgtest.Server) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(server.Dir(), "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || pid < 2 {
		t.Fatalf("postmaster.pid: %q", first)
	}
	pids := []int{pid}
	// Elsewhere than on Linux the others end when they notice.
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(child); err == nil && n > 1 {
			pids = append(pids, n)
		}
	}
	for _, one := range pids {
		_ = syscall.Kill(one, syscall.SIGKILL) // a child may have ended meanwhile
	}
}

// The primary vanishes under load, and its synchronous standby takes over. The
// service knows both addresses and goes on: what it acknowledged is there.
func TestPostgresFailover(t *testing.T) {
	server := pgtest.Start(t)
	p := newPlace(t, server.Database(t))
	b := newStandby(t, server)
	do(t, p.db.Admin, "ALTER SYSTEM SET synchronous_standby_names = 'beside'")
	do(t, p.db.Admin, "SELECT pg_reload_conf()")
	p.until("the standby is synchronous", func() bool {
		return one(p.db.Admin, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'") == 1
	})
	b.both(t, p)
	s := p.serve()
	known := s.must("chat-1", "Ann")
	l := s.underLoad()
	l.await(50)
	vanish(t, server)
	s.until("the load is refused", func() bool { return l.refused.Load() > 0 })
	s.storeMissing(known)
	b.promote(t, p)
	l.await(l.served.Load() + 50)
	l.end()
	s.recovers(func() answer { return s.restored(known) })
	s.recovers(s.ready)
	s.holds()
}

// TestTwin_AStandbyThatNobodyWaitsFor takes over without what it never got: that
// is found.
func TestTwin_AStandbyThatNobodyWaitsFor(t *testing.T) {
	server := pgtest.Start(t)
	p := newPlace(t, server.Database(t))
	b := newStandby(t, server)
	admin := b.alone(p.db.Admin)
	p.until("the standby answers", func() bool { return one(admin, "SELECT 1 WHERE pg_is_in_recovery()") == 1 })
	b.both(t, p)
	s := p.serve()
	b.run(t, "pg_ctl", "stop", "--mode=fast", "--pgdata="+b.data())
	s.must("chat-1", "Ann")
	vanish(t, server)
	b.start(t)
	b.promote(t, p)
	s.recovers(func() answer { return s.tokenize("chat-2", "Bob") })
	if len(s.faults()) == 0 {
		t.Error("what was lost is not found")
	}
}
