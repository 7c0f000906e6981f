package entryrow

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Row is everything that the tables hold of an entry.
type Row struct {
	vault.StoredEntry
	Time     time.Time
	ChangeID string
	Seq      int
	Terms    []Term // sorted
}

// ErrColumn says that a column of an entry is not what its leaf says: a query
// by it would lie, though the log itself may still verify.
var ErrColumn = errors.New("storage: a column of an entry is not what its leaf says")

// Check compares the columns with the leaf and names the first that differs. Where
// the leaf was pruned there is nothing to compare with: what it was searched by must
// be gone with it. Whether an entry says that it was to go is not seen here.
func (r *Row) Check(tenant string) error {
	if r.Leaf == nil {
		if len(r.Terms) > 0 {
			return fmt.Errorf("%w: entry %d: terms of a leaf that was pruned", ErrColumn, r.Index)
		}
		return nil
	}
	e, err := audit.ParseLeaf(r.Leaf)
	if err != nil {
		return fmt.Errorf("%w: entry %d: leaf: %w", ErrColumn, r.Index, err)
	}
	hash := audit.LeafHash(r.Leaf)
	for _, column := range []struct {
		name string
		same bool
	}{
		{"tenant", e.Tenant == tenant},
		{"leaf_hash", bytes.Equal(hash[:], r.LeafHash[:])},
		{"time", e.Time.Equal(r.Time)},
		{"change_id", e.ChangeID == r.ChangeID},
		{"seq", e.Seq == r.Seq},
		{"terms", slices.Equal(TermsOf(&e), r.Terms)},
	} {
		if !column.same {
			return fmt.Errorf("%w: entry %d: %s", ErrColumn, r.Index, column.name)
		}
	}
	return nil
}
