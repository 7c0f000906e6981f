package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// forgotten tells whether nothing is about the subject p, and only the key of
	// the own name is the subject's.
	forgotten = `NOT EXISTS (SELECT 1 FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = p.subject_ref)
    AND NOT EXISTS (SELECT 1 FROM data_keys AS k
        WHERE k.tenant = ?1 AND k.subject_ref = p.subject_ref AND k.key_id IS NOT p.key_id)
    AND NOT EXISTS (SELECT 1 FROM subject_requests AS q INDEXED BY subject_requests_subject
        WHERE q.tenant = ?1 AND q.subject_ref = p.subject_ref AND q.closed_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM erasures AS e INDEXED BY erasures_deferred
        WHERE e.tenant = ?1 AND e.state = 'deferred' AND e.subject_ref = p.subject_ref)
    AND NOT EXISTS (SELECT 1 FROM proceedings AS c INDEXED BY proceedings_subject
        WHERE c.tenant = ?1 AND c.subject_ref = p.subject_ref AND c.subject_ref <> '' AND c.closed_at IS NULL)`
	sqlStaleRequests = `
SELECT q.request_id FROM subject_requests AS q
WHERE q.tenant = ?1 AND q.closed_at IS NOT NULL AND q.closed_at < ?2 ORDER BY q.closed_at LIMIT ?3`
	// Passes over everybody until it has enough: nothing else says whom no row
	// is about any more.
	sqlStaleSubjects = `
SELECT p.subject_ref FROM subjects AS p WHERE p.tenant = ?1 AND ` + forgotten + ` LIMIT ?2`
	// Notes and look-ups go with the request (ON DELETE CASCADE).
	sqlSweepRequest = `
DELETE FROM subject_requests WHERE tenant = ?1 AND request_id = ?2 AND closed_at IS NOT NULL`
	sqlSweepSubject = `
DELETE FROM subjects AS p WHERE p.tenant = ?1 AND p.subject_ref = ?2 AND ` + forgotten
	sqlSweepKeysOf = `
DELETE FROM data_keys INDEXED BY data_keys_subject WHERE tenant = ?1 AND subject_ref = ?2`
)

// StaleRecords implements vault.Requests.
func (v *View) StaleRecords(ctx context.Context, tenant string, closedBefore time.Time, limit int) (vault.Sweep, error) {
	if limit <= 0 {
		return vault.Sweep{}, fmt.Errorf("%w: a sweep without a limit", ErrMalformed)
	}
	var s vault.Sweep
	err := v.each(ctx, "stale requests", sqlStaleRequests, collect(&s.Requests), tenant, ceilMicros(closedBefore), limit)
	if err != nil {
		return vault.Sweep{}, err
	}
	err = v.each(ctx, "stale subjects", sqlStaleSubjects, collect(&s.Subjects), tenant, limit)
	return s, err
}

// sweepRecords destroys closed requests with their notes, and people of whom
// nothing is left with their names: the keys that seal these are theirs alone.
func (b *batch) sweepRecords(s vault.Sweep, changed error) error {
	for _, records := range []struct {
		text string
		ids  []string
	}{{sqlSweepRequest, s.Requests}, {sqlSweepSubject, s.Subjects}} {
		for _, id := range records.ids {
			if err := b.mustChange(changed, records.text, b.tenant, id); err != nil {
				return err
			}
			if _, err := b.exec(sqlSweepKeysOf, b.tenant, id); err != nil {
				return err
			}
		}
	}
	return nil
}
