//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// maxBuried is how many databases of tests that are over stay on a server that
// outlives this process: some 300 MB. To drop one takes a checkpoint, which those that
// follow at once find done.
const maxBuried = 32

// graveyard are the databases of tests that are over.
type graveyard struct {
	sync.Mutex
	names []string
}

// bury has a database dropped before long.
func (s *Server) bury(name string) error {
	s.buried.Lock()
	defer s.buried.Unlock()
	if s.buried.names = append(s.buried.names, name); len(s.buried.names) < maxBuried {
		return nil
	}
	return s.clear()
}

// leave removes what this process made on a server that outlives it, the roles aside.
func (s *Server) leave() error {
	if s.dir != "" {
		return nil
	}
	s.made.Lock()
	defer s.made.Unlock()
	s.buried.Lock()
	defer s.buried.Unlock()
	if s.made.name != "" {
		s.buried.names = append(s.buried.names, s.made.name)
	}
	return s.clear()
}

// clear drops the databases that are buried.
func (s *Server) clear() error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return fmt.Errorf("pgtest: connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var failed error
	for _, name := range s.buried.names {
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			failed = errors.Join(failed, fmt.Errorf("pgtest: %w", err))
		}
	}
	s.buried.names = nil
	return failed
}
