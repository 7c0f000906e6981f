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
                AND ($10 IS NULL OR d.destination = ANY ($10)) AND (NOT $11 OR d.first_sent < $9 AND d.last_sent >= $8 - ` + sentSlack + `) LIMIT 1) IS NOT NULL))`
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
	// Where the mappings that are counted were sent goes by what they are counted
	// by, in lists of the same order.
	sqlSightings = personFound + `, seen AS MATERIALIZED (
    SELECT m.scope_id, m.token_id, m.entity, m.class, m.created_at, m.expires_at FROM found AS f
    CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.key_id, m.entity, m.class, m.state, m.created_at, m.expires_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = f.scope_id AND m.token_id = f.token_id LIMIT 1) AS m
    WHERE true` + personSeen + `), sent AS MATERIALIZED (
    SELECT u.scope_id, u.entity, u.class, array_agg(u.destination ORDER BY u.destination) AS destinations,
        array_agg(u.mappings ORDER BY u.destination) AS mappings, array_agg(u.first ORDER BY u.destination) AS first,
        array_agg(u.last ORDER BY u.destination) AS last
    FROM (
        SELECT w.scope_id, w.entity, w.class, d.destination, count(*) AS mappings, min(d.first_sent) AS first, max(d.last_sent) AS last
        FROM seen AS w CROSS JOIN LATERAL (
            SELECT d.destination, d.first_sent, d.last_sent FROM mapping_destinations AS d
            WHERE d.tenant = $1 AND d.scope_id = w.scope_id AND d.token_id = w.token_id OFFSET 0) AS d
        GROUP BY w.scope_id, w.entity, w.class, d.destination) AS u
    GROUP BY u.scope_id, u.entity, u.class)
SELECT g.scope_id, (SELECT s.kind FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = g.scope_id LIMIT 1), g.entity, g.class,
    g.mappings, g.expired, g.first, g.last, g.ends, g.refs, u.destinations, u.mappings, u.first, u.last
FROM (
    SELECT w.scope_id, w.entity, w.class,
        count(DISTINCT w.token_id) AS mappings, count(DISTINCT w.token_id) FILTER (WHERE w.expires_at <= (
            SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
                (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))) AS expired,
        min(w.created_at) AS first, max(w.created_at) AS last, max(w.expires_at) AS ends,
        array_agg(DISTINCT l.subject_ref) FILTER (WHERE l.subject_ref IS NOT NULL) AS refs
    FROM seen AS w
    LEFT JOIN LATERAL (
        SELECT l.subject_ref FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = w.scope_id AND l.token_id = w.token_id OFFSET 0) AS l ON true
    GROUP BY w.scope_id, w.entity, w.class
    ORDER BY w.scope_id, w.entity, w.class LIMIT $5) AS g
LEFT JOIN sent AS u ON u.scope_id = g.scope_id AND u.entity = g.entity AND u.class = g.class
ORDER BY g.scope_id, g.entity, g.class`
)

// personFound are the places of all that is of the subjects $3 or has one of the
// look-up digests $4, each once; personSeen says of a mapping m there that it is
// counted. What was erased is there no more, whether or not its row is.
const (
	personFound = `
WITH found AS MATERIALIZED (
    SELECT m.scope_id, m.token_id FROM unnest($4::bytea[]) AS r (lookup) CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.lookup = r.lookup OFFSET 0) AS m
    UNION
    SELECT l.scope_id, l.token_id FROM unnest($3::bytea[]) AS r (digest)
    CROSS JOIN LATERAL (
        SELECT p.subject_ref FROM subjects AS p WHERE p.tenant = $1 AND p.digest = r.digest LIMIT 1) AS p
    CROSS JOIN LATERAL (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.subject_ref = p.subject_ref OFFSET 0) AS l)`
	personSeen = `
    AND m.state <> 'retired'
    AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL`
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
	err := v.within(ctx, reportTimeout, "what a match is about", reachOf(m), func(rows pgx.Rows) error {
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
		var first, last, ends int64
		var sent usesColumns
		if err := scan(rows, append([]any{
			&s.ScopeID, &s.Kind, &s.Entity, &s.Class, &s.Mappings, &s.Expired, &first, &last, &ends, &s.SubjectRefs,
		}, sent.into()...)...); err != nil {
			return err
		}
		s.First, s.Last, s.Ends, s.Destinations = fromMicros(first), fromMicros(last), fromMicros(ends), sent.uses()
		found = append(found, s)
		return nil
	}, tenant, v.now(), digestList(q.Subjects), digestList(q.Lookups), int64(limit))
	return found, err
}
