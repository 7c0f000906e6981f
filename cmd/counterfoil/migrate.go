package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
)

type migrateCommands struct {
	Up     migrateUpCommand     `cmd:"" help:"Bring the tables up to what this program needs, as the owner."`
	Status migrateStatusCommand `cmd:"" help:"List the migrations and when each was applied."`
	Check  migrateCheckCommand  `cmd:"" help:"Say OK where the tables are those that this program needs. Exit code 1: they are not."`
	Roles  migrateRolesCommand  `cmd:"" help:"Print the statements that make the roles, for an administrator of the database."`
}

// errNoPostgres is for a service whose store brings its own tables up to date.
var errNoPostgres = errors.New("the store is an SQLite file: the service brings it up to date itself")

// dsnOf reads a connection string that the configuration names.
func dsnOf(path, setting string, file func(*config.Postgres) string) (string, error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return "", err
	}
	if cfg.Store.Postgres == nil {
		return "", errNoPostgres
	}
	name := file(cfg.Store.Postgres)
	if name == "" {
		return "", fmt.Errorf("store.postgres.%s is needed", setting)
	}
	dsn, err := config.ReadSecret(name)
	if err != nil {
		return "", fmt.Errorf("store.postgres.%s: %w", setting, err)
	}
	return dsn, nil
}

func ownerDSN(path string) (string, error) {
	return dsnOf(path, "owner_dsn_file", func(p *config.Postgres) string { return p.Owner })
}

type migrateUpCommand struct{ configFile }

// Help says in which order.
func (migrateUpCommand) Help() string {
	return "Before the first time an administrator runs what `counterfoil migrate roles` prints.\n" +
		"Replicas of the version before may go on: they refuse to start against other tables, not to serve."
}

// Run applies what is pending.
func (c migrateUpCommand) Run(ctx context.Context, s streams) error {
	dsn, err := ownerDSN(c.Config)
	if err != nil {
		return err
	}
	applied, err := postgres.Migrate(ctx, dsn)
	for _, m := range applied {
		if _, err := fmt.Fprintf(s.out, "applied %03d %s\n", m.Version, m.Name); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		_, err = fmt.Fprintln(s.out, "nothing to apply")
	}
	return err
}

type migrateStatusCommand struct{ configFile }

// Run prints a line for each migration.
func (c migrateStatusCommand) Run(ctx context.Context, s streams) error {
	dsn, err := ownerDSN(c.Config)
	if err != nil {
		return err
	}
	all, err := postgres.MigrationStatus(ctx, dsn)
	if err != nil {
		return err
	}
	for _, m := range all {
		at := "pending"
		if !m.AppliedAt.IsZero() {
			at = stamp(m.AppliedAt)
		}
		if _, err := fmt.Fprintf(s.out, "%03d %s %s\n", m.Version, m.Name, at); err != nil {
			return err
		}
	}
	return nil
}

type migrateCheckCommand struct{ configFile }

// Run asks as the service would.
func (c migrateCheckCommand) Run(ctx context.Context, s streams) error {
	dsn, err := dsnOf(c.Config, "app_dsn_file", func(p *config.Postgres) string { return p.App })
	if err == nil {
		err = postgres.CheckSchema(ctx, dsn)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "OK")
	return err
}

type migrateRolesCommand struct{}

// Run prints the statements.
func (migrateRolesCommand) Run(s streams) error {
	_, err := fmt.Fprint(s.out, postgres.Roles())
	return err
}
