package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	sqlServer = `
SELECT current_setting('server_version_num')::bigint, current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('server_encoding')`
	sqlVersion = `
SELECT COALESCE(max(v.version_id), 0) FROM goose_db_version AS v WHERE v.is_applied`
	// Whoever is a superuser, or owns a table or may become who does, is held
	// back by nothing that is granted.
	sqlWho = `
SELECT r.rolsuper OR r.rolbypassrls OR EXISTS (
    SELECT 1 FROM pg_class AS c
    WHERE c.relkind = 'r' AND c.relname = ANY ($1::text[]) AND pg_table_is_visible(c.oid)
        AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
FROM pg_roles AS r WHERE r.rolname = current_user`
	sqlOpenTables = `
SELECT c.relname FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relname = ANY ($1::text[]) AND pg_table_is_visible(c.oid)
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
ORDER BY c.relname`
	sqlRights = `
SELECT r.table_name, r.privilege,
    has_table_privilege(r.table_name, r.privilege) OR r.privilege IN ('INSERT', 'UPDATE', 'SELECT')
        AND has_any_column_privilege(r.table_name, r.privilege)
FROM unnest($1::text[], $2::text[]) AS r (table_name, privilege)`
)

// tables are those of the schema that hold rows of tenants: all of them.
var tables = []string{
	"tenants", "tenant_keys", "scopes", "subjects", "data_keys", "mappings", "mapping_subjects",
	"mapping_sources", "claims", "entries", "entry_terms", "log_nodes", "log_heads", "notes",
	"holds", "hold_terms", "erasures", "tombstones",
	"subject_requests", "subject_request_lookups", "subject_request_notes", "mapping_destinations",
	"erasure_destinations", "erasure_common", "suppressions", "proceedings", "budget_hours", "notices", "grant_uses",
}

// right is a privilege on a table.
type right struct{ table, privilege string }

// role is what a connection must be able to do, and must not.
type role struct {
	name       string
	must, lack []right
}

// Nobody changes what was logged, nor deletes a hold, an erasure or what is left
// of an erased key, nor changes a note.
var nobody = []right{
	{"entries", "UPDATE"}, {"entries", "DELETE"}, {"entries", "TRUNCATE"},
	{"entry_terms", "UPDATE"}, {"entry_terms", "DELETE"}, {"log_nodes", "UPDATE"}, {"log_nodes", "DELETE"},
	{"log_heads", "DELETE"}, {"tenants", "DELETE"}, {"tenant_keys", "DELETE"},
	{"mappings", "TRUNCATE"}, {"data_keys", "TRUNCATE"},
	{"holds", "DELETE"}, {"holds", "TRUNCATE"}, {"hold_terms", "UPDATE"}, {"hold_terms", "DELETE"}, {"hold_terms", "TRUNCATE"},
	{"erasures", "DELETE"}, {"erasures", "TRUNCATE"}, {"tombstones", "DELETE"}, {"tombstones", "TRUNCATE"},
	{"erasure_destinations", "DELETE"}, {"erasure_common", "UPDATE"}, {"erasure_common", "DELETE"},
	{"mapping_destinations", "DELETE"}, {"subject_request_notes", "UPDATE"}, {"subject_request_lookups", "UPDATE"}, {"subject_requests", "TRUNCATE"},
	{"proceedings", "TRUNCATE"},
	{"grant_uses", "UPDATE"}, {"grant_uses", "TRUNCATE"},
}

// The roles of roles.sql, by the rights that tell one from another: a service
// whose two addresses were swapped, or were both of the stronger role, does not
// start.
var (
	roleApp = role{
		name: "app", must: []right{{"entries", "INSERT"}, {"mappings", "INSERT"}, {"holds", "INSERT"}, {"log_heads", "UPDATE"},
			{"subject_requests", "INSERT"}, {"subject_request_notes", "INSERT"}, {"mapping_destinations", "INSERT"},
			{"proceedings", "INSERT"}, {"budget_hours", "INSERT"}, {"notices", "INSERT"}, {"grant_uses", "INSERT"}},
		lack: append([]right{{"mappings", "DELETE"}, {"data_keys", "DELETE"}, {"scopes", "DELETE"}, {"subjects", "DELETE"}, {"holds", "UPDATE"},
			{"mapping_subjects", "DELETE"}, {"erasures", "INSERT"}, {"erasures", "UPDATE"}, {"tombstones", "INSERT"}, {"tombstones", "UPDATE"},
			{"subject_requests", "DELETE"}, {"subject_request_notes", "DELETE"}, {"suppressions", "INSERT"}, {"suppressions", "UPDATE"}, {"suppressions", "DELETE"},
			{"erasure_destinations", "INSERT"}, {"erasure_common", "INSERT"}, {"proceedings", "DELETE"}}, nobody...),
	}
	roleDestroy = role{
		name: "destroy", must: []right{{"entries", "INSERT"}, {"mappings", "DELETE"}, {"data_keys", "DELETE"}, {"holds", "UPDATE"}, {"log_heads", "UPDATE"},
			{"mapping_subjects", "DELETE"}, {"data_keys", "INSERT"}, {"erasures", "INSERT"}, {"tombstones", "INSERT"},
			{"subject_requests", "DELETE"}, {"suppressions", "INSERT"}, {"suppressions", "DELETE"}, {"proceedings", "UPDATE"}, {"proceedings", "DELETE"}, {"notices", "INSERT"}},
		lack: append([]right{{"grant_uses", "INSERT"}, {"grant_uses", "DELETE"}, {"proceedings", "INSERT"}, {"budget_hours", "INSERT"}, {"budget_hours", "UPDATE"}, {"notices", "UPDATE"}, {"notices", "DELETE"}, {"mapping_destinations", "INSERT"}, {"subject_request_notes", "INSERT"}, {"mappings", "INSERT"}, {"holds", "INSERT"}, {"subjects", "INSERT"}, {"mapping_subjects", "INSERT"}}, nobody...),
	}
	roleAudit = role{
		name: "audit", must: []right{{"entries", "SELECT"}, {"log_nodes", "SELECT"}},
		lack: append([]right{{"entries", "INSERT"}, {"log_heads", "UPDATE"}, {"mappings", "DELETE"}, {"mappings", "INSERT"}, {"notes", "INSERT"}, {"holds", "INSERT"}, {"holds", "UPDATE"},
			{"erasures", "INSERT"}, {"tombstones", "INSERT"}, {"data_keys", "DELETE"}, {"subject_requests", "INSERT"}, {"subject_requests", "UPDATE"}, {"suppressions", "INSERT"},
			{"proceedings", "INSERT"}, {"proceedings", "UPDATE"}, {"proceedings", "DELETE"}, {"budget_hours", "INSERT"}, {"notices", "INSERT"}, {"notices", "UPDATE"}, {"grant_uses", "INSERT"}, {"grant_uses", "DELETE"}}, nobody...),
	}
)

