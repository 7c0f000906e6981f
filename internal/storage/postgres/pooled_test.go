package postgres_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// pooled starts PgBouncer in transaction mode before a server, with so few
// connections to it that sessions of clients are mixed, and returns the
// addresses of a database through it.
func pooled(t *testing.T, db *pgtest.Database) *pgtest.Database {
	t.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		if binary = "/usr/sbin/pgbouncer"; !exists(binary) {
			t.Fatal("no PgBouncer: install Debian's pgbouncer")
		}
	}
	port := pgtest.FreePort(t)
	dir := db.Server.Scratch(t)
	config := fmt.Sprintf(`[databases]
* = host=%s port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s/users
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
server_reset_query =
logfile = %s/log
pidfile = %s/pid
`, db.Server.Dir(), db.Server.Port(), port, dir, dir, dir)
	path := filepath.Join(dir, "pgbouncer.ini")
	const users = "\"counterfoil_app\" \"\"\n\"counterfoil_destroy\" \"\"\n\"counterfoil_audit\" \"\"\n"
	for name, text := range map[string]string{path: config, filepath.Join(dir, "users"): users} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	db.Server.Run(t, binary, path)
	through := func(dsn string) string {
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = url.Values{"host": {"127.0.0.1"}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}}.Encode()
		return u.String()
	}
	mixed := *db
	mixed.App, mixed.Destroy, mixed.Audit = through(db.App), through(db.Destroy), through(db.Audit)
	for end := time.Now().Add(patience); ; {
		conn, err := pgx.Connect(t.Context(), mixed.App+"&default_query_exec_mode=exec")
		if err == nil {
			_ = conn.Close(t.Context())
			return &mixed
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("pgbouncer does not answer: %v: %s", err, log)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestInvariant6_ThroughPgBouncer: in transaction mode three server
// connections are shared by all sessions of two stores and four tenants. What
// one transaction set is never there for the next, and everything works.
func TestInvariant6_ThroughPgBouncer(t *testing.T) {
	db := pooled(t, pgtest.Start(t).Database(t))
	c := postgres.Config{Pooled: true}
	stores := []storagetest.Stores{openAt(t, db, c, postgres.Hooks{}), openAt(t, db, c, postgres.Hooks{})}
	tenants := []string{"acme", "globex", "initech", "umbrella"}
	places := make(map[string]storagetest.Place)
	for _, tenant := range tenants {
		places[tenant] = seed(t, stores[0], tenant)
	}
	var group sync.WaitGroup
	for i, s := range stores {
		for _, tenant := range tenants {
			group.Go(func() {
				p := places[tenant]
				for n := range 25 {
					m := p.Value(fmt.Sprint(i, " ", n))
					commit(t, s, tenant, p.Tokenize(m))
					commit(t, s, tenant, p.Restore(m))
					entries, err := s.Ledger.Entries(t.Context(), tenant, vault.EntryQuery{Token: m.Mapping.TokenID})
					if err != nil || len(entries) != 1 {
						t.Errorf("%d entries of a token of %s, %v", len(entries), tenant, err)
						return
					}
				}
			})
		}
	}
	group.Wait()
	for _, tenant := range tenants {
		storagetest.CheckLog(t.Context(), t, stores[1].Ledger, tenant)
		commit(t, stores[0], tenant, vault.DestroyKeys{Keys: []string{places[tenant].Key.ID}})
	}
	conn, err := pgx.Connect(t.Context(), db.App+"&default_query_exec_mode=exec")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for range 20 {
		var rows int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM entries").Scan(&rows); err != nil || rows != 0 {
			t.Fatalf("a session without a tenant sees %d entries, %v", rows, err)
		}
	}
}
