package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// preparer is a pool or a connection.
type preparer interface {
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}

// statements keeps prepared statements by their text.
type statements struct {
	on    preparer
	hooks *hooks

	mu   sync.Mutex
	made map[string]*sql.Stmt
}

func newStatements(on preparer, h *hooks) *statements {
	return &statements{on: on, hooks: h, made: make(map[string]*sql.Stmt)}
}

// get prepares a statement once. Nothing is locked while it waits for a
// connection, and who has one already must not ask: it may be the last.
func (s *statements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := s.known(text); stmt != nil {
		return stmt, nil
	}
	stmt, err := s.on.PrepareContext(ctx, s.hooks.text(text))
	if err != nil {
		return nil, fmt.Errorf("sqlite: prepare: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if faster := s.made[text]; faster != nil {
		return faster, stmt.Close()
	}
	s.made[text] = stmt
	return stmt, nil
}

// known is a statement that was prepared before, nil where it was not.
func (s *statements) known(text string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[text]
}

// within is a statement for a transaction. One that is not known is prepared on
// the transaction's own connection, and goes with it.
func (s *statements) within(ctx context.Context, tx *sql.Tx, text string) (stmt *sql.Stmt, isNew bool, err error) {
	if stmt := s.known(text); stmt != nil {
		return tx.StmtContext(ctx, stmt), false, nil
	}
	if stmt, err = tx.PrepareContext(ctx, s.hooks.text(text)); err != nil {
		return nil, false, fmt.Errorf("sqlite: prepare: %w", err)
	}
	return stmt, true, nil
}

// close finalises every statement: SQLite keeps a connection, and its locks,
// for as long as a statement of it lives.
func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for _, stmt := range s.made {
		if err := stmt.Close(); err != nil && first == nil {
			first = err
		}
	}
	clear(s.made)
	return first
}
