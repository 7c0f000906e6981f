package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a match is about, in pieces: where to look first, which is the narrowest
// thing that it names, and what must fit of a mapping m that is found there.
// Criteria that are not set are NULL. What was erased is there no more, whether or
// not its row is.
const (
	reachFits = `
    WHERE ($11 OR m.created_at >= $8) AND m.created_at < $9
        AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
        AND ($6::text[] IS NULL OR m.entity = ANY ($6)) AND ($7::text[] IS NULL OR m.class = ANY ($7))
        AND ($5::text[] IS NULL OR m.scope_id IN (SELECT r.scope_id FROM unnest($5) AS r (scope_id)))
        AND ($4::bytea[] IS NULL OR m.lookup IN (SELECT r.lookup FROM unnest($4) AS r (lookup)))
        AND ($3::text[] IS NULL OR (
            SELECT l.subject_ref FROM mapping_subjects AS l
            WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id AND l.subject_ref = ANY ($3) LIMIT 1) IS NOT NULL)
        AND ($10::text[] IS NULL AND NOT $11 OR (
            SELECT d.token_id FROM mapping_destinations AS d
            WHERE d.tenant = $1 AND d.scope_id = m.scope_id AND d.token_id = m.token_id
                AND ($10 IS NULL OR d.destination = ANY ($10)) AND (NOT $11 OR d.first_sent < $9 AND d.last_sent >= $8) LIMIT 1) IS NOT NULL))`
	reachFound = `
WITH found AS MATERIALIZED (
    SELECT m.scope_id, m.token_id, m.entity,
        m.expires_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))) AS expired`
	reachCount = `
SELECT f.entity, count(*), count(*) FILTER (WHERE f.expired),
    (SELECT count(DISTINCT f.scope_id) FROM found AS f),
    (SELECT count(DISTINCT l.subject_ref) FROM found AS f CROSS JOIN LATERAL (
        SELECT l.subject_ref FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = f.scope_id AND l.token_id = f.token_id OFFSET 0) AS l)
FROM found AS f GROUP BY f.entity`
)

const (
	sqlReachOfLookups = reachFound + `
    FROM unnest($4::bytea[]) AS r (lookup) CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.key_id, m.entity, m.class, m.lookup, m.created_at, m.expires_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.lookup = r.lookup OFFSET 0) AS m` + reachFits + reachCount
	sqlReachOfSubjects = reachFound + `
    FROM (
        SELECT DISTINCT l.scope_id, l.token_id FROM unnest($3::text[]) AS r (subject_ref) CROSS JOIN LATERAL (
            SELECT l.scope_id, l.token_id FROM mapping_subjects AS l
            WHERE l.tenant = $1 AND l.subject_ref = r.subject_ref OFFSET 0) AS l) AS q
    CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.key_id, m.entity, m.class, m.lookup, m.created_at, m.expires_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = q.scope_id AND m.token_id = q.token_id LIMIT 1) AS m` + reachFits + reachCount
	sqlReachOfScopes = reachFound + `
    FROM unnest($5::text[]) AS r (scope_id) CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.key_id, m.entity, m.class, m.lookup, m.created_at, m.expires_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = r.scope_id OFFSET 0) AS m` + reachFits + reachCount
	// Of a match by entity, class or time alone nothing but a walk tells.
	sqlReachOfAll = reachFound + `
    FROM (
        SELECT m.scope_id, m.token_id, m.key_id, m.entity, m.class, m.lookup, m.created_at, m.expires_at FROM mappings AS m
        WHERE m.tenant = $1 OFFSET 0) AS m` + reachFits + reachCount
	sqlSightings = `
WITH found AS MATERIALIZED (
    SELECT m.scope_id, m.token_id FROM unnest($4::bytea[]) AS r (lookup) CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.lookup = r.lookup OFFSET 0) AS m
    UNION
    SELECT l.scope_id, l.token_id FROM unnest($3::bytea[]) AS r (digest)
    CROSS JOIN LATERAL (
        SELECT p.subject_ref FROM subjects AS p WHERE p.tenant = $1 AND p.digest = r.digest LIMIT 1) AS p
    CROSS JOIN LATERAL (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.subject_ref = p.subject_ref OFFSET 0) AS l)
SELECT m.scope_id, (SELECT s.kind FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = m.scope_id LIMIT 1), m.entity, m.class,
    count(DISTINCT m.token_id), count(DISTINCT m.token_id) FILTER (WHERE m.expires_at <= (
        SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))),
    min(m.created_at), max(m.created_at), array_agg(DISTINCT l.subject_ref) FILTER (WHERE l.subject_ref IS NOT NULL)
FROM found AS f
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.key_id, m.entity, m.class, m.state, m.created_at, m.expires_at FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = f.scope_id AND m.token_id = f.token_id LIMIT 1) AS m
LEFT JOIN LATERAL (
    SELECT l.subject_ref FROM mapping_subjects AS l
    WHERE l.tenant = $1 AND l.scope_id = f.scope_id AND l.token_id = f.token_id OFFSET 0) AS l ON true
WHERE m.state <> 'retired'
    AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
GROUP BY m.scope_id, m.entity, m.class
ORDER BY m.scope_id, m.entity, m.class LIMIT $5`
)

