package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// TestOpenRefuses: a service does not start with what would make its promises
// void, and says which it is.
func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name   string
		spoil  []string // statements of the superuser, in the database
		config func(db *pgtest.Database) postgres.Config
		want   error
		says   string
	}{
		{"a superuser", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: db.Admin, DestroyDSN: db.Destroy}
		}, postgres.ErrRole, "app is a superuser"},
		{"the owner", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: db.App, DestroyDSN: db.Owner}
		}, postgres.ErrRole, "destroy is a superuser, passes row-level security, or owns the tables"},
		{"roles that are swapped", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: db.Destroy, DestroyDSN: db.App}
		}, postgres.ErrRole, "app has DELETE on mappings"},
		{"one role for both", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: db.App, DestroyDSN: db.App}
		}, postgres.ErrRole, "destroy has no DELETE on mappings"},
		{"a role that reads", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: db.Audit, DestroyDSN: db.Destroy}
		}, postgres.ErrRole, "app has no INSERT on entries"},
		{"a role that may change entries", []string{"GRANT UPDATE (leaf) ON entries TO counterfoil_app"}, nil,
			postgres.ErrRole, "app has UPDATE on entries"},
		{"a newer schema", []string{"INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)"}, nil,
			postgres.ErrSchema, "version 999"},
		{"an older schema", []string{"DELETE FROM goose_db_version WHERE version_id > 0"}, nil,
			postgres.ErrSchema, "version 0"},
		{"no schema", []string{"DROP TABLE goose_db_version"}, nil, postgres.ErrSchema, "not migrated"},
		{"row-level security that is not forced", []string{"ALTER TABLE scopes NO FORCE ROW LEVEL SECURITY"}, nil,
			postgres.ErrSchema, "[scopes]"},
		{"no row-level security", []string{"ALTER TABLE notes DISABLE ROW LEVEL SECURITY"}, nil, postgres.ErrSchema, "[notes]"},
		{"an address that is none", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: "postgres://app:hunter2@[", DestroyDSN: db.Destroy}
		}, nil, "the address for app"},
		{"a server that is not there", nil, func(db *pgtest.Database) postgres.Config {
			return postgres.Config{AppDSN: "postgres://app:hunter2@127.0.0.1:1/x", DestroyDSN: db.Destroy}
		}, nil, "no connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			admin := connect(t, db.Admin)
			for _, text := range tt.spoil {
				admin.do(text)
			}
			c := postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy}
			if tt.config != nil {
				c = tt.config(db)
			}
			s, err := postgres.Open(t.Context(), c)
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v that says %q", err, tt.want, tt.says)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error quotes a password")
			}
		})
	}
}

// TestOpenRefusesAServerWithoutFsync: it would acknowledge what a crash loses.
func TestOpenRefusesAServerWithoutFsync(t *testing.T) {
	server := pgtest.Start(t, "full_page_writes=off")
	db := server.Database(t)
	if _, err := postgres.Open(t.Context(), postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy}); !errors.Is(err, postgres.ErrServer) {
		t.Errorf("got %v, want ErrServer", err)
	}
}

// TestMigrate: from nothing to the schema that Open needs, and again.
func TestMigrate(t *testing.T) {
	db := pgtest.New(t)
	name := db.Name + "_bare"
	connect(t, db.Admin).do("CREATE DATABASE " + name + " OWNER counterfoil_owner")
	bare := func(dsn string) string { return strings.Replace(dsn, "/"+db.Name, "/"+name, 1) }
	t.Cleanup(func() {
		// A connection of its own: that of the test is gone by now.
		if db.Server.Dir() == "" {
			connect(t, db.Admin).do("DROP DATABASE " + name + " WITH (FORCE)")
		}
	})
	if err := postgres.CheckSchema(t.Context(), bare(db.App)); !errors.Is(err, postgres.ErrSchema) {
		t.Errorf("before: %v", err)
	}
	pending, err := postgres.MigrationStatus(t.Context(), bare(db.Owner))
	if err != nil || len(pending) != 9 || !pending[0].AppliedAt.IsZero() || pending[0].Name != "001_init.sql" {
		t.Errorf("before: %+v, %v", pending, err)
	}
	for _, want := range []int{9, 0} {
		applied, err := postgres.Migrate(t.Context(), bare(db.Owner))
		if err != nil || len(applied) != want {
			t.Fatalf("applied %+v, %v; want %d", applied, err, want)
		}
	}
	if status, err := postgres.MigrationStatus(t.Context(), bare(db.Owner)); err != nil || status[0].AppliedAt.IsZero() {
		t.Errorf("after: %+v, %v", status, err)
	}
	for _, dsn := range []string{db.Owner, db.App, db.Destroy, db.Audit} {
		if err := postgres.CheckSchema(t.Context(), bare(dsn)); err != nil {
			t.Errorf("after: %v", err)
		}
	}
	// A right that somebody added by hand is gone after the next run.
	owner := connect(t, bare(db.Owner))
	owner.do("GRANT DELETE ON mappings TO counterfoil_app")
	owner.do("GRANT UPDATE (state) ON log_heads TO counterfoil_app")
	if _, err := postgres.Migrate(t.Context(), bare(db.Owner)); err != nil {
		t.Fatal(err)
	}
	app := connect(t, bare(db.App))
	app.refused(noRight, "DELETE FROM mappings")
	app.refused(noRight, "UPDATE log_heads SET state = 'active'")
	owner.do("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)")
	if _, err := postgres.Migrate(t.Context(), bare(db.Owner)); !errors.Is(err, postgres.ErrSchema) {
		t.Errorf("a schema that is ahead: %v", err)
	}
	// The application has no right to migrate.
	if _, err := postgres.Migrate(t.Context(), bare(db.App)); err == nil {
		t.Error("the app migrated")
	}
}

