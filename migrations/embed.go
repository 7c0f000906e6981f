// Package migrations holds the schema of the stores as numbered files, for
// goose. The trees of the two stores have the same numbers and names, so that
// "at version N" means the same everywhere.
//
// Rules that every file keeps, so that one data model serves both stores:
//
//   - Every primary key, unique key, foreign key and index begins with the
//     tenant: no query crosses tenants by accident, a conflict never tells one
//     tenant about another, and the tables can be distributed by tenant.
//   - Nothing needs a trigger of PostgreSQL: rights, row-level security and the
//     code keep what is promised, for a distributed table has none. Nor is there a
//     sequence, a view, or a policy that asks other tables.
//   - Times are whole microseconds since 1970 in UTC, digests are 32 bytes,
//     identifiers are text that is compared byte for byte.
//   - Limits that guard a promise are CHECKed here as well as in the code.
//   - There is no way down: entries cannot be changed, so neither can what
//     holds them. A mistake is mended by the next number.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var sqliteFiles embed.FS

// SQLite holds the files of the embedded store, at its root.
var SQLite = mustSub(sqliteFiles, "sqlite")

func mustSub(files embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		// The name is a constant that the embed directive has checked.
		panic("migrations: " + err.Error())
	}
	return sub
}
