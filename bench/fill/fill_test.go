package fill_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/bench/fill"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }

const tenant = "t0"

func openStore(t *testing.T, db *pgtest.Database) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func commit(t *testing.T, s *postgres.Store, effect vault.Effect) {
	t.Helper()
	if _, err := s.Commit(t.Context(), tenant, storagetest.Change(t, tenant, effect)); err != nil {
		t.Fatal(err)
	}
}

// served is a database in which a service has written, and stopped.
func served(t *testing.T) (*pgtest.Database, storagetest.Place) {
	t.Helper()
	db := pgtest.New(t)
	s := openStore(t, db)
	commit(t, s, storagetest.Provision())
	p := storagetest.NewPlace(tenant, "scope", time.Now())
	commit(t, s, p.Open())
	tokenize := p.Tokenize(p.Value("a"), p.Value("b"), p.Value("c"))
	tokenize.Destinations = []string{"vendor"}
	commit(t, s, tokenize)
	closed(t, s.Close())
	return db, p
}

func closed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func filler(t *testing.T, db *pgtest.Database) *fill.Fill {
	t.Helper()
	f, err := fill.Open(t.Context(), db.Admin, tenant)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, f.Close(context.Background())) })
	return f
}

// faults walks along the log as the verifier does, and compares everything that the
// tables hold of it.
func faults(t *testing.T, db *pgtest.Database) error {
	t.Helper()
	view, err := postgres.OpenReadOnly(t.Context(), db.Audit)
	closed(t, err)
	defer func() { closed(t, view.Close()) }()
	head, err := view.Head(t.Context(), tenant)
	closed(t, err)
	var frontier audit.Frontier
	for {
		rows, err := view.EntryRows(t.Context(), tenant, frontier.Size, 1000)
		closed(t, err)
		if len(rows) == 0 {
			break
		}
		leaves := make([][]byte, len(rows))
		for i := range rows {
			if err := rows[i].Check(tenant); err != nil {
				return err
			}
			leaves[i] = rows[i].Leaf
		}
		appended, err := frontier.Append(leaves)
		closed(t, err)
		for _, n := range appended.Nodes {
			stored, err := view.Nodes(t.Context(), tenant, n.Level, n.N, 1)
			closed(t, err)
			if len(stored) != 1 || stored[0] != n.Hash {
				return fmt.Errorf("node %d of level %d is not what the leaves make", n.N, n.Level)
			}
		}
		frontier = appended.Frontier
	}
	if diff := cmp.Diff(frontier, head.Frontier); diff != "" {
		return errors.New("the head is not what the leaves make: " + diff)
	}
	return nil
}

// TestInvariant11_FilledLog: what is filled in is a log that the service goes on with.
func TestInvariant11_FilledLog(t *testing.T) {
	db, p := served(t)
	f := filler(t, db)
	closed(t, f.Entries(t.Context(), 1500, false))
	closed(t, f.Entries(t.Context(), 2000, true))
	closed(t, f.Entries(t.Context(), 100, true)) // there are more
	s := openStore(t, db)
	d := p.Value("d")
	commit(t, s, p.Tokenize(d))
	commit(t, s, p.Restore(d))
	closed(t, s.Close())
	sizes, err := f.Sizes(t.Context(), "entries")
	closed(t, err)
	if sizes[0].Rows != 2002 || sizes[0].Row == 0 || sizes[0].Index == 0 || sizes[0].Total() != sizes[0].Row+sizes[0].Index {
		t.Errorf("%+v, want 2002 entries", sizes)
	}
	if err := faults(t, db); err != nil {
		t.Error(err)
	}
}

