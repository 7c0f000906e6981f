package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// spareTriggers are all triggers, and what does the same without them. Citus takes no
// table that has one: they are dropped there, and are an extra elsewhere.
var spareTriggers = map[string]string{
	"entries_never_change":     "no role of the service has the right; what an owner changes verify finds",
	"entry_terms_never_change": "no role of the service has the right; what an owner changes verify finds",
	"log_nodes_never_change":   "no role of the service has the right; what an owner changes verify finds",
	"entries_only_leaf":        "it holds the owner alone, whose pruner asks for the same",
	"entry_terms_only_pruned":  "it holds the owner alone, whose pruner asks for the same",
	"entries_no_gap":           "a commit takes its place from the head that it has locked; a gap verify finds",
	"entries_terms_of_before":  "it serves replicas of the sixth version alone; today's write their terms",
}

// dropTriggers leaves a database as one that is distributed: without any.
func dropTriggers(t testing.TB, db *pgtest.Database) *pgtest.Database {
	t.Helper()
	tt, ok := t.(*testing.T)
	if !ok {
		t.Fatal("not in a benchmark")
	}
	s := connect(tt, db.Admin)
	dropped := 0
	for _, drop := range column(tt, s, `
SELECT format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass) FROM pg_trigger AS g WHERE NOT g.tgisinternal`) {
		s.do(drop)
		dropped++
	}
	if dropped != len(spareTriggers) {
		t.Errorf("%d triggers were dropped, of %d", dropped, len(spareTriggers))
	}
	return db
}

// slips are the statements against the log that a role of the service gets through.
func slips(t *testing.T, db *pgtest.Database) (through []string) {
	t.Helper()
	texts := []string{"UPDATE entries SET leaf = NULL WHERE tenant = 'acme' AND idx = 0", "DELETE FROM entry_terms WHERE tenant = 'acme' AND idx = 0"}
	for _, table := range logTables {
		for _, text := range []string{"UPDATE %s SET tenant = tenant", "DELETE FROM %s", "TRUNCATE %s CASCADE"} {
			texts = append(texts, fmt.Sprintf(text, table))
		}
	}
	for role, dsn := range map[string]string{"app": db.App, "destroy": db.Destroy, "audit": db.Audit} {
		s := connect(t, dsn).as("acme")
		s.do("SELECT set_config('counterfoil.prune', 'entries', false)")
		for _, text := range texts {
			s.do("BEGIN")
			_, err := s.conn.Exec(context.Background(), text)
			var e *pgconn.PgError
			if !errors.As(err, &e) || e.Code != noRight {
				through = append(through, role+": "+text)
			}
			s.do("ROLLBACK")
		}
	}
	slices.Sort(through)
	return through
}

// TestInvariant11_RightsAloneKeepTheLog: what the triggers refuse the roles of the
// service have no right to do, so nothing is lost where there are none.
func TestInvariant11_RightsAloneKeepTheLog(t *testing.T) {
	if through := slips(t, dropTriggers(t, two(t))); len(through) > 0 {
		t.Errorf("only a trigger stands before %q", through)
	}
}

// Twin: where somebody was given a right, so that a trigger alone stands before it,
// that trigger is needed, and it shows.
func TestInvariant11_TwinRightsAlone(t *testing.T) {
	db := two(t)
	connect(t, db.Admin).do("GRANT UPDATE (leaf) ON entries TO counterfoil_app")
	connect(t, db.App).as("acme").refused(raised, "UPDATE entries SET leaf = NULL WHERE tenant = 'acme' AND idx = 0")
	want := []string{"app: UPDATE entries SET leaf = NULL WHERE tenant = 'acme' AND idx = 0"}
	if through := slips(t, dropTriggers(t, db)); !slices.Equal(through, want) {
		t.Errorf("through came %q, want %q", through, want)
	}
}

// TestInvariant11_ContractWithoutTriggers: what is promised of the log, and of pruning
// it, is kept by the store. That verify finds what is changed by hands that no right
// holds back is TestInvariant11_RandomTampering, which has no triggers either.
func TestInvariant11_ContractWithoutTriggers(t *testing.T) {
	storagetest.RunOnly(t, func(t testing.TB, clock func() time.Time) storagetest.Stores {
		return openAt(t, dropTriggers(t, pgtest.New(t)), postgres.Config{Clock: clock}, postgres.Hooks{})
	}, "Invariant11/", "Invariant2/every change", "Invariant2/one that fails", "Invariant2/nothing is pruned", "search/every filter")
}
