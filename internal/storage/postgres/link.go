package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// What was erased is there no more, whether or not its row is.
	sqlTie = `
INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
SELECT $1, m.scope_id, m.token_id, $2, 'linked', $3 FROM unnest($4::bytea[]) AS r (lookup)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.key_id FROM mappings AS m
    WHERE m.tenant = $1 AND m.lookup = r.lookup AND m.state <> 'retired' OFFSET 0) AS m
WHERE (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
ON CONFLICT (tenant, scope_id, token_id, subject_ref) DO NOTHING`
	// Ties that a person made later, of values that have one of the digests.
	sqlTiesLinked = `
SELECT m.scope_id, m.token_id, ` + kept + ` FROM unnest($3::bytea[]) AS r (lookup)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.entity, m.class, m.lookup, m.created_at FROM mappings AS m
    WHERE m.tenant = $1 AND m.lookup = r.lookup OFFSET 0) AS m
CROSS JOIN LATERAL (
    SELECT l.token_id FROM mapping_subjects AS l
    WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id AND l.subject_ref = $2 AND l.basis = 'linked'
    LIMIT 1) AS l`
)

// linkSubject ties values to a subject. It takes a round trip of its own, since
// the entry says how many were not tied before.
func (b *batch) linkSubject(e vault.LinkSubject) (vault.Outcome, error) {
	keys, err := newKeyUses(vault.Scope{}, e.Keys)
	if err != nil {
		return vault.Outcome{}, err
	}
	if err := b.useSubject(e.Subject, keys); err != nil {
		return vault.Outcome{}, err
	}
	if err := b.useKeys(keys); err != nil {
		return vault.Outcome{}, err
	}
	var o vault.Outcome
	p := b.pipeline()
	p.add(step{text: sqlTie, count: func(n int64) error { o.Linked = int(n); return nil }},
		[]any{b.tenant, e.Subject.Subject.Ref, b.now, digestList(e.Lookups)})
	return o, b.run(p, 0)
}

// unlinkSubject takes such ties back, if no hold keeps any of the values.
func (b *batch) unlinkSubject(e vault.UnlinkSubject) (vault.Outcome, error) {
	if !storable(e.SubjectRef) {
		return vault.Outcome{}, nil
	}
	var ties []place
	p := b.pipeline()
	p.each(sqlTiesLinked, func(rows pgx.Rows) error {
		var at place
		var isHeld bool
		if err := scan(rows, &at.scopeID, &at.tokenID, &isHeld); err != nil {
			return err
		}
		if isHeld && !b.hooks.skips(guardTies) {
			return fmt.Errorf("postgres: a hold keeps what is tied: %w", vault.ErrHeld)
		}
		ties = append(ties, at)
		return nil
	}, b.tenant, e.SubjectRef, digestList(e.Lookups))
	if err := b.run(p, 0); err != nil || len(ties) == 0 {
		return vault.Outcome{}, err
	}
	p = b.pipeline()
	p.change(len(ties), errNotWritten, sqlUntie, b.tenant, e.SubjectRef,
		column(ties, func(t place) string { return t.scopeID }), column(ties, func(t place) string { return t.tokenID }))
	return vault.Outcome{Linked: len(ties)}, b.run(p, 0)
}
