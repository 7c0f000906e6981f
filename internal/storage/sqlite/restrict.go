package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// deferral tells whether a deferred erasure of the subject ?2 is about the
	// mapping m: it restricted m, and m stays so until it goes.
	deferral = `EXISTS (SELECT 1 FROM erasures AS e INDEXED BY erasures_deferred
        WHERE e.tenant = ?1 AND e.state = 'deferred' AND e.subject_ref = ?2 AND m.created_at <= e.erased_at)`
	sqlRestrict = `
UPDATE mappings AS m SET state = 'restricted'
WHERE m.tenant = ?1 AND (m.scope_id, m.token_id) IN (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = ?2)
    AND +m.state = 'live' AND NOT ` + shared + ` AND NOT ` + erased
	// Another request than ?3 that restricts the same: it is running, or an
	// objection that was upheld.
	sqlRestrictedElsewhere = `
SELECT 1 FROM subject_requests AS q INDEXED BY subject_requests_subject
WHERE q.tenant = ?1 AND q.subject_ref = ?2 AND q.request_id <> ?3
    AND (q.state = 'running' OR q.kind = 'objection' AND q.state = 'completed')
LIMIT 1`
	// The state ?3 of those that are about others too.
	sqlCountShared = `
SELECT COUNT(*) FROM mapping_subjects AS l CROSS JOIN mappings AS m
WHERE l.tenant = ?1 AND l.subject_ref = ?2 AND m.tenant = ?1 AND m.scope_id = l.scope_id AND m.token_id = l.token_id
    AND +m.state = ?3 AND ` + shared + ` AND NOT ` + erased + ` AND NOT (?3 = 'restricted' AND ` + deferral + `)`
	// What was erased lives no more, whatever its row says.
	sqlRetireErased = `
UPDATE mappings AS m SET state = 'retired'
WHERE m.tenant = ?1 AND (m.scope_id, m.identity) IN (
        SELECT o.scope_id, o.identity FROM mapping_subjects AS l CROSS JOIN mappings AS o
        WHERE l.tenant = ?1 AND l.subject_ref = ?2 AND o.tenant = ?1 AND o.scope_id = l.scope_id AND o.token_id = l.token_id
            AND +o.state = 'restricted')
    AND m.state = 'live' AND ` + erased
	// One value, one living token: where another lives, and of two that would
	// live again, one stays as it is (OR IGNORE), and is retired after it.
	sqlLiftRestriction = `
UPDATE OR IGNORE mappings AS m SET state = 'live'
WHERE m.tenant = ?1 AND (m.scope_id, m.token_id) IN (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = ?2)
    AND +m.state = 'restricted' AND m.expires_at > ?3 AND NOT ` + shared + ` AND NOT ` + erased + ` AND NOT ` + deferral
	sqlRetireRestricted = `
UPDATE mappings AS m SET state = 'retired'
WHERE m.tenant = ?1 AND (m.scope_id, m.token_id) IN (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = ?2)
    AND +m.state = 'restricted' AND NOT ` + shared + ` AND NOT ` + erased + ` AND NOT ` + deferral
)

// restrict restricts what lives of a person alone, and changes the request that
// asked for it.
func (b *batch) restrict(e vault.Restrict) (vault.Outcome, error) {
	if !storable(e.SubjectRef) {
		return vault.Outcome{}, fmt.Errorf("%w: a subject", ErrMalformed)
	}
	if err := b.updateRequest(e.Request); err != nil {
		return vault.Outcome{}, err
	}
	var o vault.Outcome
	if _, err := b.row([]any{&o.Shared}, sqlCountShared, b.tenant, e.SubjectRef, string(vault.MappingLive)); err != nil {
		return vault.Outcome{}, err
	}
	changed, err := b.exec(sqlRestrict, b.tenant, e.SubjectRef)
	o.Restricted = int(changed)
	return o, err
}

// liftRestriction undoes that. What can still be restored goes first: of two of
// one value it is the one that lives again.
func (b *batch) liftRestriction(e vault.LiftRestriction) (vault.Outcome, error) {
	if !storable(e.SubjectRef) {
		return vault.Outcome{}, fmt.Errorf("%w: a subject", ErrMalformed)
	}
	if err := b.updateRequest(e.Request); err != nil {
		return vault.Outcome{}, err
	}
	var o vault.Outcome
	var one int
	if elsewhere, err := b.row([]any{&one}, sqlRestrictedElsewhere, b.tenant, e.SubjectRef, e.Request.ID); err != nil || elsewhere {
		return o, err
	}
	if _, err := b.row([]any{&o.Shared}, sqlCountShared, b.tenant, e.SubjectRef, string(vault.MappingRestricted)); err != nil {
		return vault.Outcome{}, err
	}
	if _, err := b.exec(sqlRetireErased, b.tenant, e.SubjectRef); err != nil {
		return vault.Outcome{}, err
	}
	for _, after := range []int64{b.now, 0} {
		living, err := b.exec(sqlLiftRestriction, b.tenant, e.SubjectRef, after)
		if err != nil {
			return vault.Outcome{}, err
		}
		o.Restricted += int(living)
	}
	retired, err := b.exec(sqlRetireRestricted, b.tenant, e.SubjectRef)
	o.Restricted += int(retired)
	return o, err
}
