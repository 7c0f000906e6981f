package postgres

import (
	"cmp"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What erasing a subject is about, in pieces, so that the plan and the commit
// agree. The tenant is $1, the subject $2; $3 is until when values were made.
const (
	// alone tells of the mapping m whether it is linked to the subject and to
	// nobody else; NULL of one that is linked to nobody.
	alone = `(
    SELECT bool_and(l.subject_ref = $2) FROM mapping_subjects AS l
    WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)`
	// kept tells whether a hold keeps the mapping m. Where no hold stands, which
	// is asked once, no mapping is looked at.
	kept = `CASE WHEN (
    SELECT o.hold_id FROM holds AS o WHERE o.tenant = $1 AND o.released_at IS NULL AND o.created_to > 0 LIMIT 1) IS NULL
    THEN false ELSE ` + held + ` IS NOT NULL END`
	// heldAlone is a hold that keeps the mapping m, which is of nobody but the
	// subject. Holds on other people, and on values of which the subject has none,
	// are left out once instead of for each mapping.
	heldAlone = `(
    SELECT o.hold_id FROM holds AS o
    WHERE o.tenant = $1 AND o.hold_id = ANY (ARRAY(
        SELECT o.hold_id FROM holds AS o
        WHERE o.tenant = $1 AND o.released_at IS NULL AND o.created_to > 0
            AND (NOT o.by_subject OR (
                SELECT t.hold_id FROM hold_terms AS t
                WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'subject' AND t.term = (
                    SELECT p.digest FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = $2 LIMIT 1) LIMIT 1) IS NOT NULL)
            AND (NOT o.by_lookup OR (
                SELECT l.token_id FROM hold_terms AS t
                CROSS JOIN LATERAL (
                    SELECT n.scope_id, n.token_id FROM mappings AS n WHERE n.tenant = $1 AND n.lookup = t.term OFFSET 0) AS n
                CROSS JOIN LATERAL (
                    SELECT l.token_id FROM mapping_subjects AS l
                    WHERE l.tenant = $1 AND l.scope_id = n.scope_id AND l.token_id = n.token_id AND l.subject_ref = $2 LIMIT 1) AS l
                WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'lookup' LIMIT 1) IS NOT NULL)))
        AND o.released_at IS NULL AND o.created_to > m.created_at` + holdOf + `
    LIMIT 1)`
	// tied are the mappings m of a subject, each with whose it is. That is found
	// out once for each, and not remembered: no two are alike.
	tied = `
    FROM (
        SELECT m.scope_id, m.token_id, m.key_id, m.state, m.created_at, m.alone,
            CASE WHEN m.alone THEN ` + heldAlone + ` IS NOT NULL ELSE ` + kept + ` END AS kept
        FROM (
            SELECT m.scope_id, m.token_id, m.key_id, m.state, m.entity, m.class, m.lookup, m.created_at, ` + alone + ` AS alone
            FROM (
                SELECT l.scope_id, l.token_id FROM mapping_subjects AS l
                WHERE l.tenant = $1 AND l.subject_ref = $2 OFFSET 0) AS q
            CROSS JOIN LATERAL (
                SELECT m.scope_id, m.token_id, m.key_id, m.state, m.entity, m.class, m.lookup, m.created_at FROM mappings AS m
                WHERE m.tenant = $1 AND m.scope_id = q.scope_id AND m.token_id = q.token_id LIMIT 1) AS m
            OFFSET 0) AS m
        OFFSET 0) AS m`
)

const (
	// What there is of a subject, by scope and key.
	sqlErasing = `
SELECT g.scope_id, g.key_id, g.goes, g.deferred, g.shared, g.younger
FROM (
    SELECT m.scope_id, m.key_id,
        count(*) FILTER (WHERE m.created_at <= $3 AND m.alone AND NOT m.kept) AS goes,
        count(*) FILTER (WHERE m.created_at <= $3 AND m.kept) AS deferred,
        count(*) FILTER (WHERE m.created_at <= $3 AND NOT m.alone AND NOT m.kept) AS shared,
        count(*) FILTER (WHERE m.created_at > $3) AS younger` + tied + `
    GROUP BY m.scope_id, m.key_id) AS g
WHERE (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = g.key_id LIMIT 1) IS NOT NULL`
	sqlErasingKeys = `
SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.subject_ref = $2`
)

// erasing is what there is of a subject under keys that stand. What is under
// others went before, and is only to be swept.
type erasing struct {
	keys  distinct[string] // all that have to go
	under map[string]int   // how many go under each
	stays map[string]bool  // under which anything is held, or younger
	parts map[string]*vault.ErasurePart

	goes, deferred, shared int
	younger                int // made after the erasure began
}

func newErasing() *erasing {
	return &erasing{under: make(map[string]int), stays: make(map[string]bool), parts: make(map[string]*vault.ErasurePart)}
}

// read adds the statements that find it out.
func (e *erasing) read(p *pipeline, tenant, subjectRef string, until int64) {
	p.each(sqlErasing, e.readGroup, tenant, subjectRef, until)
	p.each(sqlErasingKeys, e.readKey, tenant, subjectRef)
}

// readKey reads a key of the subject's: it goes, unless nothing goes under it and
// something stays there that is still the subject's.
func (e *erasing) readKey(rows pgx.Rows) error {
	var id string
	err := scan(rows, &id)
	if !e.stays[id] {
		e.keys.add(id)
	}
	return err
}

func (e *erasing) readGroup(rows pgx.Rows) error {
	var scopeID, key string
	var goes, deferred, shared, younger int
	if err := scan(rows, &scopeID, &key, &goes, &deferred, &shared, &younger); err != nil {
		return err
	}
	if goes > 0 {
		e.keys.add(key)
		e.under[key] += goes
	}
	e.stays[key] = e.stays[key] || deferred+younger > 0
	e.goes, e.deferred, e.shared, e.younger = e.goes+goes, e.deferred+deferred, e.shared+shared, e.younger+younger
	if goes+deferred+shared > 0 {
		part := e.parts[scopeID]
		if part == nil {
			part = &vault.ErasurePart{ScopeID: scopeID}
			e.parts[scopeID] = part
		}
		part.Erased, part.Deferred, part.Shared = part.Erased+goes, part.Deferred+deferred, part.Shared+shared
	}
	return nil
}

// sortedKeys are the keys that have to go, in order.
func (e *erasing) sortedKeys() []string { return slices.Sorted(slices.Values(e.keys.items)) }

// sortedParts are what becomes of the subject's values, by scope.
func (e *erasing) sortedParts() (parts []vault.ErasurePart) {
	for _, p := range e.parts {
		parts = append(parts, *p)
	}
	slices.SortFunc(parts, func(a, b vault.ErasurePart) int { return cmp.Compare(a.ScopeID, b.ScopeID) })
	return parts
}
