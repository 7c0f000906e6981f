package postgres

import (
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Requests of persons are written by either role: an erasure opens its own.
const (
	sqlInsertRequest = `
INSERT INTO subject_requests (tenant, request_id, revision, kind, regime, subject, subject_ref, reference, state,
    identity_method, identity_reference, verified_by, verified_at, assignee, refusal_code, extended,
    received_at, due_at, created_at, closed_at)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	sqlUpdateRequest = `
UPDATE subject_requests SET revision = revision + 1, subject = $4, subject_ref = $5, state = $6,
    identity_method = $7, identity_reference = $8, verified_by = $9, verified_at = $10,
    assignee = $11, refusal_code = $12, extended = $13, due_at = $14, closed_at = $15
WHERE tenant = $1 AND request_id = $2 AND revision = $3 AND closed_at IS NULL`
	// What a deferred erasure came to ends the request that it is of, if there is
	// one.
	sqlEndRequest = `
UPDATE subject_requests SET revision = revision + 1, state = 'completed', subject = NULL, closed_at = $3
WHERE tenant = $1 AND request_id = $2 AND closed_at IS NULL`
	sqlForgetLookups = `
DELETE FROM subject_request_lookups WHERE tenant = $1 AND request_id = $2`
	sqlInsertLookups = `
INSERT INTO subject_request_lookups (tenant, request_id, lookup)
SELECT $1, $2, r.lookup FROM unnest($3::bytea[]) AS r (lookup)`
	sqlOpenRequests = `
SELECT q.request_id FROM subject_requests AS q WHERE q.tenant = $1 AND q.request_id = $2 AND q.closed_at IS NULL`
	sqlInsertNote = `
INSERT INTO subject_request_notes (tenant, request_id, note_id, author, key_id, sealed, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)`
)

// The lists that the tables have, too.
var (
	requestKinds = []vault.RequestKind{
		vault.RequestAccess, vault.RequestErasure, vault.RequestRestriction, vault.RequestObjection, vault.RequestAccounting,
	}
	requestStates = []vault.RequestState{
		vault.StateReceived, vault.StateAwaitingIdentity, vault.StateOpen, vault.StateRunning, vault.StateDeferred,
		vault.StatePartial, vault.StateCompleted, vault.StateRefused, vault.StateWithdrawn,
	}
)

// requestRow is what a commit makes of a request: the columns that a change of
// it replaces, in the order of the statements.
func (b *batch) requestRow(r *vault.SubjectRequest) ([]any, error) {
	id := r.Identity
	checked := id != vault.IdentityCheck{}
	if !slices.Contains(requestStates, r.State) || (r.State == vault.StateRefused) != (r.RefusalCode != "") ||
		!storable(r.SubjectRef, r.RefusalCode, r.Assignee) || max(len(r.SubjectRef), len(r.RefusalCode)) > maxID ||
		len(r.Assignee) > maxIdentifier || len(r.Lookups) > vault.MaxIdentifiers ||
		checked && (!spelt(id.Method, id.Reference, id.VerifiedBy) || id.At.IsZero()) {
		return nil, fmt.Errorf("%w: a request", ErrMalformed)
	}
	var subject []byte
	var closed *int64
	if r.State.Closes() {
		closed = &b.now
	} else if r.Subject != (vault.Digest{}) {
		subject = r.Subject[:]
	}
	return []any{
		subject, r.SubjectRef, string(r.State), optional(id.Method), optional(id.Reference), optional(id.VerifiedBy),
		optionalTime(id.At), r.Assignee, r.RefusalCode, r.Extended, micros(r.DueAt), closed,
	}, nil
}

// openRequest writes down a request under an id. It cannot have been received
// after it was written down.
func (b *batch) openRequest(p *pipeline, id string, r *vault.SubjectRequest) error {
	row, err := b.requestRow(r)
	if err != nil {
		return err
	}
	if !named(id, r.Regime) || !spelt(r.Reference) || !slices.Contains(requestKinds, r.Kind) ||
		micros(r.ReceivedAt) <= 0 || !r.DueAt.After(r.ReceivedAt) {
		return fmt.Errorf("%w: a request", ErrMalformed)
	}
	if micros(r.ReceivedAt) > b.now && !b.hooks.skips(guardReceived) {
		return fmt.Errorf("postgres: the request is still to come: %w", vault.ErrConflict)
	}
	args := []any{b.tenant, id, string(r.Kind), r.Regime, row[0], row[1], r.Reference}
	args = append(args, row[2:10]...)
	args = append(args, micros(r.ReceivedAt), row[10], b.now, row[11])
	p.change(1, errNotWritten, sqlInsertRequest, args...)
	b.writeLookups(p, id, r)
	return nil
}

// updateRequest replaces a request that is at the given revision.
func (b *batch) updateRequest(p *pipeline, r *vault.SubjectRequest) error {
	moved := fmt.Errorf("postgres: the request is another one now: %w", vault.ErrConflict)
	if !named(r.ID) {
		return moved
	}
	row, err := b.requestRow(r)
	if err != nil {
		return err
	}
	p.change(1, moved, sqlUpdateRequest, append([]any{b.tenant, r.ID, int64(r.Revision)}, row...)...)
	p.exec(sqlForgetLookups, b.tenant, r.ID)
	b.writeLookups(p, r.ID, r)
	return nil
}

// writeLookups keeps what the person is known by while the request is open.
func (b *batch) writeLookups(p *pipeline, id string, r *vault.SubjectRequest) {
	if len(r.Lookups) > 0 && !r.State.Closes() {
		p.exec(sqlInsertLookups, b.tenant, id, digestList(r.Lookups))
	}
}

// noteRequest adds a note. Its key is one of the request's alone, so that it
// goes with it.
func (b *batch) noteRequest(p *pipeline, id string, n vault.NoteRequest) error {
	note := n.Note
	if !b.image.requests[note.RequestID] {
		return fmt.Errorf("postgres: no such request is open: %w", vault.ErrConflict)
	}
	var fresh []vault.DataKey
	if n.Key != nil {
		fresh = []vault.DataKey{*n.Key}
	}
	if !spelt(note.Author) || len(note.Sealed) == 0 || len(note.Sealed) > maxWrapped || !named(note.KeyID) ||
		n.Key != nil && n.Key.ID != note.KeyID {
		return fmt.Errorf("%w: a note", ErrMalformed)
	}
	keys, err := newKeyUses(vault.Scope{}, fresh)
	if err != nil {
		return err
	}
	use := keys.use(note.KeyID)
	use.seals, use.owners = 1, [][]string{{note.RequestID}}
	if err := b.useKeys(keys); err != nil {
		return err
	}
	p.change(1, errNotWritten, sqlInsertNote, b.tenant, note.RequestID, id, note.Author, note.KeyID, note.Sealed, b.now)
	return nil
}

// spelt tells whether identifiers of the callers' fit their columns.
func spelt(ids ...string) bool {
	for _, id := range ids {
		if len(id) == 0 || len(id) > maxIdentifier {
			return false
		}
	}
	return storable(ids...)
}

// request asks whether a request is open.
func (w *wanted) request(id string) {
	if named(id) {
		w.opened = id
	}
}