// checkServer looks at the settings on which the promises rest.
func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var version int64
	var fsync, fullPages, encoding string
	if err := conn.QueryRow(ctx, sqlServer).Scan(&version, &fsync, &fullPages, &encoding); err != nil {
		return fmt.Errorf("postgres: settings of the server: %w", &fault{err})
	}
	switch {
	case version < minServer:
		return fmt.Errorf("%w: version %d, and %d is the oldest that is known to", ErrServer, version, minServer)
	case fsync != "on" || fullPages != "on":
		return fmt.Errorf("%w: fsync is %s and full_page_writes %s: a crash may lose what was acknowledged", ErrServer, fsync, fullPages)
	case encoding != "UTF8":
		return fmt.Errorf("%w: the encoding is %s", ErrServer, encoding)
	}
	return nil
}

// checkVersion compares the schema with what this program knows.
func checkVersion(ctx context.Context, conn *pgx.Conn) error {
	known, err := knownVersion()
	if err != nil {
		return err
	}
	var version int64
	err = conn.QueryRow(ctx, sqlVersion).Scan(&version)
	switch state := stateOf(err); {
	case state == codeNoTable, state == codeNoRight:
		return fmt.Errorf("%w: it is not migrated, or not for this role", ErrSchema)
	case err != nil:
		return fmt.Errorf("postgres: version of the schema: %w", &fault{err})
	case version != known:
		return fmt.Errorf("%w: version %d, this program needs %d", ErrSchema, version, known)
	}
	return nil
}

// checkRole refuses to run as somebody who may do more, or less, than the role
// should.
func checkRole(ctx context.Context, conn *pgx.Conn, r role) error {
	var unbound bool
	if err := conn.QueryRow(ctx, sqlWho, tables).Scan(&unbound); err != nil {
		return fmt.Errorf("postgres: the role %s: %w", r.name, &fault{err})
	}
	if unbound {
		return fmt.Errorf("%w: %s is a superuser, passes row-level security, or owns the tables", ErrRole, r.name)
	}
	rows, err := conn.Query(ctx, sqlOpenTables, tables)
	if err != nil {
		return fmt.Errorf("postgres: row-level security: %w", &fault{err})
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("postgres: row-level security: %w", &fault{err})
	}
	if len(open) > 0 {
		return fmt.Errorf("%w: row-level security is not forced on %v", ErrSchema, open)
	}
	return checkRights(ctx, conn, r)
}

func checkRights(ctx context.Context, conn *pgx.Conn, r role) error {
	all := append(append([]right{}, r.must...), r.lack...)
	must := make(map[right]bool)
	for _, m := range r.must {
		must[m] = true
	}
	rows, err := conn.Query(ctx, sqlRights,
		column(all, func(r right) string { return r.table }), column(all, func(r right) string { return r.privilege }))
	if err != nil {
		return fmt.Errorf("postgres: the rights of %s: %w", r.name, &fault{err})
	}
	var wrong []error
	var got right
	var has bool
	_, err = pgx.ForEachRow(rows, []any{&got.table, &got.privilege, &has}, func() error {
		switch {
		case has && !must[got]:
			wrong = append(wrong, fmt.Errorf("%w: %s has %s on %s", ErrRole, r.name, got.privilege, got.table))
		case !has && must[got]:
			wrong = append(wrong, fmt.Errorf("%w: %s has no %s on %s", ErrRole, r.name, got.privilege, got.table))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("postgres: the rights of %s: %w", r.name, &fault{err})
	}
	return errors.Join(wrong...)
}
