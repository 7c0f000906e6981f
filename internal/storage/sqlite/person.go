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
	// A mapping is found by a subject or by its value; a union has it once. Links
	// multiply its rows, so it is counted by its id.
	sqlSightings = `
WITH found (scope_id, token_id) AS MATERIALIZED (
    SELECT l.scope_id, l.token_id FROM json_each(?2) AS j CROSS JOIN subjects AS p CROSS JOIN mapping_subjects AS l
    WHERE p.tenant = ?1 AND p.digest = unhex(j.value) AND l.tenant = ?1 AND l.subject_ref = p.subject_ref
    UNION
    SELECT m.scope_id, m.token_id FROM json_each(?3) AS j CROSS JOIN mappings AS m
    WHERE m.tenant = ?1 AND m.lookup = unhex(j.value)
), seen (scope_id, token_id, entity, class, created_at, expires_at) AS MATERIALIZED (
    SELECT m.scope_id, m.token_id, m.entity, m.class, m.created_at, m.expires_at
    FROM found AS r CROSS JOIN mappings AS m
    WHERE m.tenant = ?1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id
        AND NOT ` + erased + ` AND m.state <> 'retired'
), sightings (scope_id, entity, class, mappings, expired, first, last, ends, refs) AS MATERIALIZED (
    SELECT r.scope_id, r.entity, r.class, COUNT(DISTINCT r.token_id),
        COUNT(DISTINCT IIF(r.expires_at <= MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)), r.token_id, NULL)),
        MIN(r.created_at), MAX(r.created_at), MAX(r.expires_at),
        json_group_array(DISTINCT l.subject_ref) FILTER (WHERE l.subject_ref IS NOT NULL)
    FROM seen AS r
        LEFT JOIN mapping_subjects AS l ON l.tenant = ?1 AND l.scope_id = r.scope_id AND l.token_id = r.token_id
    GROUP BY r.scope_id, r.entity, r.class ORDER BY r.scope_id, r.entity, r.class LIMIT ?5
)
SELECT r.scope_id, s.kind, r.entity, r.class, r.mappings, r.expired, r.first, r.last, r.ends, r.refs, ''
FROM sightings AS r CROSS JOIN scopes AS s
WHERE s.tenant = ?1 AND s.scope_id = r.scope_id
UNION ALL
SELECT r.scope_id, '', r.entity, r.class, COUNT(*), 0, MIN(d.first_sent), MAX(d.last_sent), 0, '', d.destination
FROM seen AS r CROSS JOIN mapping_destinations AS d
WHERE d.tenant = ?1 AND d.scope_id = r.scope_id AND d.token_id = r.token_id
GROUP BY r.scope_id, r.entity, r.class, d.destination`
	// The same mappings, from one on.
	sqlPersonTokens = `
WITH found (scope_id, token_id) AS MATERIALIZED (
    SELECT l.scope_id, l.token_id FROM json_each(?2) AS j CROSS JOIN subjects AS p CROSS JOIN mapping_subjects AS l
    WHERE p.tenant = ?1 AND p.digest = unhex(j.value) AND l.tenant = ?1 AND l.subject_ref = p.subject_ref
        AND (l.scope_id, l.token_id) > (?4, ?5)
    UNION
    SELECT m.scope_id, m.token_id FROM json_each(?3) AS j CROSS JOIN mappings AS m
    WHERE m.tenant = ?1 AND m.lookup = unhex(j.value) AND (m.scope_id, m.token_id) > (?4, ?5)
)
SELECT m.scope_id, m.token_id FROM found AS r CROSS JOIN mappings AS m
WHERE m.tenant = ?1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id
    AND NOT ` + erased + ` AND m.state <> 'retired'
ORDER BY r.scope_id, r.token_id LIMIT ?6`
)

// sighted is what sightings are told apart by.
type sighted struct{ scope, entity, class string }

// Sightings implements vault.Custody.
func (v *View) Sightings(ctx context.Context, tenant string, q vault.PersonQuery) ([]vault.Sighting, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.MaxSightings
	}
	var sightings []vault.Sighting
	sent := make(map[sighted][]vault.DestinationUse)
	err := v.each(ctx, "sightings", sqlSightings, func(rows *sql.Rows) error {
		var s vault.Sighting
		var first, last, ends int64
		var refs, destination string
		if err := rows.Scan(&s.ScopeID, &s.Kind, &s.Entity, &s.Class, &s.Mappings, &s.Expired, &first, &last, &ends,
			&refs, &destination); err != nil {
			return err
		}
		if destination != "" {
			of := sighted{s.ScopeID, s.Entity, s.Class}
			sent[of] = append(sent[of], vault.DestinationUse{
				Destination: destination, Mappings: s.Mappings, First: fromMicros(first), Last: fromMicros(last),
			})
			return nil
		}
		s.First, s.Last, s.Ends = fromMicros(first), fromMicros(last), fromMicros(ends)
		var err error
		s.SubjectRefs, err = decodeList(refs)
		slices.Sort(s.SubjectRefs)
		sightings = append(sightings, s)
		return err
	}, tenant, digestList(q.Subjects), digestList(q.Lookups), v.now(), limit)
	for i := range sightings {
		s := &sightings[i]
		s.Destinations = sent[sighted{s.ScopeID, s.Entity, s.Class}]
		slices.SortFunc(s.Destinations, byDestination)
	}
	slices.SortFunc(sightings, func(a, b vault.Sighting) int {
		return cmp.Or(strings.Compare(a.ScopeID, b.ScopeID), strings.Compare(a.Entity, b.Entity), strings.Compare(a.Class, b.Class))
	})
	return sightings, err
}

func byDestination(a, b vault.DestinationUse) int {
	return strings.Compare(a.Destination, b.Destination)
}

// PersonTokens implements vault.Requests.
func (v *View) PersonTokens(ctx context.Context, tenant string, q vault.PersonQuery, after vault.MappingRef) ([]vault.MappingRef, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageTokens
	}
	var found []vault.MappingRef
	err := v.each(ctx, "mappings of a person", sqlPersonTokens, collectRefs(&found),
		tenant, digestList(q.Subjects), digestList(q.Lookups), after.ScopeID, after.TokenID, limit)
	return found, err
}

func collectRefs(into *[]vault.MappingRef) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var m vault.MappingRef
		err := rows.Scan(&m.ScopeID, &m.TokenID)
		*into = append(*into, m)
		return err
	}
}
