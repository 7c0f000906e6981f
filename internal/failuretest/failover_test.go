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

// standby is a copy of a server that every commit waits for.
type standby struct {
	dir  string // of its socket
	port int
}

// newStandby copies a server, and has it wait for the copy from then on.
func newStandby(t *testing.T, p *place) standby {
	t.Helper()
	server := p.db.Server
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		t.Fatalf("no server to run: %v", err)
	}
	bin := filepath.Dir(found[len(found)-1])
	b := standby{dir: server.Scratch(t), port: pgtest.FreePort(t)}
	data := filepath.Join(b.dir, "data")
	copying := exec.CommandContext(t.Context(), filepath.Join(bin, "pg_basebackup"), "--pgdata="+data, "--checkpoint=fast",
		"--wal-method=stream", "--write-recovery-conf",
		"--dbname=host="+server.Dir()+" port="+strconv.Itoa(server.Port())+" user=postgres application_name=beside")
	copying.Dir = b.dir
	if err := asOwner(copying, b.dir); err != nil {
		t.Fatal(err)
	}
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	server.Run(t, filepath.Join(bin, "postgres"), "-D", data, "-c", "unix_socket_directories="+b.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(b.port), "-c", "max_connections=300", "-c", "shared_buffers=64MB")
	do(t, p.db.Admin, "ALTER SYSTEM SET synchronous_standby_names = 'beside'")
	do(t, p.db.Admin, "SELECT pg_reload_conf()")
	p.until("the standby is synchronous", func() bool {
		return one(p.db.Admin, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'") == 1
	})
	return b
}

// asOwner has a command run as whoever has a folder.
func asOwner(cmd *exec.Cmd, dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner", dir)
	}
	if int(owner.Uid) != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	return nil
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
	b := newStandby(t, p)
	c := *p.backends.Postgres
	c.AppDSN = b.dsn(t, p.db.App, "read-write")
	c.DestroyDSN = b.dsn(t, p.db.Destroy, "read-write")
	p.backends.Postgres, p.backends.AuditDSN = &c, b.dsn(t, p.db.Audit, "")
	s := p.serve()
	known := s.must("chat-1", "Ann")
	l := s.underLoad()
	l.await(50)
	vanish(t, server)
	l.s.until("the load is refused", func() bool { return l.refused.Load() > 0 })
	s.storeMissing(known)
	do(t, b.alone(p.db.Admin), "SELECT pg_promote()")
	l.await(l.served.Load() + 50)
	l.end()
	s.recovers(func() answer { return s.restored(known) })
	s.recovers(s.ready)
	s.holds()
}
