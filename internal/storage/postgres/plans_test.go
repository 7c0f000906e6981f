package postgres_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/migrations"
)

// TestTreesOfMigrations: a version is the same of both stores.
func TestTreesOfMigrations(t *testing.T) {
	names := func(tree fs.FS) []string {
		found, err := fs.Glob(tree, "*.sql")
		if err != nil || len(found) == 0 {
			t.Fatalf("%d files, %v", len(found), err)
		}
		return found
	}
	if diff := cmp.Diff(names(migrations.SQLite), names(migrations.Postgres)); diff != "" {
		t.Error(diff)
	}
	// And so are its tables, their columns and whether these may be NULL.
	got := columnsOf(t, migrations.Postgres)
	if diff := cmp.Diff(columnsOf(t, migrations.SQLite), got); diff != "" || len(got) < 190 {
		t.Errorf("%d columns: %s", len(got), diff)
	}
}

var (
	createsTable = regexp.MustCompile(`^CREATE TABLE (\w+)`)
	altersTable  = regexp.MustCompile(`^ALTER TABLE (\w+)`)
	namesColumn  = regexp.MustCompile(`^(?:    |.*ADD COLUMN )([a-z_]+) +(?:TEXT|INTEGER|BLOB|text|bigint|boolean|bytea)\b`)
)

// columnsOf is what migrations come to: the columns of each table, and whether
// they may be NULL. One that makes a table anew takes the place of the first.
func columnsOf(t *testing.T, tree fs.FS) map[string]bool {
	t.Helper()
	files, err := fs.Glob(tree, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, name := range files {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		table := ""
		for line := range strings.Lines(string(text)) {
			if m := createsTable.FindStringSubmatch(line); m != nil {
				table = m[1]
				for column := range found {
					if strings.HasPrefix(column, table+".") {
						delete(found, column)
					}
				}
			}
			if m := altersTable.FindStringSubmatch(line); m != nil {
				table = m[1]
			}
			if m := namesColumn.FindStringSubmatch(line); m != nil && (!strings.Contains(line, ";") || strings.Contains(line, "ADD COLUMN")) {
				found[table+"."+m[1]] = strings.Contains(line, "NOT NULL")
			}
		}
	}
	return found
}

// statementsOf reads the constants of this package whose names begin with sql.
// A statement may have pieces that are constants too, and nothing else.
func statementsOf(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	values := constantsOf(t)
	for name, value := range values {
		if strings.HasPrefix(name, "sql") {
			text, err := textOf(value, values)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			found[name] = text
		}
	}
	if len(found) < 150 {
		t.Fatalf("only %d statements were found: the test does not see them", len(found))
	}
	return found
}

// textOf is the value of a constant.
func textOf(value ast.Expr, values map[string]ast.Expr) (string, error) {
	switch e := value.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.Ident:
		if values[e.Name] == nil {
			return "", fmt.Errorf("%s is no constant", e.Name)
		}
		return textOf(values[e.Name], values)
	case *ast.BinaryExpr:
		left, lerr := textOf(e.X, values)
		right, rerr := textOf(e.Y, values)
		return left + right, errors.Join(lerr, rerr)
	default:
		return "", fmt.Errorf("it is put together by a %T", value)
	}
}

// constantsOf reads the constants of this package, and the variables whose
// names begin with sql, which there are not to be.
func constantsOf(t *testing.T) map[string]ast.Expr {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]ast.Expr)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST && decl.Tok != token.VAR {
				return true
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				for i, value := range spec.Values {
					if decl.Tok == token.CONST {
						found[spec.Names[i].Name] = value
					} else if strings.HasPrefix(spec.Names[i].Name, "sql") {
						t.Errorf("%s: %s is no constant", name, spec.Names[i].Name)
					}
				}
			}
			return true
		})
	}
	return found
}

