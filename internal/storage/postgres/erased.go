package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlInsertTombstones = `
INSERT INTO tombstones (tenant, key_id, erasure_id, erased_at, wrap_version, rekeyed)
SELECT $1, r.key_id, $2, $3, k.wrap_version, r.rekeyed OR k.sealed > (
    SELECT count(*) FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = r.key_id)
FROM unnest($4::text[], $5::boolean[]) AS r (key_id, rekeyed)
CROSS JOIN LATERAL (
    SELECT k.wrap_version, k.sealed FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) AS k`
	sqlInsertErasure = `
INSERT INTO erasures (tenant, erasure_id, subject, subject_ref, reference, regime, identity_method, identity_reference,
    verified_by, verified_at, state, erased_at, completed_at, erased, shared, deferred, keys, rekeyed, suppress_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (tenant, erasure_id) DO NOTHING`
	sqlResumeErasure = `
UPDATE erasures SET state = $3, completed_at = $4::bigint,
    subject = CASE WHEN $4::bigint IS NULL THEN subject END, erased = erased + $5, shared = shared + $6, deferred = $7,
    keys = keys + $8, rekeyed = rekeyed + $9
WHERE tenant = $1 AND erasure_id = $2 AND state = 'deferred'`
)

// conclude adds the statements that say what came of the erasure, while its keys
// still stand. It is completed once no hold keeps any of it.
func (e *erasure) conclude(p *pipeline, c vault.ErasureCounts) error {
	now := e.now
	state, completed := vault.ErasureCompleted, &now
	if e.found.deferred > 0 {
		state, completed = vault.ErasureDeferred, nil
	}
	if w := e.Erasure; w.ID == "" {
		subject := w.Subject[:]
		if completed != nil {
			subject = nil // no row is to say for ever whose the reference was
		}
		again := fmt.Errorf("postgres: the request was erased for before: %w", vault.ErrConflict)
		p.change(1, again, sqlInsertErasure, e.tenant, e.id, subject, w.SubjectRef, w.Reference, w.Regime,
			w.Identity.Method, w.Identity.Reference, w.Identity.VerifiedBy, micros(w.Identity.At), string(state), now, completed,
			c.Erased, c.Shared, c.Deferred, c.Keys, c.Rekeyed, e.keeps)
		if e.keeps != nil && len(e.Suppress.Common) > 0 {
			p.exec(sqlInsertCommon, e.tenant, e.id, list(e.Suppress.Common))
		}
	} else {
		p.change(1, errNotWritten, sqlResumeErasure, e.tenant, e.id, string(state), completed,
			c.Erased, c.Shared, c.Deferred, c.Keys, c.Rekeyed)
	}
	if len(e.Keys) > 0 {
		rekeyed := e.rekeyed()
		p.change(len(e.Keys), errNotWritten, sqlInsertTombstones, e.tenant, e.id, now, e.Keys,
			column(e.Keys, func(id string) bool { return rekeyed[id] }))
		p.exec(sqlNoteErasedAt, e.tenant, e.id, e.Keys)
	}
	return e.answer(p, state)
}

// rekeyed are the keys that sealed what stays, too.
func (e *erasure) rekeyed() map[string]bool {
	from := make(map[string]bool)
	for _, r := range e.Reseal {
		from[r.From] = true
	}
	for _, n := range e.Names {
		from[n.From] = true
	}
	return from
}

// answer adds the statements that move the request on that asked for the
// erasure.
func (e *erasure) answer(p *pipeline, state vault.ErasureState) error {
	if e.Request == nil {
		if state == vault.ErasureCompleted && e.Erasure.ID != "" {
			p.exec(sqlEndRequest, e.tenant, e.id, e.now)
			p.exec(sqlForgetLookups, e.tenant, e.id)
		}
		return nil
	}
	r := *e.Request
	r.State = vault.StateDeferred
	if state == vault.ErasureCompleted {
		r.State = vault.StateCompleted
	}
	if r.ID == "" {
		return e.openRequest(p, e.id, &r)
	}
	return e.updateRequest(p, &r)
}

// erasureRow is a deferred erasure.
type erasureRow struct {
	subject    vault.Digest
	subjectRef string
	erasedAt   int64
}

func (m *image) readErasure(id string) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var r erasureRow
		err := scanDigest(rows, &r.subject, &r.subjectRef, &r.erasedAt)
		m.erasures[id] = r
		return err
	}
}
