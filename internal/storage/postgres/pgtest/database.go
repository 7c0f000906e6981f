//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
)

// Database is a migrated database with nothing in it.
type Database struct {
	Name   string
	Server *Server
	// The DSNs of the roles, and of a superuser.
	Admin, Owner, App, Destroy, Audit string
}

// password is that of every role on a server that was there before.
const password = "counterfoil-for-tests-only"

// The roles of the service, as migrations/postgres/roles.sql makes them.
var roles = []string{"counterfoil_owner", "counterfoil_app", "counterfoil_destroy", "counterfoil_audit"}

// shared is the server of this test binary.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// serial numbers the databases of this process.
var serial atomic.Int64

// M is a testing.M that stops the server in the end.
type M struct{ m *testing.M }

// Main wraps the tests of a package.
func Main(m *testing.M) M { return M{m} }

// Run runs the tests, stops the server if one was started, and returns the
// exit code.
func (m M) Run() int {
	code := m.m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return code
	}
	if err := shared.server.leave(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := shared.server.remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	shared.server = nil
	return code
}

// New makes a database on the server that the tests of this binary share.
func New(t testing.TB) *Database {
	t.Helper()
	shared.Lock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = open()
	}
	s, err := shared.server, shared.err
	shared.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	return s.Database(t)
}

func open() (*Server, error) {
	address := os.Getenv("POSTGRES_URL")
	if address == "" {
		return create(nil)
	}
	s := &Server{admin: address}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("pgtest: the server of POSTGRES_URL does not answer: %w", err)
	}
	return s, conn.Close(ctx)
}

// Database makes a database on this server. It goes with the test.
func (s *Server) Database(t testing.TB) *Database {
	t.Helper()
	name := fmt.Sprintf("counterfoil_test_%d_%d", os.Getpid(), serial.Add(1))
	if err := s.copyTemplate(context.Background(), name); err != nil {
		t.Fatal(err)
	}
	if s.dir == "" {
		t.Cleanup(func() {
			if err := s.bury(name); err != nil {
				t.Error(err)
			}
		})
	}
	return s.named(name)
}

func (s *Server) named(name string) *Database {
	return &Database{
		Name: name, Server: s, Admin: s.dsn("postgres", name), Owner: s.dsn(roles[0], name),
		App: s.dsn(roles[1], name), Destroy: s.dsn(roles[2], name), Audit: s.dsn(roles[3], name),
	}
}

// dsn is the address of a database for a role; of a server that was there
// before the superuser is whoever its URL names.
func (s *Server) dsn(role, database string) string {
	if s.dir == "" {
		u, err := url.Parse(s.admin)
		if err != nil {
			return s.admin
		}
		u.Path = "/" + database
		if role != "postgres" {
			u.User = url.UserPassword(role, password)
		}
		return u.String()
	}
	query := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// template is the database that all others of a server are copied from.
type template struct {
	sync.Mutex
	name string
}

// copyTemplate copies the template, and makes it first where there is none.
func (s *Server) copyTemplate(ctx context.Context, name string) error {
	s.made.Lock()
	defer s.made.Unlock()
	if s.made.name == "" {
		template := fmt.Sprintf("counterfoil_template_%d_%d", os.Getpid(), serial.Add(1))
		if err := s.migrate(ctx, template); err != nil {
			return err
		}
		s.made.name = template
	}
	return s.exec(ctx, s.admin, "CREATE DATABASE "+name+" TEMPLATE "+s.made.name+" OWNER counterfoil_owner")
}

// migrate makes a database as an operator would: the roles by a superuser, the
// tables by the owner.
func (s *Server) migrate(ctx context.Context, name string) error {
	if err := s.exec(ctx, s.admin, postgres.Roles()); err != nil {
		return err
	}
	if s.dir == "" {
		for _, role := range roles {
			if err := s.exec(ctx, s.admin, "ALTER ROLE "+role+" LOGIN PASSWORD '"+password+"'"); err != nil {
				return err
			}
		}
	}
	if err := s.exec(ctx, s.admin, "CREATE DATABASE "+name+" OWNER counterfoil_owner"); err != nil {
		return err
	}
	if _, err := postgres.Migrate(ctx, s.dsn(roles[0], name)); err != nil {
		return fmt.Errorf("pgtest: migrate: %w", err)
	}
	return nil
}

func (s *Server) exec(ctx context.Context, dsn, text string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("pgtest: connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	return nil
}
