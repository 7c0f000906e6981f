package migrations

import "embed"

//go:embed postgres/[0-9]*.sql
var postgresFiles embed.FS

// Postgres holds the files of the production store, at its root.
var Postgres = mustSub(postgresFiles, "postgres")

// PostgresRoles makes the roles of the production store and says what each may
// do. It may be run again at any time, and is after every migration.
//
//go:embed postgres/roles.sql
var PostgresRoles string