// faultsOf says what is wrong with a statement: every column is named, and
// every table of tenants is entered by tenant, by row-level security and by
// the statement itself.
func faultsOf(text string) (wrong []string) {
	if regexp.MustCompile(`SELECT \*|\.\*|, \*`).MatchString(text) {
		wrong = append(wrong, "columns are not named")
	}
	tables := regexp.MustCompile(`(?:FROM|JOIN|UPDATE|INTO|USING) ([a-z_]+)(?: AS ([a-z])\b)?`).FindAllStringSubmatch(text, -1)
	for _, m := range tables {
		table, alias := m[1], m[2]
		switch {
		case table == "unnest", table == "clock_timestamp", table == "statement_timestamp":
		case strings.Contains(text, "WITH "+table+" AS"), strings.Contains(text, "WITH RECURSIVE "+table+" ("), strings.Contains(text, "), "+table+" AS MATERIALIZED ("):
		case strings.Contains(text, "INSERT INTO "+table):
			if !strings.Contains(text, "INSERT INTO "+table+" (tenant, ") {
				wrong = append(wrong, table+" is written without a tenant")
			}
		case alias != "" && !regexp.MustCompile(`\b`+alias+`\.tenant = \$1`).MatchString(text),
			alias == "" && !strings.Contains(text, "WHERE tenant = $1"):
			wrong = append(wrong, table+" is not entered by tenant")
		}
	}
	return wrong
}

// Those that are about no tenant: the list of all, and what Open looks at.
var noTenant = map[string]bool{
	"sqlTenants": true, "sqlServer": true, "sqlVersion": true, "sqlWho": true, "sqlOpenTables": true, "sqlRights": true,
}

