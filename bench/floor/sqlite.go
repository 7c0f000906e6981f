package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

const (
	sqliteSchema = `
CREATE TABLE IF NOT EXISTS mappings (
    scope  TEXT NOT NULL,
    id     TEXT NOT NULL,
    entity TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT;
CREATE TABLE IF NOT EXISTS records (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;`
	sqliteInsertMapping = `INSERT INTO mappings (scope, id, entity, sealed) VALUES (?, ?, ?, ?)`
	sqliteInsertRecord  = `INSERT INTO records (body) VALUES (?)`
	sqliteRead          = `SELECT id, sealed FROM mappings WHERE scope = ? AND id IN (`

	// sqliteCache has the index of some hundred thousand mappings in memory, in KiB; the
	// service's has the same.
	sqliteCache = 64 << 10
	// sqliteCheckpoint is how many pages are in the log before they go to the file: 32
	// MiB, in which a page that was written often is written back once.
	sqliteCheckpoint = 8000
	// sqliteReaders suffice for two cores: a read never waits for the disk.
	sqliteReaders = 4
	// idsAtOnce is how many tokens one statement asks for.
	idsAtOnce = 64
)

// sqlite has one connection that writes and some that read.
type sqlite struct {
	writer, reader             *sql.DB
	begin, commit, rollback    *sql.Stmt
	insertMapping, insertEntry *sql.Stmt

	mu    sync.Mutex
	reads [idsAtOnce + 1]*sql.Stmt // by the number of tokens
}

func openSQLite(ctx context.Context, path string) (*sqlite, error) {
	return openFile(ctx, path, "journal_mode(wal)", "synchronous(full)")
}

func openFile(ctx context.Context, path string, durability ...string) (*sqlite, error) {
	s := &sqlite{}
	var err error
	settings := append([]string{
		"busy_timeout(5000)", fmt.Sprintf("cache_size(-%d)", sqliteCache), fmt.Sprintf("wal_autocheckpoint(%d)", sqliteCheckpoint),
	}, durability...)
	if s.writer, err = sql.Open("sqlite", address(path, "rwc", settings...)); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.reader, err = sql.Open("sqlite", address(path, "ro", "busy_timeout(5000)", "query_only(on)")); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), s.writer.Close())
	}
	s.reader.SetMaxOpenConns(sqliteReaders)
	s.reader.SetMaxIdleConns(sqliteReaders)
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func address(path, mode string, pragmas ...string) string {
	query := url.Values{"mode": {mode}, "_pragma": pragmas}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

func (s *sqlite) prepare(ctx context.Context) error {
	if _, err := s.writer.ExecContext(ctx, sqliteSchema); err != nil {
		return fmt.Errorf("sqlite: tables: %w", err)
	}
	var mode, synchronous string
	err := s.writer.QueryRowContext(ctx, `SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous`).Scan(&mode, &synchronous)
	if err != nil {
		return fmt.Errorf("sqlite: settings: %w", err)
	}
	if mode != "wal" || synchronous != "2" { // FULL
		return errNotDurable
	}
	for _, p := range []struct {
		into **sql.Stmt
		text string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.commit, `COMMIT`}, {&s.rollback, `ROLLBACK`},
		{&s.insertMapping, sqliteInsertMapping}, {&s.insertEntry, sqliteInsertRecord},
	} {
		if *p.into, err = s.writer.PrepareContext(ctx, p.text); err != nil {
			return fmt.Errorf("sqlite: prepare: %w", err)
		}
	}
	return nil
}

func (s *sqlite) apply(ctx context.Context, batch []*change) error {
	if _, err := s.begin.ExecContext(ctx); err != nil {
		return fmt.Errorf("sqlite: begin: %w", err)
	}
	err := s.insert(ctx, batch)
	if err == nil {
		_, err = s.commit.ExecContext(ctx)
	}
	if err != nil {
		_, back := s.rollback.ExecContext(ctx)
		return fmt.Errorf("sqlite: commit: %w", errors.Join(err, back))
	}
	return nil
}

func (s *sqlite) insert(ctx context.Context, batch []*change) error {
	for _, c := range batch {
		for _, m := range c.mappings {
			if _, err := s.insertMapping.ExecContext(ctx, m.scope, m.id, m.entity, m.sealed); err != nil {
				return err
			}
		}
		if _, err := s.insertEntry.ExecContext(ctx, c.record); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqlite) read(ctx context.Context, scope string, ids []string, found func(string, []byte)) error {
	// A read takes microseconds: to watch a context meanwhile costs more than it could save.
	ctx = context.WithoutCancel(ctx)
	for len(ids) > 0 {
		n := min(len(ids), idsAtOnce)
		if err := s.readSome(ctx, scope, ids[:n], found); err != nil {
			return fmt.Errorf("sqlite: read: %w", err)
		}
		ids = ids[n:]
	}
	return nil
}

func (s *sqlite) readSome(ctx context.Context, scope string, ids []string, found func(string, []byte)) error {
	stmt, err := s.reading(ctx, len(ids))
	if err != nil {
		return err
	}
	args := make([]any, 1, 1+len(ids))
	args[0] = scope
	for _, id := range ids {
		args = append(args, id)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		var sealed sql.RawBytes
		if err := rows.Scan(&id, &sealed); err != nil {
			return err
		}
		found(id, sealed)
	}
	return rows.Err()
}

// reading gives the statement that asks for so many tokens.
func (s *sqlite) reading(ctx context.Context, n int) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads[n] == nil {
		stmt, err := s.reader.PrepareContext(ctx, sqliteRead+strings.Repeat("?, ", n-1)+"?)")
		if err != nil {
			return nil, err
		}
		s.reads[n] = stmt
	}
	return s.reads[n], nil
}

// close closes the statements with their databases.
func (s *sqlite) close() error { return errors.Join(s.reader.Close(), s.writer.Close()) }
