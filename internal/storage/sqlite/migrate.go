package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/counterfoil/counterfoil/migrations"
)

// migrate brings the schema up to what this program knows. A file that is
// ahead of it was written by a newer program, whose promises are not known
// here, and is refused.
func migrate(ctx context.Context, db *sql.DB) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite)
	if err != nil {
		return fmt.Errorf("sqlite: migrations: %w", err)
	}
	if err := checkVersion(ctx, p, false); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: migrate: %w", err)
	}
	return checkVersion(ctx, p, true)
}

// checkSchema looks without changing anything.
func checkSchema(ctx context.Context, db *sql.DB) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite)
	if err != nil {
		return fmt.Errorf("sqlite: migrations: %w", err)
	}
	return checkVersion(ctx, p, true)
}

func checkVersion(ctx context.Context, p *goose.Provider, exact bool) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: version of the schema: %w", err)
	}
	if current > target || exact && current != target {
		return fmt.Errorf("%w: version %d, this program needs %d", ErrSchema, current, target)
	}
	return nil
}
