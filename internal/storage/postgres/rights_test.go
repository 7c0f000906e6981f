package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// session is what somebody has who has a role's password, and psql.
type session struct {
	*testing.T
	conn *pgx.Conn
}

func connect(t *testing.T, dsn string) session {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // what a test leaves is removed after it
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return session{t, conn}
}

// as names the tenant of the session.
func (s session) as(tenant string) session {
	s.do("SELECT set_config('counterfoil.tenant', '" + tenant + "', false)")
	return s
}

// do runs a statement that must succeed, and tells how many rows it touched.
func (s session) do(text string) int64 {
	s.Helper()
	tag, err := s.conn.Exec(context.Background(), text)
	if err != nil {
		s.Fatalf("%s: %v", text, err)
	}
	return tag.RowsAffected()
}

// refused runs a statement that must fail with a code.
func (s session) refused(code, text string) {
	s.Helper()
	tag, err := s.conn.Exec(context.Background(), text)
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != code {
		s.Errorf("%s: %s, %v; want SQLSTATE %s", text, tag, err, code)
	}
}

const (
	noRight = "42501" // insufficient_privilege, also of row-level security
	raised  = "P0001" // by a trigger
)

// two makes a database with two tenants, each with a value in a scope.
func two(t *testing.T) *pgtest.Database {
	t.Helper()
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	for _, tenant := range []string{"acme", "globex"} {
		p := seed(t, s, tenant)
		m := p.Value("v")
		effect := p.Tokenize(m)
		effect.Source = storagetest.Digest("doc")
		commit(t, s, tenant, effect)
	}
	return db
}

// seed makes a tenant and a scope in it.
func seed(t testing.TB, s storagetest.Stores, tenant string) storagetest.Place {
	t.Helper()
	commit(t, s, tenant, storagetest.Provision())
	p := storagetest.NewPlace(tenant, "scope", time.Now())
	commit(t, s, tenant, p.Open())
	return p
}

func commit(t testing.TB, s storagetest.Stores, tenant string, effect vault.Effect) vault.Committed {
	t.Helper()
	c, err := s.Store.Commit(t.Context(), tenant, storagetest.Change(t, tenant, effect))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everyTable are the tables that hold rows of tenants.
var everyTable = []string{
	"tenants", "tenant_keys", "scopes", "subjects", "data_keys", "mappings", "mapping_subjects",
	"mapping_sources", "claims", "entries", "entry_terms", "log_nodes", "log_heads", "notes",
	"holds", "hold_terms", "erasures", "tombstones",
	"subject_requests", "subject_request_lookups", "subject_request_notes", "mapping_destinations",
	"erasure_destinations", "erasure_common", "suppressions", "proceedings", "budget_hours", "notices", "grant_uses",
}

// logTables are those whose rows never change.
var logTables = []string{"entries", "entry_terms", "log_nodes"}

// TestInvariant6_RowsOfAnotherTenant: by no role is a row of another tenant
// read, with or without a tenant named, nor written.
func TestInvariant6_RowsOfAnotherTenant(t *testing.T) {
	db := two(t)
	for name, dsn := range map[string]string{"app": db.App, "destroy": db.Destroy, "audit": db.Audit, "owner": db.Owner} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, dsn)
			for _, table := range everyTable {
				// The owner may list tenants: that is how the list is made.
				listed := name == "owner" && (table == "tenants" || table == "log_heads")
				for _, tenant := range []string{"", "nobody", "Acme", "acme"} {
					s.as(tenant)
					if n := s.do("SELECT tenant FROM " + table + " WHERE tenant <> '" + tenant + "'"); n != 0 && !listed {
						t.Errorf("as %q, %d rows of others in %s", tenant, n, table)
					}
				}
			}
			s.as("acme")
			if n := s.do("SELECT idx FROM entries"); n == 0 {
				t.Error("as acme, no entries: the test sees nothing")
			}
			s.do("RESET counterfoil.tenant")
			if n := s.do("SELECT idx FROM entries"); n != 0 {
				t.Errorf("without a tenant, %d entries", n)
			}
		})
	}
	app := connect(t, db.App).as("acme")
	app.refused(noRight, "INSERT INTO tenants (tenant, created_at) VALUES ('initech', 1)")
	app.refused(noRight, "INSERT INTO notes (tenant, kind, ord, body, at) VALUES ('globex', 'x', 1, '', 1)")
	if n := app.do("UPDATE mappings SET state = 'retired' WHERE tenant = 'globex'"); n != 0 {
		t.Errorf("%d rows of another tenant were changed", n)
	}
	destroy := connect(t, db.Destroy).as("acme")
	if n := destroy.do("DELETE FROM mappings WHERE tenant = 'globex'"); n != 0 {
		t.Errorf("%d rows of another tenant were deleted", n)
	}
}

