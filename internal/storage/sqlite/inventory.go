package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// One pass over the mappings in the order of the table, by scope; then by the
	// kind of the scopes. What a hold keeps is asked only of what is over.
	sqlInventory = `
WITH fates (scope_id, class, fate, created_at, expires_at) AS (
    SELECT m.scope_id, m.class, CASE
            WHEN ` + erased + ` THEN 'erased'
            WHEN m.expires_at <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
            THEN IIF(` + held + `, 'held', 'expired')
            WHEN m.state = 'retired' THEN 'retired' ELSE 'live' END,
        m.created_at, m.expires_at
    FROM mappings AS m WHERE m.tenant = ?1
), counted (scope_id, class, fate, n, first, last) AS MATERIALIZED (
    SELECT r.scope_id, r.class, r.fate, COUNT(*), MIN(r.created_at), MAX(r.expires_at)
    FROM fates AS r GROUP BY r.scope_id, r.class, r.fate
)
SELECT r.class, s.kind, r.fate, SUM(r.n), MIN(r.first), MAX(r.last)
FROM counted AS r CROSS JOIN scopes AS s
WHERE s.tenant = ?1 AND s.scope_id = r.scope_id
GROUP BY r.class, s.kind, r.fate`
	sqlInventoryRecords = `
SELECT (SELECT COUNT(*) FROM scopes AS s WHERE s.tenant = ?1),
    (SELECT COUNT(*) FROM subjects AS p WHERE p.tenant = ?1),
    (SELECT COUNT(*) FROM data_keys AS k WHERE k.tenant = ?1),
    (SELECT COUNT(*) FROM holds AS g INDEXED BY holds_standing WHERE g.tenant = ?1 AND g.released_at IS NULL),
    (SELECT COUNT(*) FROM tombstones AS z WHERE z.tenant = ?1),
    (SELECT COUNT(*) FROM suppressions AS u WHERE u.tenant = ?1),
    (SELECT COUNT(*) FROM claims AS c WHERE c.tenant = ?1),
    (SELECT COUNT(*) FROM subject_requests AS q WHERE q.tenant = ?1 AND q.closed_at IS NULL),
    (SELECT COUNT(*) FROM subject_requests AS q WHERE q.tenant = ?1 AND q.closed_at IS NOT NULL),
    (SELECT MIN(q.closed_at) FROM subject_requests AS q WHERE q.tenant = ?1 AND q.closed_at IS NOT NULL),
    (SELECT COUNT(*) FROM erasures AS e WHERE e.tenant = ?1),
    (SELECT COUNT(*) FROM erasures AS e INDEXED BY erasures_deferred WHERE e.tenant = ?1 AND e.state = 'deferred')`
)

// Inventory implements vault.Remains. All of it is read from one commit.
func (v *View) Inventory(ctx context.Context, tenant string) (vault.Inventory, error) {
	var all vault.Inventory
	lines := make(map[[2]string]*vault.InventoryLine)
	err := v.snapshot(ctx, "an inventory", func(each eachRow) error {
		if err := each(sqlInventory, inventoryRow(lines), tenant, v.now()); err != nil {
			return err
		}
		return each(sqlInventoryRecords, func(rows *sql.Rows) error {
			var oldest sql.NullInt64
			err := rows.Scan(&all.Scopes, &all.Subjects, &all.DataKeys, &all.Holds, &all.Tombstones, &all.Suppressions, &all.Claims,
				&all.RequestsOpen, &all.RequestsClosed, &oldest, &all.Erasures, &all.ErasuresDeferred)
			if oldest.Valid {
				all.OldestClosed = fromMicros(oldest.Int64)
			}
			return err
		}, tenant)
	})
	if err != nil {
		return vault.Inventory{}, err
	}
	for _, line := range lines {
		all.Mappings = append(all.Mappings, *line)
	}
	slices.SortFunc(all.Mappings, func(a, b vault.InventoryLine) int {
		return cmp.Or(strings.Compare(a.Class, b.Class), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return all, nil
}

// inventoryRow adds a row of sqlInventory to the line of its class and kind.
func inventoryRow(lines map[[2]string]*vault.InventoryLine) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var class, kind, fate string
		var n int
		var first, last int64
		if err := rows.Scan(&class, &kind, &fate, &n, &first, &last); err != nil {
			return err
		}
		line := lines[[2]string{class, kind}]
		if line == nil {
			line = &vault.InventoryLine{Class: class, Kind: vault.ScopeKind(kind)}
			lines[[2]string{class, kind}] = line
		}
		switch fate {
		case "live":
			line.Live, line.Oldest, line.LastEnds = n, fromMicros(first), fromMicros(last)
		case "held":
			line.Held = n
			line.Expired += n
		case "expired":
			line.Expired += n
		case "retired":
			line.Retired = n
		default:
			line.Erased = n
		}
		return nil
	}
}
