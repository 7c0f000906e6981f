package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlInsertRequest = `
INSERT INTO subject_requests (tenant, request_id, revision, kind, regime, subject, subject_ref, reference, state,
    identity_method, identity_reference, verified_by, verified_at, assignee, refusal_code, extended,
    received_at, due_at, created_at, closed_at)
VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)`
	// What a request began with stays. One that is closed is never changed.
	sqlUpdateRequest = `
UPDATE subject_requests SET revision = revision + 1, subject = ?4, subject_ref = ?5, state = ?6, identity_method = ?7,
    identity_reference = ?8, verified_by = ?9, verified_at = ?10, assignee = ?11, refusal_code = ?12, extended = ?13,
    due_at = ?14, closed_at = ?15
WHERE tenant = ?1 AND request_id = ?2 AND revision = ?3 AND closed_at IS NULL`
	sqlInsertRequestLookups = `
INSERT INTO subject_request_lookups (tenant, request_id, lookup)
SELECT ?1, ?2, unhex(j.value) FROM json_each(?3) AS j WHERE TRUE ON CONFLICT DO NOTHING`
	sqlForgetRequestLookups = `
DELETE FROM subject_request_lookups WHERE tenant = ?1 AND request_id = ?2`
	// An erasure that is done closes the request that asked for it, if it waits.
	sqlCompleteRequest = `
UPDATE subject_requests SET revision = revision + 1, state = 'completed', subject = NULL, closed_at = ?3
WHERE tenant = ?1 AND request_id = ?2 AND closed_at IS NULL`
	sqlRequestStands = `
SELECT 1 FROM subject_requests AS q WHERE q.tenant = ?1 AND q.request_id = ?2 AND q.closed_at IS NULL`
	sqlInsertNote = `
INSERT INTO subject_request_notes (tenant, request_id, note_id, author, key_id, sealed, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`
)

// openRequest writes down what a person asked for, under an id.
func (b *batch) openRequest(id string, r vault.SubjectRequest) error {
	if err := checkRequest(r); err != nil {
		return err
	}
	if micros(r.ReceivedAt) > b.now {
		return fmt.Errorf("sqlite: a request is still to come: %w", vault.ErrConflict)
	}
	who := r.Identity
	if _, err := b.exec(sqlInsertRequest, b.tenant, id, string(r.Kind), r.Regime, requestSubject(r), r.SubjectRef, r.Reference,
		string(r.State), optional(who.Method), optional(who.Reference), optional(who.VerifiedBy), instant(who.At),
		r.Assignee, r.RefusalCode, r.Extended, micros(r.ReceivedAt), micros(r.DueAt), b.now, b.closing(r)); err != nil {
		return err
	}
	return b.keepLookups(id, r)
}

// updateRequest replaces a request that is as it was read.
func (b *batch) updateRequest(r vault.SubjectRequest) error {
	changed := fmt.Errorf("sqlite: the request is another one now, or closed: %w", vault.ErrConflict)
	if err := checkRequest(r); err != nil {
		return err
	}
	who := r.Identity
	if err := b.mustChange(changed, sqlUpdateRequest, b.tenant, r.ID, r.Revision, requestSubject(r), r.SubjectRef, string(r.State),
		optional(who.Method), optional(who.Reference), optional(who.VerifiedBy), instant(who.At),
		r.Assignee, r.RefusalCode, r.Extended, micros(r.DueAt), b.closing(r)); err != nil {
		return err
	}
	if _, err := b.exec(sqlForgetRequestLookups, b.tenant, r.ID); err != nil {
		return err
	}
	return b.keepLookups(r.ID, r)
}

func checkRequest(r vault.SubjectRequest) error {
	switch {
	case !storable(r.ID, r.Regime, r.SubjectRef, r.Reference, r.Assignee, r.RefusalCode,
		r.Identity.Method, r.Identity.Reference, r.Identity.VerifiedBy):
		return fmt.Errorf("%w: a request", ErrMalformed)
	case len(r.Lookups) > vault.MaxIdentifiers:
		return fmt.Errorf("%w: a request names too much", ErrMalformed)
	}
	return nil
}

// requestSubject is NULL where there is none, and once the request is closed.
func requestSubject(r vault.SubjectRequest) any {
	if r.State.Closes() || r.Subject == (vault.Digest{}) {
		return nil
	}
	return r.Subject[:]
}

// closing is when a request is closed: now, or not.
func (b *batch) closing(r vault.SubjectRequest) any {
	if r.State.Closes() {
		return b.now
	}
	return nil
}

// keepLookups keeps what the person is known by, of a request that is open.
func (b *batch) keepLookups(id string, r vault.SubjectRequest) error {
	if r.State.Closes() || len(r.Lookups) == 0 {
		return nil
	}
	_, err := b.exec(sqlInsertRequestLookups, b.tenant, id, digestList(r.Lookups))
	return err
}

// completeRequest closes the request of an erasure that is done. There may be
// none, or somebody closed it before.
func (b *batch) completeRequest(id string) error {
	moved, err := b.exec(sqlCompleteRequest, b.tenant, id, b.now)
	if err != nil || moved == 0 {
		return err
	}
	_, err = b.exec(sqlForgetRequestLookups, b.tenant, id)
	return err
}

// noteRequest adds a note to a request. The key that seals it is one of the
// request, whose id stands where a person's reference would.
func (b *batch) noteRequest(id string, e vault.NoteRequest) error {
	n := e.Note
	if !storable(n.RequestID, n.Author, n.KeyID) || len(n.Sealed) == 0 {
		return fmt.Errorf("%w: a note", ErrMalformed)
	}
	var one int
	stands, err := b.row([]any{&one}, sqlRequestStands, b.tenant, n.RequestID)
	if err != nil {
		return err
	}
	if !stands {
		return fmt.Errorf("sqlite: no such request, or it is closed: %w", vault.ErrConflict)
	}
	var fresh []vault.DataKey
	if e.Key != nil {
		fresh = append(fresh, *e.Key)
	}
	keys, err := newKeyUses(vault.Scope{}, fresh)
	if err != nil {
		return err
	}
	keys.seal(n.KeyID, []string{n.RequestID})
	if err := b.writeKeys(keys); err != nil {
		return err
	}
	_, err = b.exec(sqlInsertNote, b.tenant, n.RequestID, id, n.Author, n.KeyID, n.Sealed, b.now)
	return err
}
