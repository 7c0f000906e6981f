package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlHoldByID = `
SELECT g.hold_id, g.matter, g.reference, g.custodian, g.created_from, g.created_to, g.existing_only,
    g.by_sent, g.backups, g.review_by, g.created_at, g.released_at,
    (SELECT json_group_array(json_array(t.field, hex(t.term))) FROM hold_terms AS t
        WHERE t.tenant = ?1 AND t.hold_id = g.hold_id)
FROM holds AS g
WHERE g.tenant = ?1 AND g.hold_id = ?2 AND (g.released_at IS NULL OR NOT ?3)`
	// The page after the hold ?2, or the first.
	sqlHolds = `
SELECT g.hold_id, g.matter, g.reference, g.custodian, g.created_from, g.created_to, g.existing_only,
    g.by_sent, g.backups, g.review_by, g.created_at, g.released_at,
    (SELECT json_group_array(json_array(t.field, hex(t.term))) FROM hold_terms AS t
        WHERE t.tenant = ?1 AND t.hold_id = g.hold_id)
FROM holds AS g
WHERE g.tenant = ?1 AND (g.released_at IS NULL OR NOT ?3)
    AND (g.created_at, g.hold_id) < (IIF(?2 = '', ?5,
        (SELECT b.created_at FROM holds AS b WHERE b.tenant = ?1 AND b.hold_id = ?2)), ?2)
ORDER BY g.created_at DESC, g.hold_id DESC LIMIT ?4`
	sqlScopesOfName = `
SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    COALESCE(s.name_key_id, ''), s.idle_ttl, s.created_at, s.ends_at
FROM scopes AS s
WHERE s.tenant = ?1 AND s.digest = ?2
ORDER BY s.created_at DESC, s.scope_id DESC`
	// A hold that was never placed, and its terms, stand where the tables would,
	// so that what a match reaches is what a hold of it keeps. Mappings are found
	// one way only, the narrowest that the match allows, and so each once.
	sqlReach = `
WITH hold_terms (tenant, hold_id, field, term) AS MATERIALIZED (
    SELECT ?1, '', j.value ->> 0, unhex(j.value ->> 1) FROM json_each(?2) AS j
), asked (hold_id, by_subject, by_lookup, by_scope, by_entity, by_class, by_destination, by_sent,
    created_from, created_to, existing_only, created_at) AS (
    SELECT '', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0
), found (scope_id, token_id) AS MATERIALIZED (
    SELECT DISTINCT l.scope_id, l.token_id FROM json_each(?2) AS j CROSS JOIN subjects AS p CROSS JOIN mapping_subjects AS l
    WHERE j.value ->> 0 = 'subject' AND p.tenant = ?1 AND p.digest = unhex(j.value ->> 1)
        AND l.tenant = ?1 AND l.subject_ref = p.subject_ref
    UNION ALL
    SELECT m.scope_id, m.token_id FROM json_each(?2) AS j CROSS JOIN mappings AS m
    WHERE NOT ?3 AND j.value ->> 0 = 'lookup' AND m.tenant = ?1 AND m.lookup = unhex(j.value ->> 1)
    UNION ALL
    SELECT m.scope_id, m.token_id FROM json_each(?2) AS j CROSS JOIN scopes AS s CROSS JOIN mappings AS m
    WHERE NOT ?3 AND NOT ?4 AND j.value ->> 0 = 'scope' AND s.tenant = ?1 AND s.digest = unhex(j.value ->> 1)
        AND m.tenant = ?1 AND m.scope_id = s.scope_id
    UNION ALL
    SELECT m.scope_id, m.token_id FROM mappings AS m
    WHERE NOT ?3 AND NOT ?4 AND NOT ?5 AND m.tenant = ?1
), reached (scope_id, token_id, entity, expired) AS MATERIALIZED (
    SELECT m.scope_id, m.token_id, m.entity,
        m.expires_at <= MAX(?12, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    FROM found AS r CROSS JOIN mappings AS m CROSS JOIN asked AS g
    WHERE m.tenant = ?1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id
        AND NOT ` + erased + ` AND ` + fits + `
)
SELECT 'entity', r.entity, COUNT(*), SUM(r.expired) FROM reached AS r GROUP BY r.entity
UNION ALL
SELECT 'scopes', '', COUNT(DISTINCT r.scope_id), 0 FROM reached AS r
UNION ALL
SELECT 'subjects', '', COUNT(DISTINCT l.subject_ref), 0 FROM reached AS r CROSS JOIN mapping_subjects AS l
WHERE l.tenant = ?1 AND l.scope_id = r.scope_id AND l.token_id = r.token_id`
)

