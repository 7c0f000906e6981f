package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// postgresCommitters is how many commits are under way at once. Two or four find
	// smaller groups waiting, and each request costs a fifth or two fifths more.
	postgresCommitters = 1
	// connections are for the commits and for reads, which take a fraction of a
	// millisecond: more only has the server's processes take turns.
	connections = 8
)

const (
	sqlSchema = `
CREATE SCHEMA IF NOT EXISTS floor;
CREATE TABLE IF NOT EXISTS floor.mappings (
    scope  text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    sealed bytea            NOT NULL,
    PRIMARY KEY (scope, id)
);
CREATE TABLE IF NOT EXISTS floor.records (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body bytea NOT NULL
);`
	sqlSettings       = `SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') = 'on'`
	sqlInsertMappings = `INSERT INTO floor.mappings (scope, id, entity, sealed) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])`
	sqlInsertRecords  = `INSERT INTO floor.records (body) SELECT * FROM unnest($1::bytea[])`
	sqlRead           = `SELECT id, sealed FROM floor.mappings WHERE scope = $1 AND id = ANY($2)`
)

// errNotDurable says that a database would lose what it acknowledged.
var errNotDurable = errors.New("the database does not make a commit durable")

type postgres struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, dsn string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the DSN cannot be read") // its error might quote a password
	}
	config.MaxConns = connections
	// Every statement has one good plan, whatever its arguments: none is planned again.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	p := &postgres{pool}
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *postgres) prepare(ctx context.Context) error {
	if _, err := p.pool.Exec(ctx, sqlSchema, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("postgres: tables: %w", err)
	}
	var durable bool
	if err := p.pool.QueryRow(ctx, sqlSettings).Scan(&durable); err != nil {
		return fmt.Errorf("postgres: settings: %w", err)
	}
	if !durable {
		return errNotDurable
	}
	return nil
}

// apply sends one or two statements in one round trip. Without a BEGIN they are one
// transaction, which is committed when the last of them is done.
func (p *postgres) apply(ctx context.Context, batch []*change) error {
	var b pgx.Batch
	n := 0
	for _, c := range batch {
		n += len(c.mappings)
	}
	if n > 0 {
		scopes, ids, entities, sealed := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n), make([][]byte, 0, n)
		for _, c := range batch {
			for _, m := range c.mappings {
				scopes, ids, entities = append(scopes, m.scope), append(ids, m.id), append(entities, m.entity)
				sealed = append(sealed, m.sealed)
			}
		}
		b.Queue(sqlInsertMappings, scopes, ids, entities, sealed)
	}
	records := make([][]byte, len(batch))
	for i, c := range batch {
		records[i] = c.record
	}
	b.Queue(sqlInsertRecords, records)
	if err := p.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("postgres: commit: %w", err)
	}
	return nil
}

func (p *postgres) read(ctx context.Context, scope string, ids []string, found func(string, []byte)) error {
	rows, err := p.pool.Query(ctx, sqlRead, scope, ids)
	if err != nil {
		return fmt.Errorf("postgres: read: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		// Both columns come as their bytes.
		raw := rows.RawValues()
		found(string(raw[0]), raw[1])
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("postgres: read: %w", err)
	}
	return nil
}

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}
