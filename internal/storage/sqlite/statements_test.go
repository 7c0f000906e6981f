package sqlite_test

import (
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
)

// statementsOf reads the constants of this package whose names begin with sql.
func statementsOf(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "sql") {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: %s is put together from pieces", name, spec.Names[0].Name)
				return true
			}
			if found[spec.Names[0].Name], err = strconv.Unquote(literal.Value); err != nil {
				t.Fatal(err)
			}
			return true
		})
	}
	if len(found) < 50 {
		t.Fatalf("only %d statements were found: the test does not see them", len(found))
	}
	return found
}

// faultsOf says what is wrong with a statement: every column is named, and
// every table but the list of tenants is entered by tenant.
func faultsOf(text string) (wrong []string) {
	if regexp.MustCompile(`SELECT \*|\.\*|, \*`).MatchString(text) {
		wrong = append(wrong, "columns are not named")
	}
	tables := regexp.MustCompile(`(?:FROM|JOIN|UPDATE|INTO) ([a-z_]+)(?: AS ([a-z]))?`).FindAllStringSubmatch(text, -1)
	for _, m := range tables {
		table, alias := m[1], m[2]
		switch {
		case table == "json_each":
		case strings.Contains(text, "INSERT INTO "+table):
			if !strings.Contains(text, "INSERT INTO "+table+" (tenant, ") {
				wrong = append(wrong, table+" is written without a tenant")
			}
		case alias != "" && !regexp.MustCompile(`\b`+alias+`\.tenant = `).MatchString(text),
			alias == "" && !strings.Contains(text, "WHERE tenant = ?1") && !strings.Contains(text, "\nWHERE tenant = ?1"):
			wrong = append(wrong, table+" is not entered by tenant")
		}
	}
	return wrong
}

func TestInvariant6_StatementsNameTenantAndColumns(t *testing.T) {
	for name, text := range statementsOf(t) {
		if wrong := faultsOf(text); len(wrong) > 0 && name != "sqlTenants" {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

func TestInvariant6_TwinStatements(t *testing.T) {
	for _, text := range []string{
		`SELECT * FROM mappings AS m WHERE m.tenant = ?1`,
		`SELECT m.sealed FROM mappings AS m WHERE m.scope_id = ?1`,
		`SELECT m.sealed FROM mappings AS m JOIN data_keys AS k ON k.key_id = m.key_id WHERE m.tenant = ?1`,
		`DELETE FROM mappings WHERE scope_id = ?1`,
		`UPDATE mappings SET state = 'live' WHERE token_id = ?1`,
		`INSERT INTO notes (kind, body, at) VALUES (?1, ?2, ?3)`,
	} {
		if len(faultsOf(text)) == 0 {
			t.Errorf("nothing is wrong with %s", text)
		}
	}
}

// scans returns the steps of a statement's plan that walk a whole table, or
// all rows of a tenant, or sort.
func scans(t *testing.T, db *sql.DB, text string) (found []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+text, make([]any, 20)...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer func() { must(t, 0, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		// j is what json_each unpacks; a log has one head.
		if regexp.MustCompile(`^SCAN [^j]|^SEARCH [^h]\S* .*\(tenant=\?\)|^USE TEMP B-TREE FOR ORDER BY`).MatchString(detail) {
			found = append(found, detail)
		}
	}
	return found
}

// TestStatementsUseIndexes: the cost of a statement depends on what it
// selects, not on what is stored.
func TestStatementsUseIndexes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	if err := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{}).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, 0, db.Close()) }()
	// These list all tenants, the few keys of a tenant, or sort keys that were
	// asked for by id; the head is one row of its tenant.
	allowed := map[string]bool{"sqlTenants": true, "sqlTenantKeys": true, "sqlKeysByID": true, "sqlUpdateHead": true,
		"sqlSetState": true, "sqlRaiseWrap": true, "sqlStaleTenantKeys": true}
	for name, text := range statementsOf(t) {
		if found := scans(t, db, text); len(found) > 0 && !allowed[name] {
			t.Errorf("%s: %v", name, found)
		}
	}
	for _, text := range []string{
		`SELECT m.sealed FROM mappings AS m WHERE m.sealed = ?1`,
		`SELECT m.sealed FROM mappings AS m WHERE m.tenant = ?1 AND m.sealed = ?2`,
		`SELECT m.sealed FROM mappings AS m WHERE m.tenant = ?1 AND m.key_id = ?2 ORDER BY m.sealed`,
	} {
		if len(scans(t, db, text)) == 0 {
			t.Errorf("twin: the cost of %s is not seen", text)
		}
	}
}
