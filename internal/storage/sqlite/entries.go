package sqlite

import (
	"context"
	"database/sql"
	"errors"
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
	// The walk goes along the terms of one field: ?6 lists them, each is walked as far
	// as the page is long, and what several of them lead to is there once.
	sqlEntriesByTermUp = `
WITH found (idx) AS MATERIALIZED (
    SELECT DISTINCT jk.value FROM json_each(?6) AS j CROSS JOIN json_each((
        SELECT json_group_array(r.idx) FROM (
            SELECT d.idx FROM entry_terms AS d
            WHERE d.tenant = ?1 AND d.field = ?5 AND d.term = j.value AND d.idx >= ?2 AND d.idx < ?3
                AND ` + others + `
            ORDER BY d.idx LIMIT ?4) AS r)) AS jk
    ORDER BY jk.value LIMIT ?4)
SELECT e.idx, e.leaf, e.leaf_hash
FROM found AS r CROSS JOIN entries AS e ON e.tenant = ?1 AND e.idx = r.idx
ORDER BY r.idx`
	sqlEntriesByTermDown = `
WITH found (idx) AS MATERIALIZED (
    SELECT DISTINCT jk.value FROM json_each(?6) AS j CROSS JOIN json_each((
        SELECT json_group_array(r.idx) FROM (
            SELECT d.idx FROM entry_terms AS d
            WHERE d.tenant = ?1 AND d.field = ?5 AND d.term = j.value AND d.idx >= ?2 AND d.idx < ?3
                AND ` + others + `
            ORDER BY d.idx DESC LIMIT ?4) AS r)) AS jk
    ORDER BY jk.value DESC LIMIT ?4)
SELECT e.idx, e.leaf, e.leaf_hash
FROM found AS r CROSS JOIN entries AS e ON e.tenant = ?1 AND e.idx = r.idx
ORDER BY r.idx DESC`
	// There is no page: ?4 is of no meaning.
	sqlCountByTerm = `
SELECT COUNT(DISTINCT d.idx) FROM json_each(?6) AS j CROSS JOIN entry_terms AS d
WHERE d.tenant = ?1 AND d.field = ?5 AND d.term = j.value AND d.idx >= ?2 AND d.idx < ?3 AND ?4 >= 0
    AND ` + others

	// others is whether the entry of a term d fulfils the wishes that ?7 lists: of each
	// its field, and the terms of which it must have any.
	others = `NOT EXISTS (
        SELECT 1 FROM json_each(?7) AS jw WHERE NOT EXISTS (
            SELECT 1 FROM json_each(jw.value, '$[1]') AS jt CROSS JOIN entry_terms AS t
            WHERE t.tenant = ?1 AND t.field = jw.value ->> 0 AND t.term = jt.value AND t.idx = d.idx))`
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
	text, args := sqlEntriesUp, []any{tenant, w.first, w.end, limit}
	if q.Descending {
		text = sqlEntriesDown
	}
	if wishes := entryrow.Wanted(q); len(wishes) > 0 {
		text = sqlEntriesByTermUp
		if q.Descending {
			text = sqlEntriesByTermDown
		}
		args = append(args, wished(wishes)...)
	}
	var entries []vault.StoredEntry
	err = v.each(ctx, "entries", text, collectEntries(&entries), args...)
	return entries, err
}

// CountEntries implements vault.Ledger. Without a wish it is the length of a stretch:
// indexes have no gap.
func (v *View) CountEntries(ctx context.Context, tenant string, q vault.EntryQuery) (int64, error) {
	q.HasCursor = false
	w, err := v.window(ctx, tenant, q)
	if err != nil || w.first >= w.end {
		return 0, err
	}
	wishes := entryrow.Wanted(q)
	if len(wishes) == 0 {
		head, err := v.Head(ctx, tenant)
		if errors.Is(err, vault.ErrUnknownTenant) {
			return 0, nil
		}
		return max(0, min(w.end, head.Frontier.Size)-w.first), err
	}
	var n int64
	_, err = v.one(ctx, "the number of entries", sqlCountByTerm, []any{&n}, append([]any{tenant, w.first, w.end, 0}, wished(wishes)...)...)
	return n, err
}

// wished are the parameters that say what is searched by: the field to walk along,
// its terms, and the others.
func wished(wishes []entryrow.Wish) []any {
	type other [2]any
	rest := make([]other, 0, len(wishes))
	for _, w := range wishes[1:] {
		rest = append(rest, other{w.Field, storableOf(w.Values)})
	}
	return []any{string(wishes[0].Field), list(wishes[0].Values), encode(rest)}
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
