package sqlite

import (
	"context"
	"database/sql"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlRequestByID = `
SELECT q.request_id, q.revision, q.kind, q.regime, q.subject, q.subject_ref, q.reference, q.state, q.identity_method,
    q.identity_reference, q.verified_by, q.verified_at, q.assignee, q.refusal_code, q.extended, q.received_at, q.due_at, q.closed_at,
    (SELECT json_group_array(hex(l.lookup)) FROM subject_request_lookups AS l WHERE l.tenant = ?1 AND l.request_id = ?2)
FROM subject_requests AS q
WHERE q.tenant = ?1 AND q.request_id = ?2 AND (?3 = '' OR q.kind = ?3) AND (?4 = '' OR q.state = ?4)
    AND (q.closed_at IS NULL OR NOT ?5) AND q.received_at >= ?6 AND q.received_at < ?7`
	// The page after the request ?2, or the first.
	sqlRequests = `
SELECT q.request_id, q.revision, q.kind, q.regime, q.subject, q.subject_ref, q.reference, q.state, q.identity_method,
    q.identity_reference, q.verified_by, q.verified_at, q.assignee, q.refusal_code, q.extended, q.received_at, q.due_at, q.closed_at, '[]'
FROM subject_requests AS q
WHERE q.tenant = ?1 AND (?3 = '' OR q.kind = ?3) AND (?4 = '' OR q.state = ?4)
    AND q.received_at >= ?5 AND q.received_at < ?6
    AND (q.received_at, q.request_id) < (IIF(?2 = '', ?8,
        (SELECT b.received_at FROM subject_requests AS b WHERE b.tenant = ?1 AND b.request_id = ?2)), ?2)
ORDER BY q.received_at DESC, q.request_id DESC LIMIT ?7`
	// The same of those that wait for an answer, without the many that had one.
	sqlOpenRequests = `
SELECT q.request_id, q.revision, q.kind, q.regime, q.subject, q.subject_ref, q.reference, q.state, q.identity_method,
    q.identity_reference, q.verified_by, q.verified_at, q.assignee, q.refusal_code, q.extended, q.received_at, q.due_at, q.closed_at, '[]'
FROM subject_requests AS q INDEXED BY subject_requests_open
WHERE q.tenant = ?1 AND q.closed_at IS NULL AND (?3 = '' OR q.kind = ?3) AND (?4 = '' OR q.state = ?4)
    AND q.received_at >= ?5 AND q.received_at < ?6
    AND (q.received_at, q.request_id) < (IIF(?2 = '', ?8,
        (SELECT b.received_at FROM subject_requests AS b WHERE b.tenant = ?1 AND b.request_id = ?2)), ?2)
ORDER BY q.received_at DESC, q.request_id DESC LIMIT ?7`
	sqlRequestNotes = `
SELECT n.note_id, n.author, n.key_id, n.sealed, n.created_at FROM subject_request_notes AS n
WHERE n.tenant = ?1 AND n.request_id = ?2`
)

// Requests implements vault.Requests.
func (v *View) Requests(ctx context.Context, tenant string, q vault.RequestQuery) ([]vault.SubjectRequest, error) {
	var found []vault.SubjectRequest
	add := func(rows *sql.Rows) error {
		r, err := scanRequest(rows)
		found = append(found, r)
		return err
	}
	var from int64
	to := forever
	if !q.From.IsZero() {
		from = ceilMicros(q.From)
	}
	if !q.To.IsZero() {
		to = ceilMicros(q.To)
	}
	if q.ID != "" {
		err := v.each(ctx, "a request", sqlRequestByID, add, tenant, q.ID, string(q.Kind), string(q.State), q.Open, from, to)
		return found, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageRequests
	}
	text := sqlRequests
	if q.Open {
		text = sqlOpenRequests
	}
	err := v.each(ctx, "requests", text, add, tenant, q.Before, string(q.Kind), string(q.State), from, to, limit, forever)
	return found, err
}

func scanRequest(rows *sql.Rows) (r vault.SubjectRequest, err error) {
	var subject []byte
	var method, reference, verifiedBy sql.NullString
	var verified, closed sql.NullInt64
	var received, due int64
	var lookups string
	if err := rows.Scan(&r.ID, &r.Revision, &r.Kind, &r.Regime, &subject, &r.SubjectRef, &r.Reference, &r.State, &method,
		&reference, &verifiedBy, &verified, &r.Assignee, &r.RefusalCode, &r.Extended, &received, &due, &closed, &lookups); err != nil {
		return r, err
	}
	copy(r.Subject[:], subject)
	r.ReceivedAt, r.DueAt = fromMicros(received), fromMicros(due)
	if verified.Valid {
		r.Identity = vault.IdentityCheck{Method: method.String, Reference: reference.String,
			VerifiedBy: verifiedBy.String, At: fromMicros(verified.Int64)}
	}
	if closed.Valid {
		r.ClosedAt = fromMicros(closed.Int64)
	}
	r.Lookups, err = decodeDigests(lookups)
	return r, err
}

// RequestNotes implements vault.Requests.
func (v *View) RequestNotes(ctx context.Context, tenant, requestID string) ([]vault.RequestNote, error) {
	var notes []vault.RequestNote
	err := v.each(ctx, "notes of a request", sqlRequestNotes, func(rows *sql.Rows) error {
		n := vault.RequestNote{RequestID: requestID}
		var at int64
		err := rows.Scan(&n.ID, &n.Author, &n.KeyID, &n.Sealed, &at)
		n.At = fromMicros(at)
		notes = append(notes, n)
		return err
	}, tenant, requestID)
	slices.SortStableFunc(notes, func(a, b vault.RequestNote) int { return a.At.Compare(b.At) })
	return notes, err
}
