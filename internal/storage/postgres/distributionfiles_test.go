package postgres_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/migrations"
)

// Until distributedFrom the migrations make the tables that are then distributed. From
// it on they may meet a database that is.
const distributedFrom = "009"

// refusedByCitus is what no file may say: as of its documentation and its source
// (citusdata/citus, src/backend/distributed/commands) it is refused on distributed
// tables, or when they are distributed, or does not keep the order that we would want.
var refusedByCitus = []struct{ what, pattern string }{
	{"a sequence", `\b(CREATE|ALTER) SEQUENCE\b|\b(SMALL|BIG)?SERIAL\b|\bNEXTVAL\b|\bAS IDENTITY\b`},
	{"a rule", `\bCREATE (OR REPLACE )?RULE\b`},
	{"a view", `\bCREATE (OR REPLACE )?(RECURSIVE |MATERIALIZED )?VIEW\b`},
	{"a table that is none of the ordinary", `\bCREATE (TEMP|TEMPORARY|UNLOGGED|FOREIGN) TABLE\b|\bINHERITS?\b|\bPARTITION (BY|OF)\b`},
	{"an exclusion", `\bEXCLUDE USING\b`},
	{"a key that changes with another", `\bON UPDATE (CASCADE|SET)\b|\bON DELETE SET\b`},
	{"a change of the tenant's column", `\b(ALTER|DROP|RENAME) (COLUMN )?TENANT\b`},
	{"a large object", `\bLO_(CREATE|IMPORT|PUT)\b`},
}

// refusedLater is what no file may say that may meet distributed tables.
var refusedLater = []struct{ what, pattern string }{
	{"a trigger", `\bCREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER\b|\b(ENABLE|DISABLE) TRIGGER\b`},
	{"a column with a rule that has no name", `\bADD COLUMN [^,;]*\b(CHECK|REFERENCES|UNIQUE|PRIMARY KEY)\b`},
	{"a named rule together with other changes", `\bALTER TABLE [^;]*\bADD CONSTRAINT [^;]*,\s*(ADD|DROP|ALTER)\b|\bALTER TABLE [^;]*,\s*ADD CONSTRAINT\b`},
}

// refusedIn tells what of a file's statements would be refused.
func refusedIn(name, text string) (wrong []string) {
	text = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(text, "")
	text = strings.ToUpper(regexp.MustCompile(`\s+`).ReplaceAllString(text, " "))
	rules := refusedByCitus
	if name >= distributedFrom {
		rules = slices.Concat(rules, refusedLater)
	}
	for _, r := range rules {
		if regexp.MustCompile(r.pattern).MatchString(text) {
			wrong = append(wrong, r.what)
		}
	}
	return wrong
}

// TestDistribution_Files: no migration says what Citus refuses, as far as its text tells.
func TestDistribution_Files(t *testing.T) {
	files, err := fs.Glob(migrations.Postgres, "*.sql")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(migrations.Postgres, name)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := refusedIn(name, string(text)); len(wrong) > 0 {
			t.Errorf("%s has %q", name, wrong)
		}
	}
}

// Twin: each of these is noticed, in a file of its time.
func TestDistribution_TwinFiles(t *testing.T) {
	for text, want := range map[string]string{
		"CREATE SEQUENCE s":                                                           "a sequence",
		"CREATE TABLE t (\n    n bigserial\n)":                                        "a sequence",
		"n bigint GENERATED ALWAYS AS\n IDENTITY":                                     "a sequence",
		"create rule r as on delete to t do instead nothing":                          "a rule",
		"CREATE MATERIALIZED VIEW v AS SELECT 1":                                      "a view",
		"CREATE UNLOGGED TABLE t (tenant text)":                                       "a table that is none of the ordinary",
		"CREATE TABLE t (tenant text) PARTITION BY HASH (tenant)":                     "a table that is none of the ordinary",
		"ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (tenant WITH =)":           "an exclusion",
		"FOREIGN KEY (tenant) REFERENCES tenants (tenant) ON UPDATE CASCADE":          "a key that changes with another",
		"ALTER TABLE t ALTER COLUMN tenant TYPE varchar":                              "a change of the tenant's column",
		"CREATE TRIGGER x BEFORE UPDATE ON notes EXECUTE FUNCTION f()":                "a trigger",
		"ALTER TABLE t ADD COLUMN n bigint NOT NULL DEFAULT 1 CHECK (n > 0)":          "a column with a rule that has no name",
		"ALTER TABLE t\n    ADD COLUMN n bigint,\n    ADD CONSTRAINT x CHECK (n > 0)": "a named rule together with other changes",
		"ALTER TABLE t ADD CONSTRAINT x CHECK (n > 0), DROP COLUMN m":                 "a named rule together with other changes",
	} {
		if wrong := refusedIn(distributedFrom+"_x.sql", text); !slices.Contains(wrong, want) {
			t.Errorf("%s: %q, want %q", text, wrong, want)
		}
	}
	for _, text := range []string{"-- CREATE SEQUENCE s", "CREATE TABLE t (tenant text COLLATE \"C\" NOT NULL, PRIMARY KEY (tenant))",
		"ALTER TABLE t ADD CONSTRAINT x CHECK (a IN (1, 2)); ALTER TABLE t DROP CONSTRAINT y"} {
		if wrong := refusedIn(distributedFrom+"_x.sql", text); len(wrong) > 0 {
			t.Errorf("%s: %q", text, wrong)
		}
	}
}

// locks matches what a statement takes rows by.
var locks = regexp.MustCompile(`\bFOR (NO KEY )?(UPDATE|SHARE|KEY SHARE)\b|\bSKIP LOCKED\b`)

// unspread tells whether a statement locks rows of more than one tenant, which no
// machine alone can do where tenants are on many.
func unspread(text string) bool {
	return locks.MatchString(text) && (len(faultsOf(text)) > 0 || !strings.Contains(text, ".tenant = $1"))
}

// TestDistribution_LocksAreOfOneTenant: rows are locked within one tenant alone.
func TestDistribution_LocksAreOfOneTenant(t *testing.T) {
	seen := 0
	for name, text := range statementsOf(t) {
		if locks.MatchString(text) {
			seen++
		}
		if unspread(text) {
			t.Errorf("%s locks rows of more than one tenant", name)
		}
	}
	if seen < 3 {
		t.Errorf("only %d statements lock rows: the test does not see them", seen)
	}
	for _, twin := range []string{
		`SELECT o.notice_id FROM notices AS o WHERE o.next_at <= $1 ORDER BY o.next_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
		`SELECT o.notice_id FROM notices AS o JOIN tenants AS t ON t.tenant = o.tenant WHERE o.tenant = $1 FOR SHARE`,
	} {
		if !unspread(twin) {
			t.Errorf("twin: nothing is wrong with %s", twin)
		}
	}
}
