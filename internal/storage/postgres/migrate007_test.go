package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/migrations"
)

// before is a database of an older version of the schema.
func before(t *testing.T, version int64) *pgtest.Database {
	t.Helper()
	db := *pgtest.New(t)
	name := db.Name + "_before"
	connect(t, db.Admin).do("CREATE DATABASE " + name + " OWNER counterfoil_owner")
	admin := db.Admin
	t.Cleanup(func() {
		if db.Server.Dir() == "" {
			connect(t, admin).do("DROP DATABASE " + name + " WITH (FORCE)")
		}
	})
	for _, dsn := range []*string{&db.Admin, &db.Owner, &db.App, &db.Destroy, &db.Audit} {
		*dsn = strings.Replace(*dsn, "/"+db.Name, "/"+name, 1)
	}
	db.Name = name
	config, err := pgx.ParseConfig(db.Owner)
	if err != nil {
		t.Fatal(err)
	}
	conn := stdlib.OpenDB(*config)
	defer func() { _ = conn.Close() }()
	p, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return &db
}

// TestMigrationOfTerms: the entries that stand in a database of the sixth version
// are searched by what entries are searched by today, and so are those that a replica
// of that version writes afterwards.
func TestMigrationOfTerms(t *testing.T) {
	db := before(t, 6)
	tenants := []string{"acme", "globex"}
	entries := storagetest.Scale(400, 100_000)
	admin := connect(t, db.Admin)
	admin.do("SET session_replication_role = replica") // no triggers
	write := func(tenant string) {
		var rows, terms [][]any
		for _, r := range storagetest.Version6(t, tenant, entries) {
			rows = append(rows, []any{tenant, r.Index, r.Leaf, r.LeafHash[:], r.Time.UnixMicro(), r.ChangeID, int64(r.Seq)})
			for _, term := range r.Terms {
				terms = append(terms, []any{tenant, string(term.Field), term.Value, r.Index})
			}
		}
		admin.do("INSERT INTO tenants VALUES ('" + tenant + "', 1)")
		admin.fill("entries", rows, "tenant", "idx", "leaf", "leaf_hash", "time", "change_id", "seq")
		admin.fill("entry_terms", terms, "tenant", "field", "term", "idx")
	}
	for _, tenant := range tenants {
		write(tenant)
	}
	began := time.Now()
	applied, err := postgres.Migrate(t.Context(), db.Owner)
	if err != nil || len(applied) != 3 || applied[0].Name != "007_proofs.sql" {
		t.Fatalf("applied %+v, %v", applied, err)
	}
	t.Logf("%d entries in %v", len(tenants)*entries, time.Since(began))
	// A replica of the version before goes on.
	admin.do("SET session_replication_role = origin")
	write("initech")
	tenants = append(tenants, "initech")
	v, err := postgres.OpenReadOnly(t.Context(), db.Audit)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	for _, tenant := range tenants {
		storagetest.CheckRows(t, tenant, entries, func(from int64) ([]entryrow.Row, error) {
			return v.EntryRows(t.Context(), tenant, from, 0)
		})
	}
}

// fill copies rows into a table.
func (s session) fill(table string, rows [][]any, columns ...string) {
	s.Helper()
	if _, err := s.conn.CopyFrom(s.Context(), pgx.Identifier{table}, columns, pgx.CopyFromRows(rows)); err != nil {
		s.Fatal(err)
	}
}