// TestInvariant11_TwinFilledLog: each thing that the fill might get wrong is seen.
func TestInvariant11_TwinFilledLog(t *testing.T) {
	for _, text := range []string{
		`UPDATE entries SET leaf_hash = sha256('x') WHERE idx = 200`,
		`UPDATE entries SET time = time + 1 WHERE idx = 200`,
		`DELETE FROM entry_terms WHERE idx = 200 AND field = 'kind'`,
		`UPDATE log_nodes SET hash = sha256('x') WHERE level = 3 AND n = 20`,
		`UPDATE log_heads SET frontier = set_byte(frontier, 20, get_byte(frontier, 20) # 1)`,
	} {
		db, _ := served(t)
		closed(t, filler(t, db).Entries(t.Context(), 300, false))
		if err := faults(t, db); err != nil {
			t.Fatal(err)
		}
		if _, err := connect(t, db).Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		if faults(t, db) == nil {
			t.Errorf("twin: nothing is seen of %s", text)
		}
	}
}

func connect(t *testing.T, db *pgtest.Database) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.Admin)
	closed(t, err)
	t.Cleanup(func() { closed(t, conn.Close(context.Background())) })
	_, err = conn.Exec(t.Context(), "SET session_replication_role = replica")
	closed(t, err)
	return conn
}

// TestMappingsAreAsLongAsReal: every column of a filled row has the length of that of
// the row that the service wrote, and every index is back and as it was.
func TestMappingsAreAsLongAsReal(t *testing.T) {
	db, p := served(t)
	f := filler(t, db)
	closed(t, f.Mappings(t.Context(), 1003)) // row by row
	f.Keep(10)
	closed(t, f.Mappings(t.Context(), 2503)) // without indexes
	closed(t, f.Tidy(t.Context()))
	admin := connect(t, db)
	for text, want := range map[string]int{
		`SELECT count(*) FROM mappings`:                                                   2503,
		`SELECT count(*) FROM mapping_destinations`:                                       2503,
		`SELECT count(DISTINCT (scope_id, key_id)) FROM mappings`:                         1 + 20 + 30,
		`SELECT count(*) FROM data_keys AS k JOIN scopes AS s ON s.scope_id = k.scope_id`: 1 + 20 + 30,
		`SELECT max(n) FROM (SELECT count(*) AS n FROM mappings GROUP BY key_id) AS c`:    50,
		`SELECT count(DISTINCT (octet_length(scope_id), octet_length(token_id), format, entity, class, octet_length(identity),
			octet_length(lookup), index_version, octet_length(key_id), octet_length(sealed), state)) FROM mappings`: 1,
		`SELECT count(DISTINCT (octet_length(wrapped), wrap_version)) FROM data_keys`:  1,
		`SELECT count(*) FROM pg_index WHERE NOT (indisready AND indisvalid)`:          0,
		`SELECT count(*) FROM pg_class WHERE relkind = 'i' AND reloptions IS NOT NULL`: 0,
	} {
		var got int
		closed(t, admin.QueryRow(t.Context(), text).Scan(&got))
		if got != want {
			t.Errorf("%d, want %d: %s", got, want, text)
		}
	}
	s := openStore(t, db)
	commit(t, s, p.Tokenize(p.Value("d")))
	closed(t, s.Close())
}

// TestDropTerms: a store that is open goes on without them.
func TestDropTerms(t *testing.T) {
	db, p := served(t)
	f := filler(t, db)
	s := openStore(t, db)
	commit(t, s, p.Tokenize(p.Value("before")))
	closed(t, f.DropTerms(t.Context()))
	sizes, err := f.Sizes(t.Context(), "entry_terms", "entries")
	closed(t, err)
	if sizes[0].Rows != 0 || sizes[1].Rows == 0 {
		t.Errorf("%+v, want no terms and all entries", sizes)
	}
	m := p.Value("after")
	commit(t, s, p.Tokenize(m))
	commit(t, s, p.Restore(m))
	closed(t, s.Close())
}

// TestNothingToCopy: where the service wrote nothing, nothing is made up.
func TestNothingToCopy(t *testing.T) {
	db := pgtest.New(t)
	s := openStore(t, db)
	commit(t, s, storagetest.Provision())
	closed(t, s.Close())
	f := filler(t, db)
	if err := f.Mappings(t.Context(), 10); !errors.Is(err, fill.ErrNothing) {
		t.Errorf("mappings: %v", err)
	}
	if err := f.Entries(t.Context(), 10, false); !errors.Is(err, fill.ErrNothing) {
		t.Errorf("entries: %v", err)
	}
}
