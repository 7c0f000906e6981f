package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// ofSubject are the mappings m of the subject $2 that stand, with whether each
// is about nobody else.
const ofSubject = `
FROM (
    SELECT m.scope_id, m.token_id, m.key_id, m.identity, m.state, m.created_at, ` + alone + ` AS alone FROM (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.subject_ref = $2 OFFSET 0) AS q
    CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.key_id, m.identity, m.state, m.created_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = q.scope_id AND m.token_id = q.token_id LIMIT 1) AS m
    OFFSET 0) AS m
WHERE (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL`

const (
	sqlRestrictable = `
SELECT m.scope_id, m.token_id, m.alone` + ofSubject + ` AND m.state = 'live' AND m.created_at <= $3`
	// Restricted ones, the newest first, each with the token that stands for its
	// value by now and whether the key of that stands. What a deferred erasure
	// restricted stays so: it is to go.
	sqlRestricted = `
SELECT m.identity, m.scope_id, m.token_id, m.alone,
    m.created_at <= (SELECT COALESCE(max(e.erased_at), 0) FROM erasures AS e
        WHERE e.tenant = $1 AND e.subject_ref = $2 AND e.state = 'deferred'),
    COALESCE(n.token_id, ''), n.alive` + ofRestricted + ` AND m.state = 'restricted'
ORDER BY m.created_at DESC, m.token_id DESC`
	ofRestricted = `
FROM (SELECT m.scope_id, m.token_id, m.key_id, m.identity, m.state, m.created_at, m.alone` + ofSubject + ` OFFSET 0) AS m
LEFT JOIN LATERAL (
    SELECT n.token_id, (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = n.key_id LIMIT 1) IS NOT NULL AS alive
    FROM mappings AS n
    WHERE n.tenant = $1 AND n.scope_id = m.scope_id AND n.identity = m.identity AND n.state = 'live' LIMIT 1) AS n ON true
WHERE true`
	// Another request that restricts the same: it is running, or an objection that
	// was upheld.
	sqlRestrictedElsewhere = `
SELECT q.request_id FROM subject_requests AS q
WHERE q.tenant = $1 AND q.subject_ref = $2 AND q.request_id <> $3
    AND (q.state = 'running' OR q.kind = 'objection' AND q.state = 'completed')
LIMIT 1`
	sqlSetStates = `
UPDATE mappings AS m SET state = $5::text
FROM unnest($2::text[], $3::text[]) AS r (scope_id, token_id)
WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id AND m.state = $4::text`
)

// restrict restricts what lives of a subject and is about nobody else.
func (b *batch) restrict(e vault.Restrict) (o vault.Outcome, err error) {
	p := b.pipeline()
	if !storable(e.SubjectRef) {
		return o, fmt.Errorf("%w: a restriction", ErrMalformed)
	}
	if err := b.updateRequest(p, &e.Request); err != nil {
		return o, err
	}
	var found []place
	p.each(sqlRestrictable, func(rows pgx.Rows) error {
		var at place
		var isAlone bool
		err := scan(rows, &at.scopeID, &at.tokenID, &isAlone)
		if isAlone {
			found = append(found, at)
		} else {
			o.Shared++
		}
		return err
	}, b.tenant, e.SubjectRef, b.now)
	if err := b.run(p, 0); err != nil {
		return o, err
	}
	o.Restricted = len(found)
	p = b.pipeline()
	b.setStates(p, found, vault.MappingLive, vault.MappingRestricted)
	return o, b.run(p, 0)
}

// liftRestriction undoes it. Of restricted tokens for one value the newest lives
// again, unless another does.
func (b *batch) liftRestriction(e vault.LiftRestriction) (o vault.Outcome, err error) {
	p := b.pipeline()
	if !storable(e.SubjectRef) {
		return o, fmt.Errorf("%w: a restriction", ErrMalformed)
	}
	if err := b.updateRequest(p, &e.Request); err != nil {
		return o, err
	}
	elsewhere := make(map[string]bool)
	p.each(sqlRestrictedElsewhere, mark(elsewhere), b.tenant, e.SubjectRef, e.Request.ID)
	var erased, retired, lives []place
	taken := make(map[valuePlace]bool)
	p.each(sqlRestricted, func(rows pgx.Rows) error {
		var at place
		var identity vault.Digest
		var isAlone, isErased bool
		var other string
		var alive *bool
		if err := scanDigest(rows, &identity, &at.scopeID, &at.tokenID, &isAlone, &isErased, &other, &alive); err != nil {
			return err
		}
		value := valuePlace{at.scopeID, identity}
		switch {
		case !isAlone:
			o.Shared++
		case isErased && !b.hooks.skips(guardLift):
		case taken[value] || alive != nil && *alive:
			retired = append(retired, at)
		default:
			if alive != nil { // what was erased makes room
				erased = append(erased, place{at.scopeID, other})
			}
			taken[value] = true
			lives = append(lives, at)
		}
		return nil
	}, b.tenant, e.SubjectRef)
	if err := b.run(p, 0); err != nil {
		return o, err
	}
	if len(elsewhere) > 0 {
		return vault.Outcome{}, nil
	}
	o.Restricted = len(retired) + len(lives)
	p = b.pipeline()
	b.setStates(p, erased, vault.MappingLive, vault.MappingRetired)
	b.setStates(p, retired, vault.MappingRestricted, vault.MappingRetired)
	b.setStates(p, lives, vault.MappingRestricted, vault.MappingLive)
	return o, b.run(p, 0)
}

func (b *batch) setStates(p *pipeline, at []place, from, to vault.MappingState) {
	if len(at) == 0 {
		return
	}
	p.change(len(at), errNotWritten, sqlSetStates, b.tenant,
		column(at, func(t place) string { return t.scopeID }), column(at, func(t place) string { return t.tokenID }),
		string(from), string(to))
}
