package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// Each mapping is of one sort. What is past its time is asked for a hold only
	// where one stands.
	sqlInventoryLines = `
SELECT g.class, g.kind, count(*) FILTER (WHERE g.sort = 'live'), count(*) FILTER (WHERE g.sort IN ('expired', 'held')),
    count(*) FILTER (WHERE g.sort = 'held'), count(*) FILTER (WHERE g.sort = 'retired'), count(*) FILTER (WHERE g.sort = 'erased'),
    min(g.created_at) FILTER (WHERE g.sort = 'live'), max(g.expires_at) FILTER (WHERE g.sort = 'live')
FROM (
    SELECT m.class, m.created_at, m.expires_at,
        (SELECT s.kind FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = m.scope_id LIMIT 1) AS kind,
        CASE
            WHEN (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NULL THEN 'erased'
            WHEN m.expires_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
                (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))) THEN CASE WHEN ` + kept + ` THEN 'held' ELSE 'expired' END
            WHEN m.state = 'retired' THEN 'retired'
            ELSE 'live' END AS sort
    FROM mappings AS m WHERE m.tenant = $1 OFFSET 0) AS g
GROUP BY g.class, g.kind ORDER BY g.class, g.kind`
	sqlInventory = `
SELECT (SELECT count(*) FROM scopes AS s WHERE s.tenant = $1), (SELECT count(*) FROM subjects AS p WHERE p.tenant = $1),
    (SELECT count(*) FROM data_keys AS k WHERE k.tenant = $1),
    (SELECT count(*) FROM holds AS o WHERE o.tenant = $1 AND o.released_at IS NULL),
    (SELECT count(*) FROM tombstones AS t WHERE t.tenant = $1), (SELECT count(*) FROM suppressions AS u WHERE u.tenant = $1),
    (SELECT count(*) FROM claims AS c WHERE c.tenant = $1),
    (SELECT count(*) FROM subject_requests AS q WHERE q.tenant = $1 AND q.closed_at IS NULL),
    (SELECT count(*) FROM subject_requests AS q WHERE q.tenant = $1 AND q.closed_at IS NOT NULL),
    (SELECT min(q.closed_at) FROM subject_requests AS q WHERE q.tenant = $1),
    (SELECT count(*) FROM erasures AS e WHERE e.tenant = $1),
    (SELECT count(*) FROM erasures AS e WHERE e.tenant = $1 AND e.state = 'deferred')`
)

// Inventory implements vault.Remains. It walks along all that a tenant has, for
// people who ask it rarely, so it has more time than other reads.
func (v *View) Inventory(ctx context.Context, tenant string) (vault.Inventory, error) {
	var i vault.Inventory
	if !storable(tenant) {
		return i, nil
	}
	err := v.moment(ctx, "an inventory", tenant, func(run func(*pipeline) error) error {
		i = vault.Inventory{}
		p := &pipeline{hooks: v.hooks}
		p.exec(sqlPatience, inMillis(reportTimeout))
		p.each(sqlInventoryLines, func(rows pgx.Rows) error {
			var l vault.InventoryLine
			var oldest, ends *int64
			err := scan(rows, &l.Class, &l.Kind, &l.Live, &l.Expired, &l.Held, &l.Retired, &l.Erased, &oldest, &ends)
			l.Oldest, l.LastEnds = timeOf(oldest), timeOf(ends)
			i.Mappings = append(i.Mappings, l)
			return err
		}, tenant, v.now())
		p.each(sqlInventory, func(rows pgx.Rows) error {
			var oldest *int64
			err := scan(rows, &i.Scopes, &i.Subjects, &i.DataKeys, &i.Holds, &i.Tombstones, &i.Suppressions, &i.Claims,
				&i.RequestsOpen, &i.RequestsClosed, &oldest, &i.Erasures, &i.ErasuresDeferred)
			i.OldestClosed = timeOf(oldest)
			return err
		}, tenant)
		return run(p)
	})
	if err != nil {
		return vault.Inventory{}, err
	}
	return i, nil
}