func TestInvariant6_StatementsNameTenantAndColumns(t *testing.T) {
	for name, text := range statementsOf(t) {
		if wrong := faultsOf(text); len(wrong) > 0 && !noTenant[name] {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

func TestInvariant6_TwinStatements(t *testing.T) {
	for _, text := range []string{
		`SELECT * FROM mappings AS m WHERE m.tenant = $1`,
		`SELECT m.sealed FROM mappings AS m WHERE m.scope_id = $1`,
		`SELECT m.sealed FROM mappings AS m JOIN data_keys AS k ON k.key_id = m.key_id WHERE m.tenant = $1`,
		`DELETE FROM mappings WHERE scope_id = $1`,
		`UPDATE mappings SET state = 'live' WHERE token_id = $1`,
		`WITH found AS (SELECT m.token_id FROM mappings AS m) SELECT f.token_id FROM found AS f`,
		`INSERT INTO notes (kind, body, at) VALUES ($1, $2, $3)`,
	} {
		if len(faultsOf(text)) == 0 {
			t.Errorf("nothing is wrong with %s", text)
		}
	}
}

// plan is a node of what EXPLAIN says.
type plan struct {
	Node  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Index string `json:"Index Name"`
	Cond  string `json:"Index Cond"`
	Plans []plan `json:"Plans"`
}

// walks returns the steps of a plan that look at rows which they do not
// select: all of a table, or all of a tenant. How many those are grows with
// what is stored.
func (p plan) walks() (found []string) {
	cond := strings.NewReplacer("current_setting('counterfoil.tenant'::text, true)", "$1", "($1)::text", "$1").Replace(p.Cond)
	beside := regexp.MustCompile(`\((\w+\.)?tenant = \$1\)|AND|\(|\)|\s`).ReplaceAllString(cond, "")
	switch {
	case p.Node == "Seq Scan" && p.Table != "":
		found = append(found, "all of "+p.Table)
	case strings.Contains(p.Node, "Index") && p.Index != "" && beside == "" && p.Table != "log_heads" && p.Table != "tenants":
		found = append(found, "a tenant's "+p.Table+" by "+p.Index)
	}
	for _, below := range p.Plans {
		found = append(found, below.walks()...)
	}
	return found
}

// explain plans a statement as the server does once it plans it for good: for
// any parameters. The role is one that may run it.
func explain(t *testing.T, as map[string]session, text string) (plan, bool) {
	t.Helper()
	n := 0
	for _, m := range regexp.MustCompile(`\$(\d+)`).FindAllStringSubmatch(text, -1) {
		if i, err := strconv.Atoi(m[1]); err == nil && i > n {
			n = i
		}
	}
	args := ""
	if n > 0 {
		args = "(" + strings.TrimSuffix(strings.Repeat("NULL,", n), ",") + ")"
	}
	var last error
	for _, role := range []string{"app", "destroy", "owner"} {
		conn := as[role].conn
		if _, err := conn.Exec(t.Context(), "PREPARE s AS "+text); err != nil {
			last = err
			continue
		}
		var raw []byte
		err := conn.QueryRow(t.Context(), "EXPLAIN (FORMAT json) EXECUTE s"+args).Scan(&raw)
		if _, derr := conn.Exec(t.Context(), "DEALLOCATE s"); derr != nil {
			t.Fatal(derr)
		}
		if err != nil {
			last = err
			continue
		}
		var plans []struct{ Plan plan }
		if err := json.Unmarshal(raw, &plans); err != nil {
			t.Fatal(err)
		}
		return plans[0].Plan, true
	}
	t.Logf("%v: %s", last, text)
	return plan{}, false
}

// TestStatementsUseIndexes: the cost of a statement depends on what it selects,
// not on what is stored. Plans are made as those of the store, which walk a
// whole table only where they have no index to go by.
func TestStatementsUseIndexes(t *testing.T) {
	db := filled(t, 6000)
	as := map[string]session{"app": connect(t, db.App).as("acme"), "destroy": connect(t, db.Destroy).as("acme"),
		"owner": connect(t, db.Owner).as("acme")}
	for _, s := range as {
		s.do("SET plan_cache_mode = force_generic_plan")
		s.do("SET enable_seqscan = off")
	}
	// These are about the few keys of a tenant, or walk along a partial index
	// whose every row they want.
	allowed := map[string]bool{
		"sqlTenantKeys": true, "sqlStaleTenantKeys": true, "sqlRewrapTenantKeys": true, "sqlIdleKeys": true,
		"sqlReachOfAll": true, "sqlErasedMappings": true, "sqlSweptTombstones": true,
		"sqlTenantWrappedBelow": true, "sqlMarkFinal": true, "sqlStandingPolicy": true,
		"sqlInventory": true, "sqlInventoryLines": true, "sqlExposure": true, // which are asked by people, and rarely
	}
	planned := 0
	for name, text := range statementsOf(t) {
		if noTenant[name] || !regexp.MustCompile(`(?s)^\s*(SELECT .*FROM|WITH|UPDATE|DELETE|INSERT)`).MatchString(text) ||
			name == "sqlNow" || name == "sqlWritable" {
			continue
		}
		p, ok := explain(t, as, text)
		if !ok {
			t.Errorf("%s was not planned", name)
			continue
		}
		planned++
		if found := p.walks(); len(found) > 0 && !allowed[name] {
			t.Errorf("%s: %v", name, found)
		}
	}
	if planned < 140 {
		t.Errorf("only %d statements were planned", planned)
	}
	for _, text := range []string{
		`SELECT m.sealed FROM mappings AS m WHERE m.sealed = $1`,
		`SELECT m.sealed FROM mappings AS m WHERE m.tenant = $1 AND m.sealed = $2`,
		`SELECT e.leaf FROM entries AS e WHERE e.tenant = $1 AND e.leaf_hash = $2`,
	} {
		if p, ok := explain(t, as, text); !ok || len(p.walks()) == 0 {
			t.Errorf("twin: the cost of %s is not seen in %+v", text, p)
		}
	}
}

// filled is a database with so many living mappings in each of two tenants, in
// scopes of two, with everything that goes with them.
func filled(t *testing.T, mappings int) *pgtest.Database {
	t.Helper()
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	for _, tenant := range []string{"acme", "globex"} {
		seed(t, s, tenant)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	fill(t, db, mappings)
	connect(t, db.Admin).do("ANALYZE")
	return db
}

// fill adds living mappings by the superuser, whom nothing holds back.
func fill(t *testing.T, db *pgtest.Database, mappings int) {
	t.Helper()
	s := connect(t, db.Admin)
	s.do("SET session_replication_role = replica") // no triggers: these entries are not a log
	const far = "9000000000000000"
	for _, tenant := range []string{"acme", "globex"} {
		run := func(text string) {
			s.do(strings.NewReplacer("$T", "'"+tenant+"'", "$N", strconv.Itoa(mappings), "$S", strconv.Itoa(mappings/2), "$F", far).Replace(text))
		}
		run(`INSERT INTO scopes (tenant, scope_id, digest, index_version, kind, client, sealed_name, name_key_id, idle_ttl, created_at, ends_at, living)
			SELECT $T, 's' || g, sha256(('s' || g)::bytea), 1, 'conversation', 'gw', 'x', 'k' || g, 1, 1, $F, true FROM generate_series(1, $S) AS g`)
		run(`INSERT INTO data_keys (tenant, key_id, scope_id, wrapped, wrap_version, sealed, created_at)
			SELECT $T, 'k' || g, 's' || g, 'w', 3, 10, g FROM generate_series(1, $S) AS g`)
		run(`INSERT INTO data_keys (tenant, key_id, subject_ref, wrapped, wrap_version, sealed, created_at)
			SELECT $T, 'q' || g, 'p' || g, 'w', 3, 10, g FROM generate_series(1, $S) AS g`)
		run(`INSERT INTO subjects (tenant, digest, index_version, subject_ref, sealed_identifier, key_id, created_at)
			SELECT $T, sha256(('p' || g)::bytea), 1, 'p' || g, 'x', 'k' || g, 1 FROM generate_series(1, $S) AS g`)
		run(`INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup, index_version, key_id, sealed, state, created_at, expires_at, max_expires_at)
			SELECT $T, 's' || (g % $S + 1), 't' || g, 'label', 'PERSON', 'c', sha256(g::text::bytea), sha256(g::text::bytea), 1, 'k' || (g % $S + 1), 'sealed', 'live', 1, $F - g, $F
			FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
			SELECT $T, 's' || (g % $S + 1), 't' || g, 'p' || (g % $S + 1), 'declared', 1 FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO mapping_sources (tenant, scope_id, source, token_id, created_at)
			SELECT $T, 's' || (g % $S + 1), sha256('d'), 't' || g, 1 FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO claims (tenant, claim, body, change_id, created_at)
			SELECT $T, sha256(g::text::bytea), sha256('b'), 'c', $F FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq)
			SELECT $T, g + 1000, '{}', sha256(g::text::bytea), g, 'c' || g, 0 FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO entry_terms (tenant, field, term, idx)
			SELECT $T, f, f || g % 100, g + 1000 FROM generate_series(1, $N) AS g, unnest(ARRAY['actor', 'kind', 'token']) AS f`)
		// A few holds stand, and many were released. None is about anything here.
		run(`INSERT INTO holds (tenant, hold_id, matter, reference, custodian, by_subject, by_lookup, by_scope, by_entity, by_class,
				created_from, created_to, existing_only, created_at, released_at)
			SELECT $T, 'h' || g, 'm', 'r', '', true, true, true, true, false, 0, $F, false, 1, CASE WHEN g > 10 THEN 1 END
			FROM generate_series(1, $S + 10) AS g`)
		run(`INSERT INTO hold_terms (tenant, hold_id, field, term)
			SELECT $T, 'h' || g, f, sha256(('no ' || f || t)::bytea) FROM generate_series(1, 10) AS g, generate_series(1, 50) AS t,
				unnest(ARRAY['subject', 'lookup', 'scope', 'entity']) AS f`)
		// Of the erasures most are completed, and swept.
		run(`INSERT INTO erasures (tenant, erasure_id, subject, subject_ref, reference, regime, identity_method, identity_reference,
				verified_by, verified_at, state, erased_at, completed_at, erased, shared, deferred, keys, rekeyed)
			SELECT $T, 'e' || g, CASE WHEN g <= 10 THEN sha256(('p' || g)::bytea) END, 'gone' || g, 'r', 'gdpr', 'm', 'r', 'v', 1,
				CASE WHEN g > 10 THEN 'completed' ELSE 'deferred' END, g, CASE WHEN g > 10 THEN g END, 0, 0, 0, 0, 0
			FROM generate_series(1, $S + 10) AS g`)
		run(`INSERT INTO tombstones (tenant, key_id, erasure_id, erased_at, swept_at)
			SELECT $T, 'gone' || g, 'e' || g, g, CASE WHEN g > 10 THEN g END FROM generate_series(1, $S + 10) AS g`)
		run(`INSERT INTO mapping_destinations (tenant, scope_id, token_id, destination, first_sent, last_sent)
			SELECT $T, 's' || (g % $S + 1), 't' || g, d, 1, 1 FROM generate_series(1, $N) AS g, unnest(ARRAY['a', 'b']) AS d`)
		run(`INSERT INTO erasure_destinations (tenant, erasure_id, destination, mappings, first_sent, last_sent)
			SELECT $T, 'e' || g, 'a', 1, 1, 1 FROM generate_series(1, $S) AS g`)
		run(`INSERT INTO erasure_common (tenant, erasure_id, entity) SELECT $T, 'e' || g, 'PERSON' FROM generate_series(1, $S) AS g`)
		run(`INSERT INTO suppressions (tenant, lookup, scope, until)
			SELECT $T, sha256(('no ' || g)::bytea), decode(repeat('00', 32), 'hex'), $F + g FROM generate_series(1, $N) AS g`)
		// Of the requests most are closed.
		run(`INSERT INTO subject_requests (tenant, request_id, revision, kind, regime, subject_ref, reference, state, assignee, refusal_code,
				extended, received_at, due_at, created_at, closed_at)
			SELECT $T, 'r' || g, 1, 'access', 'gdpr', 'p' || g, 'r', CASE WHEN g % 20 = 0 THEN 'open' ELSE 'completed' END, '', '',
				false, g, $F, g, CASE WHEN g % 20 > 0 THEN g + 1 END FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO subject_request_lookups (tenant, request_id, lookup)
			SELECT $T, 'r' || g, sha256(l::text::bytea) FROM generate_series(20, $N, 20) AS g, generate_series(1, 3) AS l`)
		run(`INSERT INTO subject_request_notes (tenant, request_id, note_id, author, key_id, sealed, created_at)
			SELECT $T, 'r' || g, 'n' || n, 'a', 'r' || g, 's', 1 FROM generate_series(1, $S) AS g, generate_series(1, 2) AS n`)
		// Of the proceedings most are closed; of some people there are consents.
		run(`INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, due_at, expires_at, created_at, closed_at, body)
			SELECT $T, k || g, k, 1, CASE WHEN g % 20 = 0 THEN 'pending' ELSE 'done' END, 'a' || g % 100,
				CASE WHEN k = 'consent' THEN 'q' || g ELSE '' END, g, $F, g, CASE WHEN g % 20 > 0 THEN g + 1 END, '{}'
			FROM generate_series(1, $S) AS g, unnest(ARRAY['approval', 'restoration', 'review', 'suspension', 'consent', 'policy', 'grant']) AS k`)
		run(`INSERT INTO grant_uses (tenant, grant_id, scope_id, token_id, drawn)
			SELECT $T, 'grant' || g % 200, 's' || (g % $S + 1), 't' || g, g % 2 = 0 FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO budget_hours (tenant, budget, hour, spent)
			SELECT $T, sha256((g % 500)::text::bytea), g - g % 500 + 1, 1 FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO notices (tenant, notice_id, kind, body, attempts, created_at, next_at)
			SELECT $T, 'n' || g, 'restore', '{}', 0, 1, $F + g FROM generate_series(1, $N) AS g`)
		run(`INSERT INTO log_nodes (tenant, level, n, hash)
			SELECT $T, 10 + g % 7, g, sha256('n') FROM generate_series(1, $N) AS g`)
	}
	if err := s.conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestSweepCostsWhatItSweeps: beside a hundred times as many living rows a
// sweep reads no more pages. Pages are counted by the server, so that the
// machine's speed does not matter.
func TestSweepCostsWhatItSweeps(t *testing.T) {
	living := []int{300, 30_000}
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		living = []int{10_000, 100_000, 1_000_000}
	}
	few := sweepPages(t, living[0])
	t.Logf("a sweep touches %d pages beside %d living mappings", few, living[0])
	for _, n := range living[1:] {
		many := sweepPages(t, n)
		t.Logf("a sweep touches %d pages beside %d living mappings", many, n)
		if many > 2*few {
			t.Errorf("%d pages beside %d living mappings, %d beside %d", few, living[0], many, n)
		}
	}
}

// sweepPages counts the pages that finding and sweeping 50 mappings touches.
func sweepPages(t *testing.T, living int) int64 {
	t.Helper()
	db := pgtest.New(t)
	var now = 1_000_000_000
	s := openAt(t, db, postgres.Config{AppConns: 1, DestroyConns: 1}, postgres.Hooks{})
	p := seed(t, s, "acme")
	seed(t, s, "globex")
	var ms []vault.NewMapping
	for i := range 50 {
		m := p.Value(fmt.Sprint(now, i))
		m.TTL = 1000 // a microsecond
		ms = append(ms, m)
	}
	commit(t, s, "acme", p.Tokenize(ms...))
	fill(t, db, living)
	admin := connect(t, db.Admin)
	alone(admin)
	admin.do("ANALYZE")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	awaitAlone(t, admin)
	before := pages(t, admin)
	s = s.Reopen()
	swept := 0
	for {
		sweep, err := s.Registry.Expired(t.Context(), "acme", 25)
		if err != nil {
			t.Fatal(err)
		}
		if len(sweep.Mappings) == 0 {
			break
		}
		swept += len(sweep.Mappings)
		commit(t, s, "acme", sweep)
	}
	if swept != 50 {
		t.Errorf("%d mappings were swept, want 50", swept)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	awaitAlone(t, admin)
	return pages(t, admin) - before
}

// alone keeps the server itself from looking at the tables meanwhile.
func alone(admin session) {
	for _, table := range everyTable {
		admin.do("ALTER TABLE " + table + " SET (autovacuum_enabled = false)")
	}
}

// pages is how many pages of tables and their indexes were touched so far. A session
// tells at most once a second what it touched: what admin did to fill the tables is
// told first, or it would be counted with what comes after.
func pages(t *testing.T, admin session) (n int64) {
	t.Helper()
	admin.do("SELECT pg_stat_force_next_flush()")
	err := admin.conn.QueryRow(t.Context(), `
		SELECT sum(heap_blks_read + heap_blks_hit + COALESCE(idx_blks_read + idx_blks_hit, 0))::bigint
		FROM pg_statio_user_tables WHERE relname <> 'goose_db_version'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCommitCostsWhatItWrites: where plans are made anew from time to time, as
// here each time, those that were made while the tables were empty do no harm,
// though nobody told the planner what is in the tables.
func TestCommitCostsWhatItWrites(t *testing.T) {
	few, many := commitPages(t, 2), commitPages(t, 20_000)
	t.Logf("20 commits touch %d pages beside nothing, %d beside 20,000 mappings", few, many)
	if many > 2*few {
		t.Errorf("20 commits touch %d pages beside nothing, %d beside 20,000 mappings", few, many)
	}
}

// commitPages counts the pages that tokenizing and restoring touches, on
// connections that have their plans, in a database that has no statistics.
func commitPages(t *testing.T, living int) int64 {
	t.Helper()
	db := pgtest.New(t)
	admin := connect(t, db.Admin)
	alone(admin)
	s := openAt(t, db, postgres.Config{AppConns: 1, DestroyConns: 1}, postgres.Hooks{
		Skip: func(guard string) bool { return guard == "plans are kept for a while" },
	})
	p := seed(t, s, "acme")
	seed(t, s, "globex")
	twenty := func(name string) {
		for i := range 20 {
			m := p.Value(fmt.Sprint(name, i))
			commit(t, s, "acme", p.Tokenize(m, p.Value("again")))
			commit(t, s, "acme", p.Restore(m))
			if _, err := s.Store.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: []string{m.Mapping.TokenID}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	twenty("first")
	fill(t, db, living)
	before := pages(t, admin)
	twenty("second")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	awaitAlone(t, admin)
	return pages(t, admin) - before
}

// awaitAlone waits until nobody else is connected.
func awaitAlone(t *testing.T, admin session) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if admin.do("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()") == 0 {
			return
		}
	}
	t.Fatal("somebody is still connected")
}
