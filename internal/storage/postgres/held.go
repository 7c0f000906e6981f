package postgres

import "github.com/jackc/pgx/v5"

// held is a hold that keeps the mapping m, else NULL. It is a piece of every
// statement that has to know, so that all of them agree. The tenant is its $1.
//
// Where no hold stands it is one look at an index that is empty. Otherwise it
// is a few looks for each hold: every criterion is looked up by a whole key,
// from the row at hand, in a subquery that cannot be turned into a join with
// all terms of a hold, or with all rows of a tenant.
const held = `(
    SELECT o.hold_id FROM holds AS o
    WHERE o.tenant = $1 AND o.released_at IS NULL AND o.created_to > m.created_at` + holdOf + `
    LIMIT 1)`

// holdOf says of the hold o whether it is about the mapping m, as far as its end
// does not. That one is always asked: a hold whose bounds are of when a value
// was sent ends after it was made, too, since nothing was sent before that.
const holdOf = ` AND (o.by_sent OR o.created_from <= m.created_at)
        AND (NOT o.existing_only OR o.created_at >= m.created_at)
        AND (NOT o.by_entity OR (
            SELECT t.hold_id FROM hold_terms AS t
            WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'entity' AND t.term = convert_to(m.entity, 'UTF8') LIMIT 1) IS NOT NULL)
        AND (NOT o.by_class OR (
            SELECT t.hold_id FROM hold_terms AS t
            WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'class' AND t.term = convert_to(m.class, 'UTF8') LIMIT 1) IS NOT NULL)
        AND (NOT o.by_lookup OR (
            SELECT t.hold_id FROM hold_terms AS t
            WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'lookup' AND t.term = m.lookup LIMIT 1) IS NOT NULL)
        AND (NOT o.by_scope OR (
            SELECT t.hold_id FROM hold_terms AS t
            WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'scope' AND t.term = (
                SELECT s.digest FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = m.scope_id LIMIT 1) LIMIT 1) IS NOT NULL)
        AND (NOT o.by_subject OR (
            SELECT l.subject_ref FROM mapping_subjects AS l
            WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id AND (
                SELECT t.hold_id FROM hold_terms AS t
                WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'subject' AND t.term = (
                    SELECT p.digest FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = l.subject_ref LIMIT 1) LIMIT 1) IS NOT NULL
            LIMIT 1) IS NOT NULL)
        AND (NOT (o.by_destination OR o.by_sent) OR (
            SELECT d.token_id FROM mapping_destinations AS d
            WHERE d.tenant = $1 AND d.scope_id = m.scope_id AND d.token_id = m.token_id
                AND (NOT o.by_sent OR d.first_sent < o.created_to AND d.last_sent >= o.created_from - ` + sentSlack + `)
                AND (NOT o.by_destination OR (
                    SELECT t.hold_id FROM hold_terms AS t
                    WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'destination'
                        AND t.term = convert_to(d.destination, 'UTF8') LIMIT 1) IS NOT NULL)
            LIMIT 1) IS NOT NULL)`

// sentSlack is vault.SentResolution in microseconds: a value may have been
// sent so much later than its row says, and a hold on that time keeps it.
const sentSlack = "3600000000"

const (
	// Of rows by token, those that a hold keeps.
	sqlHeldAt = `
SELECT m.scope_id, m.token_id FROM unnest($2::text[], $3::text[]) AS r (scope_id, token_id)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.created_at, m.lookup, m.entity, m.class FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id LIMIT 1) AS m
WHERE ` + held + ` IS NOT NULL`
	// Of keys, those that seal what a hold keeps. Where no hold stands, which is
	// asked once, nothing of what they seal is looked at.
	sqlHeldUnder = `
SELECT r.key_id FROM unnest($2::text[]) AS r (key_id)
WHERE (SELECT o.hold_id FROM holds AS o WHERE o.tenant = $1 AND o.released_at IS NULL AND o.created_to > 0 LIMIT 1) IS NOT NULL
    AND (SELECT m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = r.key_id AND ` + held + ` IS NOT NULL LIMIT 1) IS NOT NULL`
)

// readHeld notes a mapping that a hold keeps. Holds are placed and released by
// commits of their own, so what was read under the lock is so for the batch.
func (m *image) readHeld(rows pgx.Rows) error {
	var at place
	err := scan(rows, &at.scopeID, &at.tokenID)
	m.held[at] = true
	return err
}
