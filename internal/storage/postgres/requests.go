package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// requestColumns are those of the request q.
const requestColumns = `
SELECT q.request_id, q.revision, q.kind, q.regime, q.subject, q.subject_ref, q.reference, q.state,
    COALESCE(q.identity_method, ''), COALESCE(q.identity_reference, ''), COALESCE(q.verified_by, ''), q.verified_at,
    q.assignee, q.refusal_code, q.extended, q.received_at, q.due_at, q.closed_at`

// pageOfRequests are those of the kind $3 and the state $4 that were received
// in [$5, $6), after the one that the page before ended with, which is $2. One
// that is not there is the end.
const pageOfRequests = `
    AND ($3 = '' OR q.kind = $3) AND ($4 = '' OR q.state = $4) AND q.received_at >= $5 AND q.received_at < $6
    AND (q.received_at, q.request_id) < ((
        SELECT CASE WHEN $2 = '' THEN 9223372036854775807
        ELSE COALESCE((SELECT b.received_at FROM subject_requests AS b WHERE b.tenant = $1 AND b.request_id = $2 LIMIT 1), 0) END), $2)
ORDER BY q.received_at DESC, q.request_id DESC LIMIT $7`

const (
	sqlRequest = requestColumns + `,
    (SELECT array_agg(l.lookup ORDER BY l.lookup) FROM subject_request_lookups AS l WHERE l.tenant = $1 AND l.request_id = q.request_id)
FROM subject_requests AS q
WHERE q.tenant = $1 AND q.request_id = $2 AND ($3 = '' OR q.kind = $3) AND ($4 = '' OR q.state = $4)
    AND q.received_at >= $5 AND q.received_at < $6 AND (NOT $7 OR q.closed_at IS NULL)`
	sqlRequests = requestColumns + `, NULL::bytea[]
FROM subject_requests AS q
WHERE q.tenant = $1` + pageOfRequests
	// Those that are open are few among many, and are looked for all the time.
	sqlRequestsOpen = requestColumns + `, NULL::bytea[]
FROM subject_requests AS q
WHERE q.tenant = $1 AND q.closed_at IS NULL` + pageOfRequests
	sqlNotes = `
SELECT n.note_id, n.author, n.key_id, n.sealed, n.created_at FROM subject_request_notes AS n
WHERE n.tenant = $1 AND n.request_id = $2 ORDER BY n.created_at, n.note_id`
	sqlNames = `
SELECT s.scope_id, '', s.name_key_id, s.sealed_name FROM unnest($2::text[]) AS r (scope_id)
CROSS JOIN LATERAL (
    SELECT s.scope_id, s.name_key_id, s.sealed_name FROM scopes AS s
    WHERE s.tenant = $1 AND s.scope_id = r.scope_id LIMIT 1) AS s
WHERE s.name_key_id IS NOT NULL
UNION ALL
SELECT '', p.subject_ref, p.key_id, p.sealed_identifier FROM unnest($3::text[]) AS r (subject_ref)
CROSS JOIN LATERAL (
    SELECT p.subject_ref, p.key_id, p.sealed_identifier FROM subjects AS p
    WHERE p.tenant = $1 AND p.subject_ref = r.subject_ref LIMIT 1) AS p
WHERE p.key_id IS NOT NULL`
	sqlPersonTokens = personFound + `
SELECT m.scope_id, m.token_id FROM found AS f
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.key_id, m.state FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = f.scope_id AND m.token_id = f.token_id LIMIT 1) AS m
WHERE (f.scope_id, f.token_id) > ($2, $5)` + personSeen + `
ORDER BY m.scope_id, m.token_id LIMIT $6`
)

// Requests implements vault.Requests.
func (v *View) Requests(ctx context.Context, tenant string, q vault.RequestQuery) ([]vault.SubjectRequest, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageRequests
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = microsUp(q.From)
	}
	if !q.To.IsZero() {
		to = microsUp(q.To)
	}
	var found []vault.SubjectRequest
	add := func(rows pgx.Rows) error {
		r, err := scanRequest(rows)
		found = append(found, r)
		return err
	}
	if q.ID != "" {
		err := v.each(ctx, "a request", sqlRequest, add, tenant, q.ID, string(q.Kind), string(q.State), from, to, q.Open)
		return found, err
	}
	text := sqlRequests
	if q.Open {
		text = sqlRequestsOpen
	}
	err := v.each(ctx, "requests", text, add, tenant, q.Before, string(q.Kind), string(q.State), from, to, int64(limit))
	return found, err
}

// microsUp is the first microsecond that is not before a time.
func microsUp(t time.Time) int64 { return micros(t.Add(time.Microsecond - 1)) }

func scanRequest(rows pgx.Rows) (r vault.SubjectRequest, err error) {
	var subject []byte
	var lookups [][]byte
	var verified, closed *int64
	var received, due int64
	id := &r.Identity
	err = scan(rows, &r.ID, &r.Revision, &r.Kind, &r.Regime, &subject, &r.SubjectRef, &r.Reference, &r.State,
		&id.Method, &id.Reference, &id.VerifiedBy, &verified, &r.Assignee, &r.RefusalCode, &r.Extended, &received, &due, &closed, &lookups)
	if err != nil {
		return r, err
	}
	copy(r.Subject[:], subject)
	r.Lookups = digestsOf(lookups)
	id.At, r.ClosedAt = timeOf(verified), timeOf(closed)
	r.ReceivedAt, r.DueAt = fromMicros(received), fromMicros(due)
	return r, nil
}

// RequestNotes implements vault.Requests.
func (v *View) RequestNotes(ctx context.Context, tenant, requestID string) ([]vault.RequestNote, error) {
	var notes []vault.RequestNote
	err := v.each(ctx, "notes of a request", sqlNotes, func(rows pgx.Rows) error {
		n := vault.RequestNote{RequestID: requestID}
		var at int64
		err := scan(rows, &n.ID, &n.Author, &n.KeyID, &n.Sealed, &at)
		n.At = fromMicros(at)
		notes = append(notes, n)
		return err
	}, tenant, requestID)
	return notes, err
}

// PersonTokens implements vault.Requests.
func (v *View) PersonTokens(ctx context.Context, tenant string, q vault.PersonQuery, after vault.MappingRef) ([]vault.MappingRef, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageTokens
	}
	var found []vault.MappingRef
	err := v.each(ctx, "tokens of a person", sqlPersonTokens, func(rows pgx.Rows) error {
		var m vault.MappingRef
		err := scan(rows, &m.ScopeID, &m.TokenID)
		found = append(found, m)
		return err
	}, tenant, after.ScopeID, digestList(q.Subjects), digestList(q.Lookups), after.TokenID, int64(limit))
	return found, err
}

// Names implements vault.Requests.
func (v *View) Names(ctx context.Context, tenant string, scopeIDs, subjectRefs []string) ([]vault.SealedName, error) {
	var names []vault.SealedName
	err := v.each(ctx, "sealed names", sqlNames, func(rows pgx.Rows) error {
		var n vault.SealedName
		err := scan(rows, &n.ScopeID, &n.SubjectRef, &n.KeyID, &n.Sealed)
		names = append(names, n)
		return err
	}, tenant, list(scopeIDs), list(subjectRefs))
	return names, err
}
