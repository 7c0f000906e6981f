//go:build unix

package postgres_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// clausesAnywhere are a few clauses, for time: what a commit promises, what one
// tenant sees of another, what a destroyed key takes along. All of them run there by
// `POSTGRES_URL=... go test`.
const clausesAnywhere = `^TestContract$/^Invariant(2|6|8|11)$/^(every_change|a_claim_of|destroying_a_key|entries_are)`

// TestInvariant20_OnAServerByItsURL: the contract holds on a server that was there
// before, that asks for passwords and sorts by other rules than the tests' own, and
// the tests leave no database there.
func TestInvariant20_OnAServerByItsURL(t *testing.T) {
	server := pgtest.Start(t, "password_encryption=scram-sha-256", "max_connections=60")
	admin := guarded(t, server)
	out, err := elsewhere(t, admin, clausesAnywhere)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if passed := strings.Count(out, "    --- PASS: TestContract/Invariant"); passed != 4 {
		t.Errorf("%d clauses ran: %s", passed, out)
	}
	s := connect(t, admin)
	if n := s.do("SELECT rolname FROM pg_roles WHERE rolname LIKE 'counterfoil\\_%' AND rolcanlogin"); n != 4 {
		t.Errorf("%d roles of the service were made there", n)
	}
	if n := s.do("SELECT datname FROM pg_database WHERE datname LIKE 'counterfoil%'"); n != 0 {
		t.Errorf("%d databases are left there", n)
	}
}

// Twin: where nothing answers at the URL the tests fail, and start no other server.
func TestInvariant20_TwinServerByItsURL(t *testing.T) {
	address := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", "x"), Host: "127.0.0.1:" + strconv.Itoa(pgtest.FreePort(t)), Path: "/postgres"}
	out, err := elsewhere(t, address.String(), clausesAnywhere)
	if err == nil || !strings.Contains(out, "the server of POSTGRES_URL does not answer") {
		t.Errorf("%v: %s", err, out)
	}
}

// guarded has a server let nobody in without a password, and returns the URL of its
// superuser.
func guarded(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	const password = "a password of tests"
	socket := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres",
		RawQuery: url.Values{"host": {server.Dir()}, "port": {strconv.Itoa(server.Port())}}.Encode()}
	s := connect(t, socket.String())
	s.do("ALTER ROLE postgres PASSWORD '" + password + "'")
	// New databases are to sort by bytes.
	s.do("UPDATE pg_database SET datistemplate = false WHERE datname = 'template1'")
	s.do("DROP DATABASE template1")
	s.do("CREATE DATABASE template1 IS_TEMPLATE true TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C.UTF-8'")
	rules := filepath.Join(server.Dir(), "data", "pg_hba.conf")
	if err := os.WriteFile(rules, []byte("host all all 127.0.0.1/32 scram-sha-256\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.do("SELECT pg_reload_conf()")
	tcp := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password), Path: "/postgres",
		Host: "127.0.0.1:" + strconv.Itoa(server.Port())}
	return tcp.String()
}

// elsewhere runs tests of this binary against the server of a URL.
func elsewhere(t *testing.T, address, tests string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+tests, "-test.v", "-test.timeout="+(2*time.Minute).String())
	cmd.Env = append(os.Environ(), "POSTGRES_URL="+address)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
