package sqlite_test

import (
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
)

// statementsOf reads the constants of this package whose names begin with sql.
// They are written out, or joined from constants of the package.
func statementsOf(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := make(map[string]ast.Expr)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.CONST {
				for _, spec := range decl.Specs {
					if value := spec.(*ast.ValueSpec); len(value.Values) == 1 {
						constants[value.Names[0].Name] = value.Values[0]
					}
				}
			}
			return true
		})
	}
	found := make(map[string]string)
	for name, expr := range constants {
		if strings.HasPrefix(name, "sql") {
			found[name] = textOf(t, constants, expr)
		}
	}
	if len(found) < 60 {
		t.Fatalf("only %d statements were found: the test does not see them", len(found))
	}
	return found
}

func textOf(t *testing.T, constants map[string]ast.Expr, expr ast.Expr) string {
	t.Helper()
	switch e := expr.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.BinaryExpr:
		return textOf(t, constants, e.X) + textOf(t, constants, e.Y)
	case *ast.Ident:
		if constants[e.Name] != nil {
			return textOf(t, constants, constants[e.Name])
		}
	}
	t.Fatalf("a statement is put together from %T", expr)
	return ""
}

// faultsOf says what is wrong with a statement: every column is named, and
// every table but the list of tenants is entered by tenant.
func faultsOf(text string) (wrong []string) {
	if regexp.MustCompile(`SELECT \*|\.\*|, \*`).MatchString(text) {
		wrong = append(wrong, "columns are not named")
	}
	made := make(map[string]bool) // by the statement itself, of rows that were entered so
	for _, m := range regexp.MustCompile(`([a-z_]+) \([a-z_,\s]+\) AS (?:MATERIALIZED )?\(`).FindAllStringSubmatch(text, -1) {
		made[m[1]] = true
	}
	tables := regexp.MustCompile(`(?:FROM|JOIN|UPDATE|INTO) ([a-z_]+)(?: AS ([a-z]))?`).FindAllStringSubmatch(text, -1)
	for _, m := range tables {
		table, alias := m[1], m[2]
		switch {
		case table == "json_each", made[table]:
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

// few are steps over what is few: holds that stand, tombstones that are still to
// be swept, erasures that wait or are not final yet, the policy that is in force,
// and no table at all.
var few = regexp.MustCompile(` INDEX (?:holds_standing|tombstones_unswept|erasures_deferred|erasures_not_final|proceedings_policy) |^SCAN CONSTANT ROW`)

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
		if few.MatchString(detail) {
			continue
		}
		// j is what json_each unpacks, r what the statement has found before; a
		// log has one head.
		if regexp.MustCompile(`^SCAN [^jr]|^SEARCH [^h]\S* .*\(tenant=\?\)|^USE TEMP B-TREE FOR ORDER BY`).MatchString(detail) {
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
	// asked for by id; the head is one row of its tenant. A match may be about
	// all that a tenant has, and an inventory and an exposure are; of a person, what was found is
	// sorted. Whom nothing is about any more is found by looking at everybody.
	allowed := map[string]string{"sqlTenants": "", "sqlTenantKeys": "", "sqlKeysByID": "", "sqlUpdateHead": "",
		"sqlSetState": "", "sqlRaiseWrap": "", "sqlStaleTenantKeys": "", "sqlReach": "", "sqlSightings": "USE TEMP B-TREE",
		"sqlPersonTokens": "USE TEMP B-TREE", "sqlRetireVersions": "", "sqlInventory": "SEARCH m", "sqlInventoryRecords": "",
		"sqlStaleSubjects": "SEARCH p", "sqlProceedingsOfPersons": "USE TEMP B-TREE", "sqlExposure": "SEARCH d"}
	for name, text := range statementsOf(t) {
		steps, some := allowed[name]
		found := slices.DeleteFunc(scans(t, db, text), func(step string) bool { return some && strings.HasPrefix(step, steps) })
		if len(found) > 0 {
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
