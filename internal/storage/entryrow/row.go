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

// Check compares the columns with the leaf and names the first that differs.
func (r *Row) Check(tenant string) error {
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