// Holds implements vault.Custody.
func (v *View) Holds(ctx context.Context, tenant string, q vault.HoldQuery) ([]vault.Hold, error) {
	var holds []vault.Hold
	add := func(rows *sql.Rows) error {
		h, err := scanHold(rows)
		holds = append(holds, h)
		return err
	}
	if q.ID != "" {
		err := v.each(ctx, "a hold", sqlHoldByID, add, tenant, q.ID, q.Standing)
		return holds, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageHolds
	}
	err := v.each(ctx, "holds", sqlHolds, add, tenant, q.Before, q.Standing, limit, forever)
	return holds, err
}

func scanHold(rows *sql.Rows) (h vault.Hold, err error) {
	var from, to, created int64
	var review, released sql.NullInt64
	var list string
	if err := rows.Scan(&h.ID, &h.Matter, &h.Reference, &h.Custodian, &from, &to, &h.ExistingOnly,
		&h.Match.BySent, &h.Backups, &review, &created, &released, &list); err != nil {
		return h, err
	}
	h.CreatedAt = fromMicros(created)
	if from != 0 {
		h.Match.From = fromMicros(from)
	}
	if to != forever {
		h.Match.To = fromMicros(to)
	}
	if review.Valid {
		h.ReviewBy = fromMicros(review.Int64)
	}
	if released.Valid {
		h.ReleasedAt = fromMicros(released.Int64)
	}
	var terms []holdTerm
	if err := json.Unmarshal([]byte(list), &terms); err != nil {
		return h, fmt.Errorf("sqlite: terms of a hold: %w", err)
	}
	for _, t := range terms {
		if err := addTerm(&h.Match, t); err != nil {
			return h, err
		}
	}
	return h, nil
}

func addTerm(m *vault.HoldMatch, t holdTerm) error {
	term, err := hex.DecodeString(t[1])
	if err != nil {
		return fmt.Errorf("sqlite: a term of a hold: %w", err)
	}
	switch t[0] {
	case "entity":
		m.Entities = append(m.Entities, string(term))
		return nil
	case "class":
		m.Classes = append(m.Classes, string(term))
		return nil
	case "destination":
		m.Destinations = append(m.Destinations, string(term))
		return nil
	}
	var d vault.Digest
	copy(d[:], term)
	switch t[0] {
	case "subject":
		m.Subjects = append(m.Subjects, d)
	case "lookup":
		m.Lookups = append(m.Lookups, d)
	default:
		m.Scopes = append(m.Scopes, d)
	}
	return nil
}

// Scopes implements vault.Custody.
func (v *View) Scopes(ctx context.Context, tenant string, digest vault.Digest) ([]vault.Scope, error) {
	var scopes []vault.Scope
	err := v.each(ctx, "scopes of a name", sqlScopesOfName, scopeRow(&scopes, digest), tenant, digest[:])
	return scopes, err
}

// Reach implements vault.Custody.
func (v *View) Reach(ctx context.Context, tenant string, m vault.HoldMatch) (vault.Reach, error) {
	c, err := criteriaOf(m)
	if err != nil {
		return vault.Reach{}, err
	}
	reach := vault.Reach{Entities: make(map[string]int)}
	err = v.each(ctx, "what a match reaches", sqlReach, func(rows *sql.Rows) error {
		var what, entity string
		var n, expired int
		if err := rows.Scan(&what, &entity, &n, &expired); err != nil {
			return err
		}
		switch what {
		case "scopes":
			reach.Scopes = n
		case "subjects":
			reach.Subjects = n
		default:
			reach.Entities[entity] = n
			reach.Mappings += n
			reach.Expired += expired
		}
		return nil
	}, tenant, encode(c.terms), c.bySubject, c.byLookup, c.byScope, c.byEntity, c.byClass,
		c.byDestination, c.bySent, c.from, c.to, v.now())
	return reach, err
}
