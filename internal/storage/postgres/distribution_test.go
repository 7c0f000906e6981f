package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// notDistributed are the tables without a tenant, which stay on one node, and why
// each may. Nothing that serves a tenant reads them.
var notDistributed = map[string]string{
	"goose_db_version": "the number of the schema, which migrations write and Open reads",
}

// distributionRules are what PostgreSQL with Citus asks of tables that it spreads by
// tenant, each as the list of what breaks it; $1 are the tables that it does not
// spread, $2 the triggers that are dropped first. They are stricter than Citus where the order of columns is the same to it.
var distributionRules = map[string]string{
	"a table is spread by its tenant": `
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL ($1) AND NOT EXISTS (
    SELECT 1 FROM pg_attribute AS a JOIN pg_collation AS l ON l.oid = a.attcollation
    WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND a.atttypid = 'text'::regtype AND a.attnotnull
        AND a.attgenerated = '' AND l.collname = 'C')`,
	"a table has a primary key, by which its rows are moved": `
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL ($1)
    AND NOT EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)`,
	"a key or an index begins with the tenant": `
SELECT i.indexrelid::regclass::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> ALL ($1) AND a.attname IS DISTINCT FROM 'tenant'`,
	"nothing is excluded": `
SELECT o.conname FROM pg_constraint AS o WHERE o.connamespace = 'public'::regnamespace AND o.contype = 'x'`,
	"a foreign key goes from tenant to tenant, and changes none": `
SELECT o.conname FROM pg_constraint AS o
JOIN pg_class AS c ON c.oid = o.conrelid JOIN pg_class AS f ON f.oid = o.confrelid
WHERE o.connamespace = 'public'::regnamespace AND o.contype = 'f' AND (
    c.relname = ANY ($1) OR f.relname = ANY ($1) OR o.confupdtype NOT IN ('a', 'r') OR o.confdeltype IN ('n', 'd')
    OR NOT EXISTS (
        SELECT 1 FROM unnest(o.conkey, o.confkey) AS k (ours, theirs)
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.ours
        JOIN pg_attribute AS b ON b.attrelid = f.oid AND b.attnum = k.theirs
        WHERE a.attname = 'tenant' AND b.attname = 'tenant'))`,
	"no number comes from a sequence": `
SELECT s.relname FROM pg_class AS s
WHERE s.relnamespace = 'public'::regnamespace AND s.relkind = 'S' AND NOT EXISTS (
    SELECT 1 FROM pg_depend AS d JOIN pg_class AS c ON c.oid = d.refobjid
    WHERE d.objid = s.oid AND d.deptype IN ('a', 'i') AND c.relname = ANY ($1))`,
	"no policy asks other tables": `
SELECT p.polname || ' on ' || p.polrelid::regclass FROM pg_policy AS p
WHERE p.polqual::text LIKE '%SUBLINK%' OR p.polwithcheck::text LIKE '%SUBLINK%'`,
	"there are tables, and nothing made of them": `
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND (c.relkind NOT IN ('r', 'i', 'S') OR c.relpersistence <> 'p'
    OR c.relispartition OR EXISTS (SELECT 1 FROM pg_inherits AS h WHERE h.inhrelid = c.oid)
    OR EXISTS (SELECT 1 FROM pg_rewrite AS r WHERE r.ev_class = c.oid))`,
	// Each is dropped before its table is spread: see triggers_test.go.
	"a trigger is one of those that nothing needs": `
SELECT t.tgname FROM pg_trigger AS t WHERE NOT t.tgisinternal AND t.tgname <> ALL ($2)`,
}

// undistributable tells what in a database keeps it from being spread by tenant.
func undistributable(t *testing.T, s session) (wrong []string) {
	t.Helper()
	lists := strings.NewReplacer("$1", "'{"+strings.Join(keys(notDistributed), ",")+"}'", "$2", "'{"+strings.Join(keys(spareTriggers), ",")+"}'")
	for rule, text := range distributionRules {
		for _, what := range column(t, s, lists.Replace(text)) {
			wrong = append(wrong, rule+": "+what)
		}
	}
	slices.Sort(wrong)
	return wrong
}

