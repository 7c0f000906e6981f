package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/counterfoil/counterfoil/migrations"
)

// Migration is one numbered file of the schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero where it is pending
}

// Roles returns the statements that make the roles of the service, for an
// administrator to run in its database before the first migration.
func Roles() string { return migrations.PostgresRoles }

// Migrate brings the schema up to what this program knows, then sets the
// rights of the roles to what is written beside it, and returns the migrations
// that were pending. The address is that of the owner, past any pooler: the
// lock that keeps two of them apart belongs to a session. It may be run again:
// each file is one transaction, so what an interrupted run left is a version.
//
// A schema that is ahead was made by a newer program, whose promises are not
// known here: ErrSchema.
func Migrate(ctx context.Context, ownerDSN string) (applied []Migration, err error) {
	err = withMigrations(ownerDSN, func(p *goose.Provider, exec execute) error {
		current, target, err := p.GetVersions(ctx)
		if err != nil {
			return migrationError(err)
		}
		if current > target {
			return fmt.Errorf("%w: version %d, this program knows %d", ErrSchema, current, target)
		}
		done, err := p.Up(ctx)
		if err != nil {
			return migrationError(err)
		}
		for _, r := range done {
			applied = append(applied, Migration{r.Source.Version, r.Source.Path, time.Now().UTC()})
		}
		// Without parameters the driver sends it as one simple query, in one
		// transaction: the rights of one version never mix with another's.
		if err := exec(ctx, migrations.PostgresRoles); err != nil {
			return fmt.Errorf("postgres: the roles and their rights (an administrator runs roles.sql first): %w", &fault{err})
		}
		return nil
	})
	return applied, err
}

// MigrationStatus lists all migrations that this program knows.
func MigrationStatus(ctx context.Context, ownerDSN string) (all []Migration, err error) {
	err = withMigrations(ownerDSN, func(p *goose.Provider, _ execute) error {
		status, err := p.Status(ctx)
		if err != nil {
			return migrationError(err)
		}
		for _, s := range status {
			all = append(all, Migration{s.Source.Version, s.Source.Path, s.AppliedAt})
		}
		return nil
	})
	return all, err
}

// CheckSchema tells whether the schema is exactly the one that this program
// needs, else ErrSchema. It changes nothing; any role of the service may ask.
func CheckSchema(ctx context.Context, dsn string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("postgres: the address: %w", errAddress)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("postgres: check the schema: %w", &fault{err})
	}
	return errors.Join(checkVersion(ctx, conn), conn.Close(ctx))
}

// errAddress stands for the driver's own error, which may quote a password.
var errAddress = errors.New("not a PostgreSQL address")

// execute runs statements that give no rows.
type execute func(ctx context.Context, text string) error

func withMigrations(dsn string, run func(*goose.Provider, execute) error) (err error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("postgres: the address of the owner: %w", errAddress)
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("postgres: migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("postgres: migrations: %w", err)
	}
	return run(p, func(ctx context.Context, text string) error {
		_, err := db.ExecContext(ctx, text)
		return err
	})
}

func migrationError(err error) error { return fmt.Errorf("postgres: migrate: %w", &fault{err}) }

// knownVersion is the number of the last migration that this program has.
func knownVersion() (int64, error) {
	names, err := fs.Glob(migrations.Postgres, "*.sql")
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("postgres: %d migrations: %w", len(names), err)
	}
	last, err := goose.NumericComponent(names[len(names)-1])
	if err != nil {
		return 0, fmt.Errorf("postgres: migrations: %w", err)
	}
	return last, nil
}
