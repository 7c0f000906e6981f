package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlErasureStands = `
SELECT e.subject, e.subject_ref, e.erased_at FROM erasures AS e
WHERE e.tenant = ?1 AND e.erasure_id = ?2 AND e.state = 'deferred'`
	// What goes is not moved: it stays under the key that is destroyed.
	sqlMoveSurvivor = `
UPDATE mappings AS m SET key_id = ?7, sealed = ?8
WHERE m.tenant = ?1 AND m.scope_id = ?4 AND m.token_id = ?5 AND m.key_id = ?6 AND NOT ` + goes
	sqlMoveName = `
UPDATE scopes SET sealed_name = ?5, name_key_id = ?4 WHERE tenant = ?1 AND scope_id = ?2 AND name_key_id = ?3`
	// Of the index alone: a person's key may seal very many.
	sqlMoreSealed = `
SELECT COUNT(*) <> ?3 FROM json_each(?2) AS j CROSS JOIN mappings AS m INDEXED BY mappings_key
WHERE m.tenant = ?1 AND m.key_id = j.value`
	sqlMoreNamed = `
SELECT COUNT(*) <> 0 FROM json_each(?2) AS j CROSS JOIN scopes AS s INDEXED BY scopes_name_key
WHERE s.tenant = ?1 AND s.name_key_id = j.value`
	sqlRestrictHeld = `
UPDATE mappings AS m SET state = 'restricted'
WHERE m.tenant = ?1 AND (m.scope_id, m.token_id) IN (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = ?2)
    AND +m.state = 'live' AND m.created_at <= ?3 AND NOT ` + shared + ` AND ` + held
	sqlUntieShared = `
DELETE FROM mapping_subjects AS l INDEXED BY mapping_subjects_ref
WHERE l.tenant = ?1 AND l.subject_ref = ?2 AND EXISTS (
    SELECT 1 FROM mappings AS m
    WHERE m.tenant = ?1 AND m.scope_id = l.scope_id AND m.token_id = l.token_id AND m.created_at <= ?3
        AND ` + shared + ` AND NOT ` + held + `)`
	sqlSealedForeign = `
SELECT 1 FROM mappings AS m INDEXED BY mappings_key
WHERE m.tenant = ?1 AND m.key_id = ?2 AND NOT EXISTS (
    SELECT 1 FROM mapping_subjects AS l
    WHERE l.tenant = ?1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id AND l.subject_ref = ?3)
LIMIT 1`
	sqlEraseKey = `
DELETE FROM data_keys WHERE tenant = ?1 AND key_id = ?2
RETURNING wrap_version, sealed > (
    SELECT COUNT(*) FROM mappings AS m INDEXED BY mappings_key WHERE m.tenant = ?1 AND m.key_id = ?2)`
	sqlBury = `
INSERT INTO tombstones (tenant, key_id, erasure_id, erased_at, wrap_version, rekeyed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
	// Of what is left under the keys, which is what goes.
	sqlEraseDestinations = `
INSERT INTO erasure_destinations (tenant, erasure_id, destination, mappings, first_sent, last_sent)
SELECT ?1, ?3, d.destination, COUNT(*), MIN(d.first_sent), MAX(d.last_sent)
FROM json_each(?2) AS j CROSS JOIN mappings AS m INDEXED BY mappings_key CROSS JOIN mapping_destinations AS d
WHERE m.tenant = ?1 AND m.key_id = j.value AND d.tenant = ?1 AND d.scope_id = m.scope_id AND d.token_id = m.token_id
GROUP BY d.destination
ON CONFLICT (tenant, erasure_id, destination) DO UPDATE SET mappings = mappings + excluded.mappings,
    first_sent = MIN(first_sent, excluded.first_sent), last_sent = MAX(last_sent, excluded.last_sent)`
	sqlForgetSubject = `
DELETE FROM subjects WHERE tenant = ?1 AND subject_ref = ?2`
	sqlInsertErasure = `