// TestMigrateFromBefore: a database of the version before is brought up to this
// one, and the roles may be made again while it is not.
func TestMigrateFromBefore(t *testing.T) {
	db := before(t, 8)
	connect(t, db.Admin).do(postgres.Roles())
	if err := postgres.CheckSchema(t.Context(), db.App); !errors.Is(err, postgres.ErrSchema) {
		t.Errorf("before: %v", err)
	}
	applied, err := postgres.Migrate(t.Context(), db.Owner)
	if err != nil || len(applied) != 1 || applied[0].Name != "009_closedgrants.sql" {
		t.Fatalf("applied %+v, %v", applied, err)
	}
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	seed(t, s, "acme")
	commit(t, s, "acme", vault.PlaceHold{Hold: vault.Hold{Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{Entities: []string{"PERSON"}}}})
}

// TestTwoMigrationsAtOnce: two processes that start at once do not trip.
func TestTwoMigrationsAtOnce(t *testing.T) {
	db := pgtest.New(t)
	name := db.Name + "_two"
	connect(t, db.Admin).do("CREATE DATABASE " + name + " OWNER counterfoil_owner")
	dsn := strings.Replace(db.Owner, "/"+db.Name, "/"+name, 1)
	outcomes := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := postgres.Migrate(context.Background(), dsn)
			outcomes <- err
		}()
	}
	for range 2 {
		if err := <-outcomes; err != nil {
			t.Error(err)
		}
	}
	if db.Server.Dir() == "" {
		connect(t, db.Admin).do("DROP DATABASE " + name + " WITH (FORCE)")
	}
}

// TestReadOnly: the role that reads sees the rows that verification compares
// with their leaves, and a changed column is told from its leaf.
func TestReadOnly(t *testing.T) {
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	p := seed(t, s, "acme")
	for i := range 5 {
		commit(t, s, "acme", p.Tokenize(p.Value(fmt.Sprint(i, "a")), p.Value(fmt.Sprint(i, "b"))))
	}
	v, err := postgres.OpenReadOnly(t.Context(), db.Audit)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	storagetest.CheckLog(t.Context(), t, v, "acme")
	var rows []entryrow.Row
	for from := int64(0); ; {
		page, err := v.EntryRows(t.Context(), "acme", from, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		rows = append(rows, page...)
		from = page[len(page)-1].Index + 1
	}
	if len(rows) != 7 {
		t.Fatalf("%d rows, want 7", len(rows))
	}
	for i := range rows {
		if err := rows[i].Check("acme"); err != nil {
			t.Error(err)
		}
	}
	for name, spoil := range map[string]func(*entryrow.Row){
		"terms":     func(r *entryrow.Row) { r.Terms = r.Terms[1:] },
		"time":      func(r *entryrow.Row) { r.Time = r.Time.Add(time.Microsecond) },
		"change_id": func(r *entryrow.Row) { r.ChangeID += "x" },
		"seq":       func(r *entryrow.Row) { r.Seq++ },
		"leaf_hash": func(r *entryrow.Row) { r.LeafHash[0]++ },
		"leaf":      func(r *entryrow.Row) { r.Leaf = r.Leaf[1:] },
	} {
		row := rows[4]
		spoil(&row)
		if err := row.Check("acme"); !errors.Is(err, entryrow.ErrColumn) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := postgres.OpenReadOnly(t.Context(), db.App); !errors.Is(err, postgres.ErrRole) {
		t.Errorf("a role that writes: %v", err)
	}
	tenants, err := v.Tenants(t.Context())
	if err != nil || len(tenants) != 1 || tenants[0].State != vault.TenantActive {
		t.Errorf("tenants: %+v, %v", tenants, err)
	}
}

// TestReadyComparesClocks: a machine whose clock is off is not ready.
func TestReadyComparesClocks(t *testing.T) {
	db := pgtest.New(t)
	var off time.Duration
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{Local: func() time.Time { return time.Now().Add(off) }})
	for _, tt := range []struct {
		off  time.Duration
		want string
	}{{0, ""}, {1500 * time.Millisecond, ""}, {3 * time.Second, "clock"}, {-3 * time.Second, "clock"}, {0, ""}} {
		off = tt.off
		err := s.Registry.Ready(t.Context())
		var missing *postgres.NotReady
		got := ""
		if errors.As(err, &missing) {
			got = missing.Dependency
		}
		if got != tt.want || (err == nil) != (tt.want == "") {
			t.Errorf("off by %v: %v", tt.off, err)
		}
	}
}

// TestErrorsTellNothing: what reaches a caller holds no statement, no name of
// a server and no value, whatever the server said.
func TestErrorsTellNothing(t *testing.T) {
	db := pgtest.New(t)
	const canary = "canary-7f3a"
	var broken string
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{Rewrite: func(text string) string {
		if broken != "" && strings.Contains(text, broken) {
			return "SELECT ('" + canary + "' || left($1::text, 1))::bigint"
		}
		return text
	}})
	p := seed(t, s, "acme")
	var errs []error
	for _, at := range []string{"FROM mappings AS m\nWHERE", "FROM log_heads AS h WHERE h.tenant = $1 FOR UPDATE", "INSERT INTO entry_terms"} {
		broken = at
		_, rerr := s.Store.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: []string{"x"}})
		_, cerr := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", p.Tokenize(p.Value(canary))))
		errs = append(errs, rerr, cerr)
	}
	text := fmt.Sprint(errs)
	if strings.Contains(text, canary) || strings.Contains(text, "SELECT") || strings.Contains(text, db.Name) || !strings.Contains(text, "SQLSTATE 22P02") {
		t.Errorf("the errors say %s", text)
	}
}
