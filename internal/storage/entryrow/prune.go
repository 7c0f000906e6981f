package entryrow

import (
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ErrPruning says that a pruning contradicts itself.
var ErrPruning = errors.New("storage: a pruning has kinds, a range and a time")

// CheckPruning refuses what cannot be pruned: it is about some kinds, in a range,
// before a time.
func CheckPruning(p vault.Pruning) error {
	if p.From < 0 || p.To < p.From || len(p.Kinds) == 0 || p.Before.IsZero() {
		return ErrPruning
	}
	return nil
}

// Says tells whether an entry of the log says that a range is pruned. It speaks for
// what stands before it, as whoever verifies the log reads it.
func Says(e *vault.StoredEntry, tenant string, p vault.Pruning) bool {
	if audit.LeafHash(e.Leaf) != e.LeafHash {
		return false
	}
	said, err := audit.ParseLeaf(e.Leaf)
	if err != nil || said.Kind != audit.KindPrune || said.Decision == audit.Deny || said.Seq != 0 || said.Tenant != tenant {
		return false
	}
	from, hasFrom := said.Counts[vault.CountPruneFrom]
	to, hasTo := said.Counts[vault.CountPruneTo]
	return hasFrom && hasTo && int64(from) <= p.From && min(int64(to), e.Index) >= p.To
}

// CheckPrunable refuses a row that is not of a pruning. First it must be what its leaf
// says: a leaf that was changed is what an auditor has to see, and stays.
func (r *Row) CheckPrunable(tenant string, p vault.Pruning) error {
	if err := r.Check(tenant); err != nil {
		return err
	}
	e, err := audit.ParseLeaf(r.Leaf)
	if err != nil {
		return fmt.Errorf("%w: entry %d: leaf: %w", ErrColumn, r.Index, err)
	}
	if r.Index < p.From || r.Index >= p.To || !slices.Contains(p.Kinds, e.Kind) || !e.Time.Before(p.Before) {
		return fmt.Errorf("%w: entry %d is not of the pruning", ErrColumn, r.Index)
	}
	return nil
}
