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

func (s *statements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt := s.made[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.on.PrepareContext(ctx, s.hooks.text(text))
	if err != nil {
		return nil, fmt.Errorf("sqlite: prepare: %w", err)
	}
	s.made[text] = stmt
	return stmt, nil
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
