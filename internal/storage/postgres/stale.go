package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// forgotten says of the subject p that nothing is about it. Each is one look by
// the reference; a key of the subject but that of its name seals something, or
// is not swept yet.
const forgotten = `
    AND (SELECT l.subject_ref FROM mapping_subjects AS l WHERE l.tenant = $1 AND l.subject_ref = p.subject_ref LIMIT 1) IS NULL
    AND (SELECT k.key_id FROM data_keys AS k
        WHERE k.tenant = $1 AND k.subject_ref = p.subject_ref AND (p.key_id IS NULL OR k.key_id <> p.key_id) LIMIT 1) IS NULL
    AND (SELECT m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = p.key_id LIMIT 1) IS NULL
    AND (SELECT q.request_id FROM subject_requests AS q
        WHERE q.tenant = $1 AND q.subject_ref = p.subject_ref AND q.closed_at IS NULL LIMIT 1) IS NULL
    AND (SELECT e.erasure_id FROM erasures AS e
        WHERE e.tenant = $1 AND e.subject_ref = p.subject_ref AND e.state = 'deferred' LIMIT 1) IS NULL
    AND (SELECT c.proceeding_id FROM proceedings AS c
        WHERE c.tenant = $1 AND c.subject_ref = p.subject_ref AND c.subject_ref <> '' AND c.closed_at IS NULL LIMIT 1) IS NULL`

const (
	sqlStaleRequests = `
SELECT q.request_id FROM subject_requests AS q
WHERE q.tenant = $1 AND q.closed_at < $2 ORDER BY q.closed_at LIMIT $3`
	// A window of subjects by reference; in the end a row says where it ended, if
	// there is more.
	sqlStaleSubjects = `
SELECT p.subject_ref, false FROM (
    SELECT p.subject_ref, p.key_id FROM subjects AS p
    WHERE p.tenant = $1 AND p.subject_ref > $2 ORDER BY p.subject_ref LIMIT $4::bigint) AS p
WHERE true` + forgotten + `
UNION ALL (
    SELECT p.subject_ref, true FROM subjects AS p
    WHERE p.tenant = $1 AND p.subject_ref > $2 ORDER BY p.subject_ref OFFSET $4::bigint - 1 LIMIT 1)
LIMIT $3`
	// Notes and look-up digests go with their request (ON DELETE CASCADE).
	sqlSweepRequests = `
DELETE FROM subject_requests WHERE tenant = $1 AND request_id = ANY ($2::text[]) AND closed_at IS NOT NULL`
	sqlSweepSubjects = `
DELETE FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = ANY ($2::text[])` + forgotten
	// Of a request that is gone, and of a person, nothing is left to seal.
	sqlSweepOwned = `
DELETE FROM data_keys WHERE tenant = $1 AND subject_ref = ANY ($2::text[]) RETURNING key_id`
)

// StaleRecords implements vault.Requests.
func (v *View) StaleRecords(ctx context.Context, tenant string, closedBefore time.Time, limit int) (vault.Sweep, error) {
	if limit <= 0 {
		return vault.Sweep{}, fmt.Errorf("%w: a sweep without a limit", ErrMalformed)
	}
	var s vault.Sweep
	if err := v.each(ctx, "closed requests", sqlStaleRequests, collect(&s.Requests), tenant, microsUp(closedBefore), int64(limit)); err != nil {
		return vault.Sweep{}, err
	}
	window := int64(cmp.Or(v.hooks.window, sweepWindow))
	for from, more := "", true; more && len(s.Subjects) < limit; {
		more = false
		err := v.each(ctx, "forgotten subjects", sqlStaleSubjects, func(rows pgx.Rows) error {
			var ref string
			var end bool
			err := scan(rows, &ref, &end)
			switch {
			case end:
				from, more = ref, true
			case len(s.Subjects) < limit:
				s.Subjects = append(s.Subjects, ref)
			}
			return err
		}, tenant, from, int64(limit)+1, window)
		if err != nil {
			return vault.Sweep{}, err
		}
	}
	return s, nil
}

// sweepRecords adds the statements that sweep requests and subjects, each with
// the keys that are theirs.
func (b *batch) sweepRecords(p *pipeline, s vault.Sweep, changed error, gone *distinct[string]) {
	if len(s.Requests) > 0 {
		p.change(len(s.Requests), changed, sqlSweepRequests, b.tenant, s.Requests)
	}
	if len(s.Subjects) > 0 {
		p.change(len(s.Subjects), changed, sqlSweepSubjects, b.tenant, s.Subjects)
	}
	if owners := append(append([]string{}, s.Requests...), s.Subjects...); len(owners) > 0 {
		p.each(sqlSweepOwned, ids(gone), b.tenant, owners)
	}
}
