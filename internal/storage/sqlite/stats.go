package sqlite

import "github.com/counterfoil/counterfoil/internal/storage/commitqueue"

// CommitStats counts what the store did with changes since it was opened.
func (s *Store) CommitStats() commitqueue.Stats { return s.queue.Stats() }
