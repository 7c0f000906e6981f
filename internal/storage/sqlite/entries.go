package sqlite

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// Entries of one change stand next to one another.
	sqlChangeWindow = `
SELECT MIN(e.idx), MAX(e.idx) FROM entries AS e WHERE e.tenant = ?1 AND e.change_id = ?2`
	// Times never decrease, so a time is a place in the log.
	sqlTimeWindow = `
SELECT e.idx FROM entries AS e WHERE e.tenant = ?1 AND e.time >= ?2
ORDER BY e.time, e.idx LIMIT 1`
	sqlEntriesUp = `
SELECT e.idx, e.leaf, e.leaf_hash FROM entries AS e
WHERE e.tenant = ?1 AND e.idx >= ?2 AND e.idx < ?3
ORDER BY e.idx LIMIT ?4`
	sqlEntriesDown = `
SELECT e.idx, e.leaf, e.leaf_hash FROM entries AS e
WHERE e.tenant = ?1 AND e.idx >= ?2 AND e.idx < ?3
ORDER BY e.idx DESC LIMIT ?4`
	// The walk goes along one term (?5, ?6); ?7 lists the others that an entry
	// must have as well, as pairs of field and term.
	sqlEntriesByTermUp = `
SELECT e.idx, e.leaf, e.leaf_hash
FROM entry_terms AS d CROSS JOIN entries AS e ON e.tenant = d.tenant AND e.idx = d.idx
WHERE d.tenant = ?1 AND d.field = ?5 AND d.term = ?6 AND d.idx >= ?2 AND d.idx < ?3
    AND NOT EXISTS (
        SELECT 1 FROM json_each(?7) AS j WHERE NOT EXISTS (
            SELECT 1 FROM entry_terms AS t
            WHERE t.tenant = ?1 AND t.field = j.value ->> 0 AND t.term = j.value ->> 1 AND t.idx = d.idx))
ORDER BY d.idx LIMIT ?4`
	sqlEntriesByTermDown = `
SELECT e.idx, e.leaf, e.leaf_hash
FROM entry_terms AS d CROSS JOIN entries AS e ON e.tenant = d.tenant AND e.idx = d.idx
WHERE d.tenant = ?1 AND d.field = ?5 AND d.term = ?6 AND d.idx >= ?2 AND d.idx < ?3
    AND NOT EXISTS (
        SELECT 1 FROM json_each(?7) AS j WHERE NOT EXISTS (
            SELECT 1 FROM entry_terms AS t
            WHERE t.tenant = ?1 AND t.field = j.value ->> 0 AND t.term = j.value ->> 1 AND t.idx = d.idx))
ORDER BY d.idx DESC LIMIT ?4`
)

// window is a part of the log: the indexes from first up to, not including, end.
type window struct{ first, end int64 }

// Entries implements vault.Ledger.
func (v *View) Entries(ctx context.Context, tenant string, q vault.EntryQuery) ([]vault.StoredEntry, error) {
	w, err := v.window(ctx, tenant, q)
	if err != nil || w.first >= w.end {
		return nil, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	terms := entryrow.Wanted(q)
	text, args := sqlEntriesUp, []any{tenant, w.first, w.end, limit}
	if q.Descending {
		text = sqlEntriesDown
	}
	if len(terms) > 0 {
		text = sqlEntriesByTermUp
		if q.Descending {
			text = sqlEntriesByTermDown
		}
		others := make([][]string, 0, len(terms))
		for _, t := range terms[1:] {
			others = append(others, []string{string(t.Field), t.Values[0]})
		}
		args = append(args, string(terms[0].Field), terms[0].Values[0], encode(others))
	}
	var entries []vault.StoredEntry
	err = v.each(ctx, "entries", text, collectEntries(&entries), args...)
	return entries, err
}

// window turns what selects a stretch of the log into that stretch.
func (v *View) window(ctx context.Context, tenant string, q vault.EntryQuery) (window, error) {
	w := window{0, math.MaxInt64}
	if q.HasCursor && q.Descending {
		w.end = q.Cursor
	} else if q.HasCursor {
		w.first = min(q.Cursor, math.MaxInt64-1) + 1
	}
	if !q.Since.IsZero() {
		first, err := v.since(ctx, tenant, q.Since)
		if err != nil {
			return window{}, err
		}
		w.first = max(w.first, first)
	}
	if !q.Until.IsZero() {
		end, err := v.since(ctx, tenant, q.Until)
		if err != nil {
			return window{}, err
		}
		w.end = min(w.end, end)
	}
	if q.ChangeID != "" {
		var first, last sql.NullInt64
		if _, err := v.one(ctx, "entries of a change", sqlChangeWindow, []any{&first, &last}, tenant, q.ChangeID); err != nil {
			return window{}, err
		}
		if !first.Valid {
			return window{}, nil
		}
		w.first, w.end = max(w.first, first.Int64), min(w.end, last.Int64+1)
	}
	return w, nil
}

// since returns the index of the first entry at a time or after it, or beyond
// every index where there is none yet.
func (v *View) since(ctx context.Context, tenant string, at time.Time) (int64, error) {
	first := int64(math.MaxInt64)
	// Entries have whole microseconds: the first at a time between two of them
	// is at the second of the two.
	_, err := v.one(ctx, "entries since a time", sqlTimeWindow, []any{&first}, tenant, ceilMicros(at))
	return first, err
}
