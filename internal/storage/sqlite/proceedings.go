package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlProceedingByID = `
SELECT c.proceeding_id, c.kind, c.revision, c.state, c.actor, c.subject_ref, c.due_at, c.expires_at, c.created_at, c.closed_at, c.body
FROM proceedings AS c
WHERE c.tenant = ?1 AND c.proceeding_id = ?2 AND (?3 = '' OR c.kind = ?3) AND (?4 = '' OR c.state = ?4)
    AND (?5 = '' OR c.actor = ?5) AND (?6 IS NULL OR c.due_at < ?6) AND (c.closed_at IS NULL OR NOT ?7)
    AND (?8 IS NULL OR c.subject_ref <> '' AND c.subject_ref IN (SELECT j.value FROM json_each(?8) AS j))`
	// The page of a kind after the proceeding ?2, or the first.
	sqlProceedings = `
SELECT c.proceeding_id, c.kind, c.revision, c.state, c.actor, c.subject_ref, c.due_at, c.expires_at, c.created_at, c.closed_at, c.body
FROM proceedings AS c INDEXED BY proceedings_age
WHERE c.tenant = ?1 AND c.kind = ?3 AND (?4 = '' OR c.state = ?4)
    AND (?5 = '' OR c.actor = ?5) AND (?6 IS NULL OR c.due_at < ?6)
    AND (c.created_at, c.proceeding_id) < (IIF(?2 = '', ?8,
        (SELECT b.created_at FROM proceedings AS b WHERE b.tenant = ?1 AND b.proceeding_id = ?2)), ?2)
ORDER BY c.created_at DESC, c.proceeding_id DESC LIMIT ?7`
	// The same of those that are open, without the many that were closed.
	sqlOpenProceedings = `
SELECT c.proceeding_id, c.kind, c.revision, c.state, c.actor, c.subject_ref, c.due_at, c.expires_at, c.created_at, c.closed_at, c.body
FROM proceedings AS c INDEXED BY proceedings_open
WHERE c.tenant = ?1 AND c.kind = ?3 AND c.closed_at IS NULL AND (?4 = '' OR c.state = ?4)
    AND (?5 = '' OR c.actor = ?5) AND (?6 IS NULL OR c.due_at < ?6)
    AND (c.created_at, c.proceeding_id) < (IIF(?2 = '', ?8,
        (SELECT b.created_at FROM proceedings AS b WHERE b.tenant = ?1 AND b.proceeding_id = ?2)), ?2)
ORDER BY c.created_at DESC, c.proceeding_id DESC LIMIT ?7`
	// The same of people: what there is of them is sorted.
	sqlProceedingsOfPersons = `
SELECT c.proceeding_id, c.kind, c.revision, c.state, c.actor, c.subject_ref, c.due_at, c.expires_at, c.created_at, c.closed_at, c.body
FROM proceedings AS c INDEXED BY proceedings_subject
WHERE c.tenant = ?1 AND c.subject_ref <> '' AND c.subject_ref IN (SELECT j.value FROM json_each(?9) AS j)
    AND (?3 = '' OR c.kind = ?3) AND (?4 = '' OR c.state = ?4)
    AND (?5 = '' OR c.actor = ?5) AND (?6 IS NULL OR c.due_at < ?6) AND (c.closed_at IS NULL OR NOT ?10)
    AND (c.created_at, c.proceeding_id) < (IIF(?2 = '', ?8,
        (SELECT b.created_at FROM proceedings AS b WHERE b.tenant = ?1 AND b.proceeding_id = ?2)), ?2)
ORDER BY c.created_at DESC, c.proceeding_id DESC LIMIT ?7`
)

// Proceedings implements vault.Proceedings. The rows of a kind are in their
// order; where no kind is asked for, a page of each is put in order.
func (v *View) Proceedings(ctx context.Context, tenant string, q vault.ProceedingQuery) ([]vault.Proceeding, error) {
	var found []vault.Proceeding
	add := func(rows *sql.Rows) error {
		p, err := scanProceeding(rows)
		found = append(found, p)
		return err
	}
	var due, persons any
	if !q.DueBefore.IsZero() {
		due = ceilMicros(q.DueBefore)
	}
	if len(q.SubjectRefs) > 0 {
		persons = list(q.SubjectRefs)
	}
	if q.ID != "" {
		err := v.each(ctx, "a proceeding", sqlProceedingByID, add, tenant, q.ID, string(q.Kind), string(q.State), q.Actor, due, q.Open, persons)
		return found, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageProceedings
	}
	if persons != nil {
		err := v.each(ctx, "proceedings of people", sqlProceedingsOfPersons, add, tenant, q.Before, string(q.Kind), string(q.State),
			q.Actor, due, limit, forever, persons, q.Open)
		return found, err
	}
	text, kinds := sqlProceedings, []vault.ProceedingKind{q.Kind}
	if q.Open {
		text = sqlOpenProceedings
	}
	if q.Kind == "" {
		kinds = vault.ProceedingKinds()
	}
	err := v.snapshot(ctx, "proceedings", func(each eachRow) error {
		for _, kind := range kinds {
			if err := each(text, add, tenant, q.Before, string(kind), string(q.State), q.Actor, due, limit, forever); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(found, newest)
	return found[:min(limit, len(found))], err
}

// newest orders proceedings as pages do.
func newest(a, b vault.Proceeding) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
}

// scanProceeding scans a proceeding and what else is in its row.
func scanProceeding(rows *sql.Rows, more ...any) (p vault.Proceeding, err error) {
	var due, expires, closed sql.NullInt64
	var created int64
	err = rows.Scan(append([]any{
		&p.ID, &p.Kind, &p.Revision, &p.State, &p.Actor, &p.SubjectRef, &due, &expires, &created, &closed, &p.Body,
	}, more...)...)
	p.CreatedAt = fromMicros(created)
	p.DueAt, p.ExpiresAt, p.ClosedAt = moment(due), moment(expires), moment(closed)
	return p, err
}
