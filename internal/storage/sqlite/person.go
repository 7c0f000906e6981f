package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// A mapping is found by a subject or by its value; a union has it once. Links
// multiply its rows, so it is counted by its id.
const sqlSightings = `
WITH found (scope_id, token_id) AS MATERIALIZED (
    SELECT l.scope_id, l.token_id FROM json_each(?2) AS j CROSS JOIN subjects AS p CROSS JOIN mapping_subjects AS l
    WHERE p.tenant = ?1 AND p.digest = unhex(j.value) AND l.tenant = ?1 AND l.subject_ref = p.subject_ref
    UNION
    SELECT m.scope_id, m.token_id FROM json_each(?3) AS j CROSS JOIN mappings AS m
    WHERE m.tenant = ?1 AND m.lookup = unhex(j.value)
), sightings (scope_id, entity, class, mappings, expired, first, last, refs) AS MATERIALIZED (
    SELECT m.scope_id, m.entity, m.class, COUNT(DISTINCT m.token_id),
        COUNT(DISTINCT IIF(m.expires_at <= MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)), m.token_id, NULL)),
        MIN(m.created_at), MAX(m.created_at),
        json_group_array(DISTINCT l.subject_ref) FILTER (WHERE l.subject_ref IS NOT NULL)
    FROM found AS r CROSS JOIN mappings AS m
        LEFT JOIN mapping_subjects AS l ON l.tenant = ?1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id
    WHERE m.tenant = ?1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id
        AND NOT ` + erased + ` AND m.state <> 'retired'
    GROUP BY m.scope_id, m.entity, m.class ORDER BY m.scope_id, m.entity, m.class LIMIT ?5
)
SELECT r.scope_id, s.kind, r.entity, r.class, r.mappings, r.expired, r.first, r.last, r.refs
FROM sightings AS r CROSS JOIN scopes AS s
WHERE s.tenant = ?1 AND s.scope_id = r.scope_id`

// Sightings implements vault.Custody.
func (v *View) Sightings(ctx context.Context, tenant string, q vault.PersonQuery) ([]vault.Sighting, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.MaxSightings
	}
	var sightings []vault.Sighting
	err := v.each(ctx, "sightings", sqlSightings, func(rows *sql.Rows) error {
		var s vault.Sighting
		var first, last int64
		var refs string
		if err := rows.Scan(&s.ScopeID, &s.Kind, &s.Entity, &s.Class, &s.Mappings, &s.Expired, &first, &last, &refs); err != nil {
			return err
		}
		s.First, s.Last = fromMicros(first), fromMicros(last)
		var err error
		s.SubjectRefs, err = decodeList(refs)
		slices.Sort(s.SubjectRefs)
		sightings = append(sightings, s)
		return err
	}, tenant, digestList(q.Subjects), digestList(q.Lookups), v.now(), limit)
	slices.SortFunc(sightings, func(a, b vault.Sighting) int {
		return cmp.Or(strings.Compare(a.ScopeID, b.ScopeID), strings.Compare(a.Entity, b.Entity), strings.Compare(a.Class, b.Class))
	})
	return sightings, err
}
