package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlEntryRows = `
SELECT e.idx, e.leaf, e.leaf_hash, e.time, e.change_id, e.seq FROM entries AS e
WHERE e.tenant = $1 AND e.idx >= $2 ORDER BY e.idx LIMIT $3`
	sqlTermRows = `
SELECT t.idx, t.field, t.term FROM entry_terms AS t
WHERE t.tenant = $1 AND t.idx >= $2 AND t.idx <= $3 ORDER BY t.idx`
)

// EntryRow is everything that the tables hold of an entry. All of it but the
// leaf serves queries; Check tells whether it says what the leaf says.
type EntryRow struct {
	vault.StoredEntry
	Time     time.Time
	ChangeID string
	Seq      int
	Terms    []Term // sorted
}

// ErrColumn says that a column of an entry is not what its leaf says: a query
// by it would lie, though the log itself may still verify.
var ErrColumn = errors.New("postgres: a column of an entry is not what its leaf says")

// EntryRows reads rows of the log in order, from an index on. Where the last
// of them is not the last of the log, the next call begins after it.
func (v *View) EntryRows(ctx context.Context, tenant string, from int64, limit int) ([]EntryRow, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	var read []EntryRow
	err := v.each(ctx, "rows of entries", sqlEntryRows, func(rows pgx.Rows) error {
		var r EntryRow
		var hash []byte
		var at int64
		if err := scan(rows, &r.Index, &r.Leaf, &hash, &at, &r.ChangeID, &r.Seq); err != nil {
			return err
		}
		copy(r.LeafHash[:], hash)
		r.Time = fromMicros(at)
		read = append(read, r)
		return nil
	}, tenant, from, int64(limit))
	if err != nil || len(read) == 0 {
		return nil, err
	}
	at := 0
	err = v.each(ctx, "terms of entries", sqlTermRows, func(rows pgx.Rows) error {
		var idx int64
		var t Term
		if err := scan(rows, &idx, &t.Field, &t.Value); err != nil {
			return err
		}
		for at < len(read)-1 && read[at].Index < idx {
			at++
		}
		if read[at].Index == idx {
			read[at].Terms = append(read[at].Terms, t)
		}
		return nil
	}, tenant, from, read[len(read)-1].Index)
	for i := range read {
		slices.SortFunc(read[i].Terms, compareTerms)
	}
	return read, err
}

// Check compares the columns with the leaf and names the first that differs.
func (r *EntryRow) Check(tenant string) error {
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
		{"terms", slices.Equal(termsOf(&e), r.Terms)},
	} {
		if !column.same {
			return fmt.Errorf("%w: entry %d: %s", ErrColumn, r.Index, column.name)
		}
	}
	return nil
}

func compareTerms(a, b Term) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Value, b.Value))
}
