package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlTie = `
INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
SELECT ?1, m.scope_id, m.token_id, ?2, 'linked', ?4
FROM json_each(?3) AS j CROSS JOIN mappings AS m INDEXED BY mappings_lookup
WHERE m.tenant = ?1 AND m.lookup = unhex(j.value) AND m.state <> 'retired' AND NOT ` + erased + `
ON CONFLICT (tenant, scope_id, token_id, subject_ref) DO NOTHING`
	sqlTiesHeld = `
SELECT 1 FROM json_each(?3) AS j CROSS JOIN mappings AS m INDEXED BY mappings_lookup
WHERE m.tenant = ?1 AND m.lookup = unhex(j.value) AND NOT ` + erased + ` AND EXISTS (
        SELECT 1 FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id
            AND l.subject_ref = ?2 AND l.basis = 'linked')
    AND ` + held + `
LIMIT 1`
	// By the values, which are few, and not by the person, who may have many.
	sqlUntie = `
DELETE FROM mapping_subjects AS l
WHERE l.tenant = ?1 AND (l.scope_id, l.token_id) IN (
        SELECT m.scope_id, m.token_id FROM json_each(?3) AS j CROSS JOIN mappings AS m INDEXED BY mappings_lookup
        WHERE m.tenant = ?1 AND m.lookup = unhex(j.value) AND NOT ` + erased + `)
    AND +l.subject_ref = ?2 AND l.basis = 'linked'`
)

// linkSubject ties what has one of the look-up digests to a subject.
func (b *batch) linkSubject(e vault.LinkSubject) (vault.Outcome, error) {
	keys, err := newKeyUses(vault.Scope{}, e.Keys)
	if err != nil {
		return vault.Outcome{}, err
	}
	if err := b.subject(e.Subject, keys); err != nil {
		return vault.Outcome{}, err
	}
	if err := b.writeKeys(keys); err != nil {
		return vault.Outcome{}, err
	}
	tied, err := b.exec(sqlTie, b.tenant, e.Subject.Subject.Ref, digestList(e.Lookups), b.now)
	return vault.Outcome{Linked: int(tied)}, err
}

// unlinkSubject undoes that, unless a hold keeps one of the values: the hold
// may be about the subject.
func (b *batch) unlinkSubject(e vault.UnlinkSubject) (vault.Outcome, error) {
	if !storable(e.SubjectRef) {
		return vault.Outcome{}, fmt.Errorf("%w: a subject", ErrMalformed)
	}
	lookups := digestList(e.Lookups)
	var one int
	kept, err := b.row([]any{&one}, sqlTiesHeld, b.tenant, e.SubjectRef, lookups)
	if err != nil {
		return vault.Outcome{}, err
	}
	if kept {
		return vault.Outcome{}, fmt.Errorf("sqlite: a hold keeps a value: %w", vault.ErrHeld)
	}
	undone, err := b.exec(sqlUntie, b.tenant, e.SubjectRef, lookups)
	return vault.Outcome{Linked: int(undone)}, err
}
