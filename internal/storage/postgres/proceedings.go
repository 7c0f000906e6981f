package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// proceedingColumns are those of the proceeding p.
const proceedingColumns = `
SELECT p.proceeding_id, p.kind, p.revision, p.state, p.actor, p.subject_ref, p.due_at, p.expires_at, p.created_at, p.closed_at, p.body`

// proceedingFilter selects proceedings p in the state $4, of the actor $5, due
// before $6.
const proceedingFilter = `
    AND ($4 = '' OR p.state = $4) AND ($5 = '' OR p.actor = $5) AND ($6::bigint IS NULL OR p.due_at < $6)`

// pageOfProceedings are the newest $7 of those that were opened before the one
// that the page before ended with, which is $2. One that is not there is the end.
const pageOfProceedings = proceedingFilter + `
        AND (p.created_at, p.proceeding_id) < ((
            SELECT CASE WHEN $2 = '' THEN 9223372036854775807
            ELSE COALESCE((SELECT b.created_at FROM proceedings AS b WHERE b.tenant = $1 AND b.proceeding_id = $2 LIMIT 1), 0) END), $2)
    ORDER BY p.created_at DESC, p.proceeding_id DESC LIMIT $7) AS p
ORDER BY p.created_at DESC, p.proceeding_id DESC LIMIT $7`

// Pages go along the index of each kind, $3, as far as the page is long.
const (
	sqlProceeding = proceedingColumns + `
FROM proceedings AS p
WHERE p.tenant = $1 AND p.proceeding_id = $2 AND p.kind = ANY ($3::text[])` + proceedingFilter + `
    AND ($7::text[] IS NULL OR p.subject_ref = ANY ($7::text[])) AND (NOT $8 OR p.closed_at IS NULL)`
	sqlProceedings = proceedingColumns + `
FROM unnest($3::text[]) AS k (kind)
CROSS JOIN LATERAL (` + proceedingColumns + `
    FROM proceedings AS p
    WHERE p.tenant = $1 AND p.kind = k.kind` + pageOfProceedings
	// Those that are open are few among many, and are looked for all the time.
	sqlProceedingsOpen = proceedingColumns + `
FROM unnest($3::text[]) AS k (kind)
CROSS JOIN LATERAL (` + proceedingColumns + `
    FROM proceedings AS p
    WHERE p.tenant = $1 AND p.kind = k.kind AND p.closed_at IS NULL` + pageOfProceedings
	// A person has a few.
	sqlProceedingsOf = proceedingColumns + `
FROM unnest($8::text[]) AS r (subject_ref)
CROSS JOIN LATERAL (` + proceedingColumns + `
    FROM proceedings AS p
    WHERE p.tenant = $1 AND p.subject_ref = r.subject_ref AND p.subject_ref <> '' AND p.kind = ANY ($3::text[])
        AND (NOT $9 OR p.closed_at IS NULL)` + pageOfProceedings
)

// Proceedings implements vault.Proceedings.
func (v *View) Proceedings(ctx context.Context, tenant string, q vault.ProceedingQuery) ([]vault.Proceeding, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageProceedings
	}
	kinds := column(vault.ProceedingKinds(), func(k vault.ProceedingKind) string { return string(k) })
	if q.Kind != "" {
		kinds = list([]string{string(q.Kind)})
	}
	var due *int64
	if !q.DueBefore.IsZero() {
		us := microsUp(q.DueBefore)
		due = &us
	}
	var found []vault.Proceeding
	add := func(rows pgx.Rows) error {
		p, err := scanProceeding(rows)
		found = append(found, p)
		return err
	}
	if q.ID != "" {
		var refs []string
		if len(q.SubjectRefs) > 0 {
			refs = list(q.SubjectRefs)
		}
		err := v.each(ctx, "a proceeding", sqlProceeding, add, tenant, q.ID, kinds, string(q.State), q.Actor, due, refs, q.Open)
		return found, err
	}
	text, args := sqlProceedings, []any{q.Before, kinds, string(q.State), q.Actor, due, int64(limit)}
	switch {
	case len(q.SubjectRefs) > 0:
		text, args = sqlProceedingsOf, append(args, list(q.SubjectRefs), q.Open)
	case q.Open:
		text = sqlProceedingsOpen
	}
	err := v.each(ctx, "proceedings", text, add, tenant, args...)
	return found, err
}

// scanProceeding reads the columns of a proceeding, and others that come after
// them.
func scanProceeding(rows pgx.Rows, after ...any) (p vault.Proceeding, err error) {
	var due, expires, closed *int64
	var created int64
	err = scan(rows, append([]any{
		&p.ID, &p.Kind, &p.Revision, &p.State, &p.Actor, &p.SubjectRef, &due, &expires, &created, &closed, &p.Body,
	}, after...)...)
	if err != nil {
		return p, err
	}
	p.DueAt, p.ExpiresAt, p.ClosedAt = timeOf(due), timeOf(expires), timeOf(closed)
	p.CreatedAt = fromMicros(created)
	return p, nil
}

// What was erased is nowhere any more, as far as this can tell, though its rows
// wait for the sweep.
const sqlExposure = `
SELECT d.destination, m.entity, m.class, count(*), min(d.first_sent), max(d.last_sent)
FROM mapping_destinations AS d
JOIN mappings AS m ON m.tenant = $1 AND m.scope_id = d.scope_id AND m.token_id = d.token_id
WHERE d.tenant = $1
    AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
GROUP BY d.destination, m.entity, m.class ORDER BY d.destination, m.entity, m.class`

// Exposure implements vault.Proceedings. It walks along all that was ever sent
// anywhere, for people who ask it rarely, so it has more time than other reads:
// 100,000 values that were sent to two destinations each take a second or two.
func (v *View) Exposure(ctx context.Context, tenant string) ([]vault.ExposureLine, error) {
	var lines []vault.ExposureLine
	err := v.within(ctx, reportTimeout, "the exposure", sqlExposure, func(rows pgx.Rows) error {
		var l vault.ExposureLine
		var first, last int64
		err := scan(rows, &l.Destination, &l.Entity, &l.Class, &l.Mappings, &first, &last)
		l.First, l.Last = fromMicros(first), fromMicros(last)
		lines = append(lines, l)
		return err
	}, tenant)
	return lines, err
}
