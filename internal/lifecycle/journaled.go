package lifecycle

import (
	"context"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Journaled is a store that journals where values of others go, before they are
// sealed anew: without it an older copy of the data could not be told which of
// them a later erasure took. Where that cannot be kept nothing is sealed anew.
type Journaled struct {
	vault.Store
	Journals *Journals
	// Erased is called after an erasure, and must not wait.
	Erased func()
}

// Commit implements vault.Store.
func (s *Journaled) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	moving, moved := vault.MovesOf(c)
	if len(moving) > 0 {
		if err := s.Journals.Add(tenant, moving...); err != nil {
			return vault.Committed{}, fmt.Errorf("%w: the journal of erasures: %w", vault.ErrUnavailable, err)
		}
	}
	done, err := s.Store.Commit(ctx, tenant, c)
	if err != nil {
		return done, err
	}
	if len(moving) > 0 {
		// Without it the move counts as one that may have happened.
		_ = s.Journals.Add(tenant, moved)
	}
	if _, erased := c.Effect().(vault.Erase); erased && s.Erased != nil {
		s.Erased()
	}
	return done, nil
}
