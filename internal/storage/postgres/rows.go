package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
)

const (
	sqlEntryRows = `
SELECT e.idx, e.leaf, e.leaf_hash, e.time, e.change_id, e.seq FROM entries AS e
WHERE e.tenant = $1 AND e.idx >= $2 ORDER BY e.idx LIMIT $3`
	sqlTermRows = `
SELECT t.idx, t.field, t.term FROM entry_terms AS t
WHERE t.tenant = $1 AND t.idx >= $2 AND t.idx <= $3 ORDER BY t.idx`
)

// EntryRows reads rows of the log in order, from an index on. Where the last
// of them is not the last of the log, the next call begins after it.
func (v *View) EntryRows(ctx context.Context, tenant string, from int64, limit int) ([]entryrow.Row, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	var read []entryrow.Row
	err := v.each(ctx, "rows of entries", sqlEntryRows, collectRows(&read), tenant, from, int64(limit))
	if err != nil || len(read) == 0 {
		return nil, err
	}
	err = v.each(ctx, "terms of entries", sqlTermRows, collectTerms(read), tenant, from, read[len(read)-1].Index)
	sortTerms(read)
	return read, err
}

// collectRows reads rows of entries, without their terms.
func collectRows(into *[]entryrow.Row) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var r entryrow.Row
		var hash []byte
		var at int64
		if err := scan(rows, &r.Index, &r.Leaf, &hash, &at, &r.ChangeID, &r.Seq); err != nil {
			return err
		}
		copy(r.LeafHash[:], hash)
		r.Time = fromMicros(at)
		*into = append(*into, r)
		return nil
	}
}

// collectTerms gives terms to the rows that they are of; both come by index.
func collectTerms(read []entryrow.Row) func(pgx.Rows) error {
	at := 0
	return func(rows pgx.Rows) error {
		var idx int64
		var t entryrow.Term
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
	}
}

func sortTerms(read []entryrow.Row) {
	for i := range read {
		slices.SortFunc(read[i].Terms, entryrow.Term.Compare)
	}
}
