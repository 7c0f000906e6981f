package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

// floorDatabase is that of the floor, beside the service's on the same server.
const floorDatabase = "floor"

var errNotDurable = errors.New("system: PostgreSQL does not wait until commits are durable")

// startBackends starts PostgreSQL and the transit server.
func (s *Site) startBackends(ctx context.Context, more []string) error {
	err := s.host.do(func() {
		server := pgtest.Start(s.host, slices.Concat(settings, more)...)
		s.database = server.Database(s.host)
		s.vault = transittest.Start(s.host)
		// The serving identity keeps the anchors too, in the KV engine.
		const policies = "counterfoil-serving,counterfoil-anchors"
		_, err := s.vault.Root().Logical().Write("auth/approle/role/counterfoil-serving", map[string]any{
			"token_policies": policies, "token_ttl": "20m",
		})
		if err != nil {
			s.host.Fatal(err)
		}
	})
	if err != nil {
		return err
	}
	if err := onDisk(s.database.Server.Dir()); err != nil {
		return err
	}
	logs, err := filepath.Glob(s.path("server-*", "audit.log"))
	if err != nil || len(logs) != 1 {
		return fmt.Errorf("system: %d audit files of the transit server", len(logs))
	}
	s.auditLog = logs[0]
	if s.postmaster, err = findPostmaster(s.database.Server.Dir()); err != nil {
		return err
	}
	if s.transit, err = findServer(filepath.Dir(s.auditLog)); err != nil {
		return err
	}
	if err := s.watcher(ctx); err != nil {
		return err
	}
	return s.query(ctx, s.AdminDSN(), func(conn *pgx.Conn) error {
		if err := durable(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "CREATE DATABASE "+floorDatabase)
		return err
	})
}

// durable asks the server itself: a setting that somebody gave last wins.
func durable(ctx context.Context, conn *pgx.Conn) error {
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		value, err := show(ctx, conn, setting)
		if err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("%w: %s is %s", errNotDurable, setting, value)
		}
	}
	return nil
}

func show(ctx context.Context, conn *pgx.Conn, setting string) (string, error) {
	var value string
	err := conn.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value)
	return value, err
}

// query does something on a connection of its own.
func (s *Site) query(ctx context.Context, dsn string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("system: postgres: %w", err)
	}
	err = do(conn)
	if closed := conn.Close(context.WithoutCancel(ctx)); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("system: postgres: %w", err)
	}
	return nil
}

// floorDSN is a superuser's on the database of the floor.
func (s *Site) floorDSN() (string, error) {
	config, err := pgx.ParseConfig(s.AdminDSN())
	if err != nil {
		return "", fmt.Errorf("system: %w", err)
	}
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=%d", config.User, floorDatabase, config.Host, config.Port), nil
}

// Analyze tells PostgreSQL how large the tables of service and floor have become, which
// it finds out by itself on any server that has run a minute.
func (s *Site) Analyze(ctx context.Context) error {
	floor, err := s.floorDSN()
	if err != nil {
		return err
	}
	for _, dsn := range []string{s.AdminDSN(), floor} {
		err := s.query(ctx, dsn, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "ANALYZE")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare writes what the service reads: issuer, policy, connection strings and the
// configuration of whoever prepares it.
func (s *Site) prepare() error {
	var err error
	if s.issuer, err = newIssuer(); err != nil {
		return err
	}
	s.host.Cleanup(s.issuer.server.Close)
	s.policy = s.path("policy")
	if s.rules, err = writePolicy(s.policy); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"issuer.pem": string(s.issuer.authority()),
		"app.dsn":    s.database.App, "destroy.dsn": s.database.Destroy,
		"audit.dsn": s.database.Audit, "owner.dsn": s.database.Owner,
	} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("system: %w", err)
		}
	}
	return s.host.do(func() {
		s.admin, err = s.configure("administration", s.production(true))
		if err != nil {
			s.host.Fatal(err)
		}
	})
}