func keys(of map[string]string) (names []string) {
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// column is what a query selects, in its first column.
func column(t *testing.T, s session, text string) (found []string) {
	t.Helper()
	rows, err := s.conn.Query(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		found = append(found, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return found
}

// TestDistribution_SchemaIsByTenant: after all migrations the tables can be spread by
// tenant over many machines.
func TestDistribution_SchemaIsByTenant(t *testing.T) {
	s := connect(t, pgtest.New(t).Admin)
	if wrong := undistributable(t, s); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
	// The rules were asked of every table, and each exception is one.
	got := column(t, s, "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
	want := append(slices.Clone(everyTable), keys(notDistributed)...)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Twin: each of these is noticed, and by its rule.
func TestDistribution_TwinSchema(t *testing.T) {
	s := connect(t, pgtest.New(t).Admin)
	const plain = "CREATE TABLE extra (tenant text COLLATE \"C\" NOT NULL, id text, n bigint, PRIMARY KEY (tenant, id))"
	for change, want := range map[string]string{
		"CREATE TABLE extra (id text PRIMARY KEY)":                                                                      "a table is spread by its tenant: extra",
		"CREATE TABLE extra (tenant text NOT NULL, id text, PRIMARY KEY (tenant, id))":                                  "a table is spread by its tenant: extra",
		"CREATE TABLE extra (tenant text COLLATE \"C\" NOT NULL)":                                                       "a table has a primary key, by which its rows are moved: extra",
		plain + "; CREATE UNIQUE INDEX extra_n ON extra (n)":                                                            "a key or an index begins with the tenant: extra_n",
		plain + "; CREATE UNIQUE INDEX extra_n ON extra (n, tenant)":                                                    "a key or an index begins with the tenant: extra_n",
		plain + "; CREATE UNIQUE INDEX extra_n ON extra (lower(tenant))":                                                "a key or an index begins with the tenant: extra_n",
		plain + "; ALTER TABLE extra ADD CONSTRAINT extra_u UNIQUE (n)":                                                 "a key or an index begins with the tenant: extra_u",
		plain + "; ALTER TABLE extra ADD CONSTRAINT extra_x EXCLUDE (tenant WITH =, n WITH =)":                          "nothing is excluded: extra_x",
		plain + "; ALTER TABLE extra ADD CONSTRAINT extra_f FOREIGN KEY (id) REFERENCES tenants":                        "a foreign key goes from tenant to tenant, and changes none: extra_f",
		plain + "; ALTER TABLE extra ADD n2 int, ADD CONSTRAINT extra_f FOREIGN KEY (n2) REFERENCES goose_db_version":   "a foreign key goes from tenant to tenant, and changes none: extra_f",
		plain + "; ALTER TABLE extra ADD CONSTRAINT extra_f FOREIGN KEY (tenant) REFERENCES tenants ON DELETE SET NULL": "a foreign key goes from tenant to tenant, and changes none: extra_f",
		plain + "; ALTER TABLE extra ADD serial bigserial":                                                              "no number comes from a sequence: extra_serial_seq",
		plain + "; ALTER TABLE extra ADD nr bigint GENERATED ALWAYS AS IDENTITY":                                        "no number comes from a sequence: extra_nr_seq",
		plain + "; CREATE POLICY asks ON extra USING (EXISTS (SELECT 1 FROM tenants))":                                  "no policy asks other tables: asks on extra",
		plain + "; CREATE POLICY asks ON extra WITH CHECK (n IN (SELECT 1))":                                            "no policy asks other tables: asks on extra",
		"CREATE VIEW extra AS SELECT tenant FROM tenants":                                                               "there are tables, and nothing made of them: extra",
		plain + "; CREATE RULE extra_r AS ON DELETE TO extra DO INSTEAD NOTHING":                                        "there are tables, and nothing made of them: extra",
		"CREATE TABLE extra (PRIMARY KEY (tenant)) INHERITS (tenants)":                                                  "there are tables, and nothing made of them: extra",
		"ALTER TABLE notes SET UNLOGGED":                                                                                "there are tables, and nothing made of them: notes",
		"CREATE TRIGGER extra_t BEFORE DELETE ON notes EXECUTE FUNCTION counterfoil_refuse_change()":                    "a trigger is one of those that nothing needs: extra_t",
	} {
		s.do("BEGIN")
		s.do(change)
		if wrong := undistributable(t, s); !slices.Contains(wrong, want) {
			t.Errorf("%s: %q, want %q", change, wrong, want)
		}
		s.do("ROLLBACK")
	}
}