// Twin: where row-level security is off, the same reads give rows.
func TestInvariant6_TwinRowsOfAnotherTenant(t *testing.T) {
	db := two(t)
	connect(t, db.Owner).do("ALTER TABLE entries DISABLE ROW LEVEL SECURITY")
	if n := connect(t, db.App).as("acme").do("SELECT idx FROM entries WHERE tenant <> 'acme'"); n == 0 {
		t.Error("no rows of others: the test would not have seen the wall fall")
	}
}

// TestInvariant11_NobodyChangesTheLog: not the roles of the service, for they
// have no right to; nor the owner, by trigger.
func TestInvariant11_NobodyChangesTheLog(t *testing.T) {
	db := two(t)
	for name, dsn := range map[string]string{"app": db.App, "destroy": db.Destroy, "audit": db.Audit} {
		s := connect(t, dsn).as("acme")
		for _, table := range logTables {
			for _, text := range []string{"UPDATE %s SET tenant = tenant", "DELETE FROM %s", "TRUNCATE %s CASCADE"} {
				s.refused(noRight, fmt.Sprintf(text, table))
			}
			s.refused(noRight, "ALTER TABLE "+table+" DISABLE TRIGGER ALL; -- as "+name)
		}
	}
	for _, tenant := range []string{"acme", ""} {
		owner := connect(t, db.Owner).as(tenant)
		for _, table := range logTables {
			for _, text := range []string{"UPDATE %s SET tenant = tenant", "DELETE FROM %s", "TRUNCATE %s CASCADE"} {
				owner.refused(raised, fmt.Sprintf(text, table))
			}
		}
	}
	connect(t, db.Audit).as("acme").refused(noRight, "INSERT INTO notes (tenant, kind, ord, body, at) VALUES ('acme', 'x', 1, '', 1)")
}

// TestEntriesHaveNoGap: whoever inserts without the head is stopped.
func TestInvariant11_EntriesHaveNoGap(t *testing.T) {
	db := two(t)
	const insert = "INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq) SELECT 'acme', %s, '{}', decode(repeat('00', 32), 'hex'), 1, 'c' || g, 0 FROM generate_series(%s) AS g"
	app := connect(t, db.App).as("acme")
	app.refused(raised, fmt.Sprintf(insert, "g", "7, 7"))
	app.refused(raised, fmt.Sprintf(insert, "g * 2 - 3", "3, 4"))
	app.refused("23505", fmt.Sprintf(insert, "g", "2, 2"))
	if n := app.do(fmt.Sprintf(insert, "g", "3, 5")); n != 3 {
		t.Errorf("%d entries in a row", n)
	}
}

// TestInvariant11_PruneIsTheOwners: leaves are taken out by the owner alone, who says
// so, until the end of the transaction; and nothing else is changed then either.
func TestInvariant11_PruneIsTheOwners(t *testing.T) {
	db := two(t)
	const lift = "SELECT set_config('counterfoil.prune', 'entries', %t)"
	const prune = "UPDATE entries SET leaf = NULL WHERE tenant = 'acme' AND idx = 0"
	const forget = "DELETE FROM entry_terms WHERE tenant = 'acme' AND idx = 0"
	for _, dsn := range []string{db.App, db.Destroy, db.Audit} {
		s := connect(t, dsn).as("acme")
		s.do(fmt.Sprintf(lift, false))
		s.refused(noRight, prune)
		s.refused(noRight, forget)
	}
	owner := connect(t, db.Owner).as("acme")
	owner.do("BEGIN")
	owner.do(fmt.Sprintf(lift, true))
	owner.refused(raised, prune) // no entry of the log says that anything is pruned
	owner.do("ROLLBACK")
	connect(t, db.Admin).do("INSERT INTO entry_terms VALUES ('acme', 'kind', 'prune', 2), ('globex', 'kind', 'prune', 2)")
	// Even somebody who was given the right is not the owner.
	owner.do("GRANT UPDATE ON entries TO counterfoil_app")
	owner.do("GRANT DELETE ON entry_terms TO counterfoil_app")
	app := connect(t, db.App).as("acme")
	app.do(fmt.Sprintf(lift, false))
	app.refused(raised, prune)
	app.refused(raised, forget)
	owner.refused(raised, prune)
	for _, other := range []string{
		forget, // its leaf is there
		"DELETE FROM entries WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = '{}' WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = leaf WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = NULL, leaf_hash = sha256('') WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = NULL, time = time + 1 WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = NULL, change_id = 'x' WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = NULL, seq = 7 WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entries SET leaf = NULL, idx = 100 WHERE tenant = 'acme' AND idx = 0",
		"UPDATE entry_terms SET term = 'x' WHERE tenant = 'acme' AND idx = 0",
		"UPDATE log_nodes SET hash = sha256('')", "DELETE FROM log_nodes",
		"TRUNCATE entries CASCADE", "TRUNCATE entry_terms", "TRUNCATE log_nodes",
	} {
		owner.do("BEGIN")
		owner.do(fmt.Sprintf(lift, true))
		owner.refused(raised, other)
		owner.do("ROLLBACK")
	}
	owner.do("BEGIN")
	owner.do(fmt.Sprintf(lift, true))
	if n := owner.do(prune); n != 1 {
		t.Errorf("the owner pruned %d leaves", n)
	}
	if n := owner.do(forget); n == 0 {
		t.Error("the terms of what is pruned stay")
	}
	owner.refused(raised, "UPDATE entries SET leaf = '{}' WHERE tenant = 'acme' AND idx = 0")
	owner.do("ROLLBACK")
	owner.do("BEGIN")
	owner.do(fmt.Sprintf(lift, true))
	owner.do(prune)
	if n := owner.do("UPDATE entries SET leaf = NULL WHERE tenant = 'globex'"); n != 0 {
		t.Errorf("%d leaves of another tenant were pruned", n)
	}
	owner.do("COMMIT")
	owner.refused(raised, "UPDATE entries SET leaf = NULL WHERE tenant = 'acme' AND idx = 1")
}