INSERT INTO erasures (tenant, erasure_id, subject, subject_ref, reference, regime, identity_method, identity_reference,
    verified_by, verified_at, state, erased_at, completed_at, erased, shared, deferred, keys, rekeyed, suppress_until)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
ON CONFLICT (tenant, erasure_id) DO NOTHING`
	sqlContinueErasure = `
UPDATE erasures SET state = ?3, completed_at = ?4, subject = IIF(?4 IS NULL, subject, NULL), erased = erased + ?5, shared = shared + ?6, deferred = ?7,
    keys = keys + ?8, rekeyed = rekeyed + ?9
WHERE tenant = ?1 AND erasure_id = ?2`
)

// erasing is one Erase on its way.
type erasing struct {
	*batch
	vault.Erase
	id    string // of the erasure
	begun bool   // by a commit before
	until int64
	fates *fates
}

// erase destroys what goes with a subject, if that is exactly what the change
// says. Rows of what goes stay: without their key they open no more, however
// many they are, and the next sweeps take them.
func (b *batch) erase(id string, e vault.Erase) (vault.Outcome, error) {
	x := &erasing{batch: b, Erase: e, id: id, until: b.now, fates: newFates()}
	if err := x.begin(); err != nil {
		return vault.Outcome{}, err
	}
	if x.Erasure.SubjectRef == "" {
		return vault.Outcome{}, x.write(vault.ErasureCounts{})
	}
	if err := x.each(sqlFates, x.fates.row, x.tenant, x.Erasure.SubjectRef, x.until); err != nil {
		return vault.Outcome{}, err
	}
	for _, step := range []func() error{x.checkKeys, x.writeFresh, x.move, x.release} {
		if err := step(); err != nil {
			return vault.Outcome{}, err
		}
	}
	o := vault.Outcome{Erased: vault.ErasureCounts{
		Erased: x.fates.goes, Shared: x.fates.shared, Deferred: x.fates.held,
		Keys: len(x.Keys), Rekeyed: len(x.Reseal) + len(x.Names),
	}}
	if err := x.write(o.Erased); err != nil {
		return vault.Outcome{}, err
	}
	return o, x.destroy()
}

// begin checks whom the erasure is about, and finds out until when values count
// that were made. One that goes on asks for no row of the subject: another
// erasure may have been the one to take it.
func (x *erasing) begin() error {
	e := &x.Erasure
	other := fmt.Errorf("sqlite: the subject or its erasure is another one now: %w", vault.ErrConflict)
	if !storable(e.ID, e.SubjectRef, e.Reference, e.Regime, e.Identity.Method, e.Identity.Reference, e.Identity.VerifiedBy) ||
		!storable(x.Suppress.Common...) {
		return fmt.Errorf("%w: an erasure", ErrMalformed)
	}
	var ref string
	if e.ID != "" {
		var subject []byte
		found, err := x.row([]any{&subject, &ref, &x.until}, sqlErasureStands, x.tenant, e.ID)
		if err == nil && (!found || string(subject) != string(e.Subject[:]) || ref != e.SubjectRef) {
			return other
		}
		x.id, x.begun = e.ID, true
		return err
	}
	if x.Request != nil && x.Request.ID != "" {
		x.id = x.Request.ID
	}
	// No row is an empty name, and an empty name must be no row.
	if _, err := x.row([]any{&ref}, sqlSubject, x.tenant, e.Subject[:]); err != nil {
		return err
	}
	if ref != e.SubjectRef {
		return other
	}
	if ref == "" && len(x.Keys)+len(x.Fresh)+len(x.Reseal)+len(x.Names) > 0 {
		return fmt.Errorf("%w: an erasure of nobody destroys", ErrMalformed)
	}
	return nil
}

// checkKeys compares the keys that are to go with those that have to.
func (x *erasing) checkKeys() error {
	if err := x.each(sqlKeysOfPerson, x.fates.own, x.tenant, x.Erasure.SubjectRef); err != nil {
		return err
	}
	due := x.fates.keys
	named := make(map[string]bool, len(x.Keys))
	for _, id := range x.Keys {
		if named[id] || !due[id] {
			return x.moved()
		}
		named[id] = true
	}
	if len(named) != len(due) {
		return x.moved()
	}
	for from := range x.rekeyed() {
		if !named[from] {
			return x.moved()
		}
	}
	return nil
}

func (x *erasing) moved() error {
	return fmt.Errorf("sqlite: what has to go is not what was planned: %w", vault.ErrConflict)
}

// rekeyed are the keys that sealed what stays, too.
func (x *erasing) rekeyed() map[string]bool {
	keys := make(map[string]bool)
	for _, r := range x.Reseal {
		keys[r.From] = true
	}
	for _, n := range x.Names {
		keys[n.From] = true
	}
	return keys
}

// write keeps what the erasure has come to. It is completed once no hold keeps
// anything of it.
func (x *erasing) write(c vault.ErasureCounts) error {
	state, completed := vault.ErasureCompleted, any(x.now)
	if c.Deferred > 0 {
		state, completed = vault.ErasureDeferred, nil
	}
	if x.begun {
		err := x.mustChange(x.moved(), sqlContinueErasure, x.tenant, x.id, string(state), completed,
			c.Erased, c.Shared, c.Deferred, c.Keys, c.Rekeyed)
		if err != nil || completed == nil {
			return err
		}
		return x.completeRequest(x.id)
	}
	e := &x.Erasure
	subject := e.Subject[:]
	if completed != nil {
		subject = nil // no row is to say for ever whose the reference was
	}
	until := x.suppressUntil(x.Suppress)
	err := x.mustChange(x.moved(), sqlInsertErasure, x.tenant, x.id, subject, e.SubjectRef, e.Reference, e.Regime, e.Identity.Method,
		e.Identity.Reference, e.Identity.VerifiedBy, micros(e.Identity.At), string(state), x.now, completed,
		c.Erased, c.Shared, c.Deferred, c.Keys, c.Rekeyed, until)
	if err != nil {
		return err
	}
	if until != nil && len(x.Suppress.Common) > 0 {
		if _, err := x.exec(sqlKeepCommon, x.tenant, x.id, encode(x.Suppress.Common)); err != nil {
			return err
		}
	}
	return x.answer(c)
}

// answer keeps what came of the erasure in the request that asked for it: a new
// one, or one that is as it was read.
func (x *erasing) answer(c vault.ErasureCounts) error {
	if x.Request == nil {
		return nil
	}
	r := *x.Request
	r.State = vault.StateCompleted
	if c.Deferred > 0 {
		r.State = vault.StateDeferred
	}
	if r.ID == "" {
		return x.openRequest(x.id, r)
	}
	return x.updateRequest(r)
}

// destroy ends the keys, and the subject's name once nothing else needs it.
func (x *erasing) destroy() error {
	if _, err := x.exec(sqlEraseDestinations, x.tenant, encode(x.Keys), x.id); err != nil {
		return err
	}
	rekeyed := x.rekeyed()
	for _, id := range x.Keys {
		var version int
		var more bool // than goes it sealed once: that was moved, or swept
		stood, err := x.row([]any{&version, &more}, sqlEraseKey, x.tenant, id)
		if err != nil {
			return err
		}
		if !stood {
			return x.moved()
		}
		if _, err := x.exec(sqlDestroyIdentifier, x.tenant, id); err != nil {
			return err
		}
		if _, err := x.exec(sqlBury, x.tenant, id, x.id, x.now, version, more || rekeyed[id]); err != nil {
			return err
		}
	}
	if x.fates.held+x.fates.younger > 0 {
		return nil
	}
	_, err := x.exec(sqlForgetSubject, x.tenant, x.Erasure.SubjectRef)
	return err
}