// Reach implements vault.Custody, of what could be the match of a hold. People and scopes are looked up first, by
// reads of their own: which rows they are does not change.
func (v *View) Reach(ctx context.Context, tenant string, m vault.HoldMatch) (vault.Reach, error) {
	if _, err := termsOf(m); err != nil {
		return vault.Reach{}, err
	}
	var refs, scopes []string
	if len(m.Subjects) > 0 {
		known, err := v.Subjects(ctx, tenant, m.Subjects)
		if err != nil {
			return vault.Reach{}, err
		}
		refs = column(known, func(s vault.Subject) string { return s.Ref })
	}
	for _, digest := range m.Scopes {
		named, err := v.Scopes(ctx, tenant, digest)
		if err != nil {
			return vault.Reach{}, err
		}
		scopes = append(scopes, column(named, func(s vault.Scope) string { return s.ID })...)
	}
	from, to := bounds(m)
	var r vault.Reach
	err := v.each(ctx, "what a match is about", reachOf(m), func(rows pgx.Rows) error {
		var entity string
		var mappings, expired int
		err := scan(rows, &entity, &mappings, &expired, &r.Scopes, &r.Subjects)
		if r.Entities == nil {
			r.Entities = make(map[string]int)
		}
		r.Entities[entity] = mappings
		r.Mappings, r.Expired = r.Mappings+mappings, r.Expired+expired
		return err
	}, tenant, v.now(), criterion(m.Subjects, refs), criterion(m.Lookups, digestList(m.Lookups)), criterion(m.Scopes, list(scopes)),
		criterion(m.Entities, list(m.Entities)), criterion(m.Classes, list(m.Classes)), from, to,
		criterion(m.Destinations, list(m.Destinations)), m.BySent)
	return r, err
}

// criterion is NULL where it is not set, and never where it is: what nothing
// is known of matches nothing.
func criterion[S, V any](set []S, values []V) []V {
	if len(set) == 0 {
		return nil
	}
	return append([]V{}, values...)
}

// reachOf is the statement that goes by the narrowest thing that is named.
func reachOf(m vault.HoldMatch) string {
	switch {
	case len(m.Lookups) > 0:
		return sqlReachOfLookups
	case len(m.Subjects) > 0:
		return sqlReachOfSubjects
	case len(m.Scopes) > 0:
		return sqlReachOfScopes
	default:
		return sqlReachOfAll
	}
}

// Sightings implements vault.Custody.
func (v *View) Sightings(ctx context.Context, tenant string, q vault.PersonQuery) ([]vault.Sighting, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.MaxSightings
	}
	var found []vault.Sighting
	err := v.each(ctx, "what there is of a person", sqlSightings, func(rows pgx.Rows) error {
		var s vault.Sighting
		var first, last int64
		if err := scan(rows, &s.ScopeID, &s.Kind, &s.Entity, &s.Class, &s.Mappings, &s.Expired, &first, &last, &s.SubjectRefs); err != nil {
			return err
		}
		s.First, s.Last = fromMicros(first), fromMicros(last)
		found = append(found, s)
		return nil
	}, tenant, v.now(), digestList(q.Subjects), digestList(q.Lookups), int64(limit))
	return found, err
}