// Twin: without the guards of rows the owner, once let through, changes anything.
func TestInvariant11_TwinPruneIsTheOwners(t *testing.T) {
	db := two(t)
	owner := connect(t, db.Owner).as("acme")
	owner.do("ALTER TABLE entries DISABLE TRIGGER entries_only_leaf")
	owner.do("ALTER TABLE entry_terms DISABLE TRIGGER entry_terms_only_pruned")
	owner.do("BEGIN")
	owner.do("SELECT set_config('counterfoil.prune', 'entries', true)")
	if n := owner.do("UPDATE entries SET leaf = '{}', seq = 7 WHERE tenant = 'acme' AND idx = 0") + owner.do("DELETE FROM entry_terms WHERE idx = 1"); n < 2 {
		t.Errorf("%d rows were changed: the test would not have seen the guards fall", n)
	}
	owner.do("ROLLBACK")
}

// TestInvariant8_RightsOfTheApp: what serves destroys nothing, and changes of
// what stands only what it must.
func TestInvariant8_RightsOfTheApp(t *testing.T) {
	db := two(t)
	app := connect(t, db.App).as("acme")
	for _, table := range everyTable {
		if !slices.Contains([]string{"claims", "subject_request_lookups", "budget_hours", "notices", "grant_uses"}, table) {
			app.refused(noRight, "DELETE FROM "+table)
		}
		app.refused(noRight, "TRUNCATE "+table+" CASCADE")
	}
	for _, text := range []string{
		"UPDATE log_heads SET state = 'active'", "UPDATE log_heads SET min_wrap_version = 1",
		"INSERT INTO log_heads (tenant, frontier, last_time, state) VALUES ('acme', '', 1, 'active')",
		"UPDATE data_keys SET wrapped = ''", "UPDATE tenant_keys SET wrapped = ''", "UPDATE mappings SET sealed = ''",
		"UPDATE mappings SET max_expires_at = 1", "UPDATE mappings SET key_id = ''", "UPDATE scopes SET sealed_name = NULL",
		"UPDATE subjects SET subject_ref = ''", "UPDATE tenants SET created_at = 1", "CREATE TABLE mine (x int)",
		"UPDATE scopes SET ends_at = 1", "UPDATE holds SET released_at = 1", "UPDATE holds SET created_to = 1",
		"UPDATE hold_terms SET term = ''", "INSERT INTO erasures (tenant) VALUES ('acme')", "UPDATE erasures SET state = 'completed'",
		"INSERT INTO tombstones (tenant) VALUES ('acme')", "UPDATE tombstones SET swept_at = 1",
		"UPDATE log_heads SET retired_below = 1", "UPDATE erasures SET final_at = 1", "UPDATE erasures SET suppress_until = NULL",
		"INSERT INTO suppressions (tenant) VALUES ('acme')", "UPDATE suppressions SET until = 1",
		"INSERT INTO erasure_destinations (tenant) VALUES ('acme')", "INSERT INTO erasure_common (tenant) VALUES ('acme')",
		"UPDATE subject_requests SET kind = 'access'", "UPDATE subject_requests SET received_at = 1", "UPDATE subject_requests SET regime = ''",
		"UPDATE subject_requests SET reference = ''", "UPDATE subject_requests SET created_at = 1", "UPDATE subject_request_notes SET sealed = ''",
		"UPDATE subject_request_lookups SET lookup = ''", "UPDATE mapping_destinations SET first_sent = 1",
		"UPDATE mapping_destinations SET destination = ''", "UPDATE subjects SET sealed_identifier = NULL",
		"UPDATE proceedings SET kind = 'policy'", "UPDATE proceedings SET actor = ''", "UPDATE proceedings SET subject_ref = ''",
		"UPDATE proceedings SET created_at = 1", "UPDATE proceedings SET proceeding_id = ''",
		"UPDATE budget_hours SET hour = 1", "UPDATE budget_hours SET budget = ''",
		"UPDATE notices SET body = ''", "UPDATE notices SET kind = ''", "UPDATE notices SET created_at = 1",
		"UPDATE grant_uses SET drawn = false", "UPDATE grant_uses SET token_id = ''",
	} {
		app.refused(noRight, text)
	}
	destroy := connect(t, db.Destroy).as("acme")
	for _, text := range []string{
		"INSERT INTO mappings (tenant) VALUES ('acme')", "INSERT INTO subjects (tenant) VALUES ('acme')",
		"INSERT INTO mapping_subjects (tenant) VALUES ('acme')", "UPDATE mapping_subjects SET subject_ref = ''",
		"UPDATE mappings SET created_at = 1", "UPDATE mappings SET identity = ''", "UPDATE mappings SET max_expires_at = 1", "DELETE FROM claims",
		"INSERT INTO holds (tenant) VALUES ('acme')", "INSERT INTO hold_terms (tenant) VALUES ('acme')",
		"UPDATE holds SET created_to = 1", "UPDATE hold_terms SET term = ''", "DELETE FROM holds", "DELETE FROM hold_terms",
		"DELETE FROM erasures", "DELETE FROM tombstones", "UPDATE erasures SET erased_at = 1", "UPDATE erasures SET subject_ref = ''",
		"UPDATE tombstones SET key_id = ''", "UPDATE tombstones SET erased_at = 1", "TRUNCATE tombstones", "TRUNCATE erasures CASCADE",
		"UPDATE scopes SET living = true",
		"INSERT INTO subject_request_notes (tenant) VALUES ('acme')", "UPDATE subject_request_notes SET sealed = ''",
		"INSERT INTO mapping_destinations (tenant) VALUES ('acme')", "UPDATE mapping_destinations SET last_sent = 1",
		"DELETE FROM mapping_destinations", "DELETE FROM erasure_destinations", "DELETE FROM erasure_common",
		"UPDATE erasure_common SET entity = ''", "UPDATE erasure_destinations SET destination = ''", "UPDATE suppressions SET scope = ''",
		"UPDATE subject_requests SET kind = 'access'", "UPDATE subject_requests SET received_at = 1", "UPDATE subject_requests SET reference = ''",
		"UPDATE tombstones SET wrap_version = 1", "UPDATE tombstones SET rekeyed = false", "TRUNCATE suppressions",
		"INSERT INTO tenants (tenant, created_at) VALUES ('acme', 1)", "UPDATE data_keys SET sealed = 0",
		"UPDATE subjects SET subject_ref = ''", "DELETE FROM log_heads", "DELETE FROM tenants", "DELETE FROM tenant_keys",
		"INSERT INTO proceedings (tenant) VALUES ('acme')", "UPDATE proceedings SET body = ''", "UPDATE proceedings SET expires_at = NULL",
		"UPDATE proceedings SET due_at = NULL", "UPDATE proceedings SET actor = ''", "TRUNCATE proceedings",
		"INSERT INTO budget_hours (tenant) VALUES ('acme')", "UPDATE budget_hours SET spent = 1", "DELETE FROM budget_hours",
		"UPDATE notices SET next_at = 1", "UPDATE notices SET attempts = 0", "DELETE FROM notices",
		"INSERT INTO grant_uses (tenant) VALUES ('acme')", "UPDATE grant_uses SET drawn = false", "DELETE FROM grant_uses",
	} {
		destroy.refused(noRight, text)
	}
	if n := destroy.do("DELETE FROM mappings"); n != 1 {
		t.Errorf("destroy deleted %d mappings", n)
	}
	if n := destroy.do("SELECT token_id FROM mapping_sources"); n != 0 {
		t.Errorf("%d sources outlived their mapping", n)
	}
	audit := connect(t, db.Audit).as("globex")
	for _, table := range everyTable {
		audit.do("SELECT tenant FROM " + table)
		audit.refused(noRight, "DELETE FROM "+table)
	}
	if n := audit.do("SELECT tenant FROM counterfoil_tenants()"); n != 2 {
		t.Errorf("the list has %d tenants", n)
	}
}
