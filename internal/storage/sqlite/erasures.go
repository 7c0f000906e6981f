package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlKeysOfPerson = `
SELECT k.key_id FROM data_keys AS k WHERE k.tenant = ?1 AND k.subject_ref = ?2`
	// All that the keys ?4 seal and that does not go.
	sqlSurvivors = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    m.expires_at <= MAX(?5, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)),
    1,
    (SELECT json_group_array(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = m.tenant AND l.scope_id = m.scope_id AND l.token_id = m.token_id),
    CASE WHEN m.state = 'retired'
        OR m.expires_at <= MAX(?5, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    THEN ` + held + ` ELSE 0 END,
    m.scope_id
FROM json_each(?4) AS j CROSS JOIN mappings AS m INDEXED BY mappings_key
WHERE m.tenant = ?1 AND m.key_id = j.value AND NOT ` + goes + `
LIMIT ?6`
	sqlNamesUnder = `
SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    s.name_key_id, s.idle_ttl, s.created_at, s.ends_at
FROM json_each(?2) AS j CROSS JOIN scopes AS s INDEXED BY scopes_name_key
WHERE s.tenant = ?1 AND s.name_key_id = j.value
LIMIT ?3`
	sqlErasureByID = `
SELECT e.erasure_id, e.subject, e.subject_ref, e.reference, e.regime, e.identity_method, e.identity_reference,
    e.verified_by, e.verified_at, e.state, e.erased_at, e.completed_at, e.erased, e.shared, e.deferred, e.keys, e.rekeyed,
    e.suppress_until, e.final_at,
    (SELECT json_group_array(json_array(d.destination, d.mappings, d.first_sent, d.last_sent)) FROM erasure_destinations AS d
        WHERE d.tenant = ?1 AND d.erasure_id = ?2)
FROM erasures AS e
WHERE e.tenant = ?1 AND e.erasure_id = ?2 AND (?3 = '' OR e.state = ?3)`
	// The page after the erasure ?2, or the first.
	sqlErasures = `
SELECT e.erasure_id, e.subject, e.subject_ref, e.reference, e.regime, e.identity_method, e.identity_reference,
    e.verified_by, e.verified_at, e.state, e.erased_at, e.completed_at, e.erased, e.shared, e.deferred, e.keys, e.rekeyed,
    e.suppress_until, e.final_at, '[]'
FROM erasures AS e
WHERE e.tenant = ?1 AND (?3 = '' OR e.state = ?3)
    AND (e.erased_at, e.erasure_id) < (IIF(?2 = '', ?5,
        (SELECT b.erased_at FROM erasures AS b WHERE b.tenant = ?1 AND b.erasure_id = ?2)), ?2)
ORDER BY e.erased_at DESC, e.erasure_id DESC LIMIT ?4`
	// The same of the few that wait, without the many that are done.
	sqlDeferred = `
SELECT e.erasure_id, e.subject, e.subject_ref, e.reference, e.regime, e.identity_method, e.identity_reference,
    e.verified_by, e.verified_at, e.state, e.erased_at, e.completed_at, e.erased, e.shared, e.deferred, e.keys, e.rekeyed,
    e.suppress_until, e.final_at, '[]'
FROM erasures AS e INDEXED BY erasures_deferred
WHERE e.tenant = ?1 AND e.state = 'deferred' AND ?3 = 'deferred'
    AND (e.erased_at, e.erasure_id) < (IIF(?2 = '', ?5,
        (SELECT b.erased_at FROM erasures AS b WHERE b.tenant = ?1 AND b.erasure_id = ?2)), ?2)
ORDER BY e.erased_at DESC, e.erasure_id DESC LIMIT ?4`
)

// PlanErasure implements vault.Erasures. All of it is read from one commit.
func (v *View) PlanErasure(ctx context.Context, tenant, subjectRef string, until time.Time, limit int) (vault.ErasurePlan, error) {
	if subjectRef == "" || !storable(tenant, subjectRef) {
		return vault.ErasurePlan{}, nil // of nobody there is nothing
	}
	to := forever // nothing stands that was made after now
	if !until.IsZero() {
		to = micros(until)
	}
	var plan vault.ErasurePlan
	err := v.snapshot(ctx, "what an erasure touches", func(each eachRow) error {
		f := newFates()
		if err := each(sqlFates, f.row, tenant, subjectRef, to); err != nil {
			return err
		}
		if err := each(sqlKeysOfPerson, f.own, tenant, subjectRef); err != nil {
			return err
		}
		plan.Keys = slices.Sorted(maps.Keys(f.keys))
		for _, part := range f.parts {
			plan.Parts = append(plan.Parts, *part)
		}
		slices.SortFunc(plan.Parts, func(a, b vault.ErasurePart) int { return strings.Compare(a.ScopeID, b.ScopeID) })
		survivor := func(rows *sql.Rows) error {
			var scope string
			m, err := scanMapping(rows, &scope)
			m.ScopeID = scope
			plan.Survivors = append(plan.Survivors, m)
			return err
		}
		// One more than may be tells that there are too many.
		if err := each(sqlSurvivors, survivor, tenant, subjectRef, to, encode(plan.Keys), v.now(), limit+1); err != nil {
			return err
		}
		room := limit - len(plan.Survivors)
		if room < 0 {
			plan.Survivors = plan.Survivors[:limit]
			return vault.ErrTooMany
		}
		if err := each(sqlNamesUnder, scopeRow(&plan.Names, vault.Digest{}), tenant, encode(plan.Keys), room+1); err != nil {
			return err
		}
		if len(plan.Names) > room {
			plan.Names = plan.Names[:room]
			return vault.ErrTooMany
		}
		return nil
	})
	if err != nil && !errors.Is(err, vault.ErrTooMany) {
		return vault.ErasurePlan{}, err
	}
	return plan, err
}

// eachRow is each within a snapshot.
type eachRow func(text string, scan func(*sql.Rows) error, args ...any) error

// snapshot reads with several statements what one commit left.
func (v *View) snapshot(ctx context.Context, what string, read func(eachRow) error) error {
	err := v.reading(ctx, read)
	switch {
	case err == nil, errors.Is(err, vault.ErrTooMany):
		return err
	case v.closed.Load():
		return vault.ErrClosed
	default:
		return readError(ctx, what, err)
	}
}

// reading reads in one transaction. What it had to prepare for itself is prepared
// for all once its connection is back.
func (v *View) reading(ctx context.Context, read func(eachRow) error) error {
	missed, err := v.readingOnce(ctx, read)
	for _, text := range missed {
		if err != nil {
			break
		}
		_, err = v.made.get(ctx, text)
	}
	return err
}

func (v *View) readingOnce(ctx context.Context, read func(eachRow) error) (missed []string, err error) {
	tx, err := v.db.BeginTx(ctx, nil) // the connection cannot write
	if err != nil {
		return nil, err
	}
	defer func() {
		// Where the context ended, it is rolled back already.
		if rerr := tx.Rollback(); err == nil && !errors.Is(rerr, sql.ErrTxDone) {
			err = rerr
		}
	}()
	err = read(func(text string, scan func(*sql.Rows) error, args ...any) error {
		stmt, isNew, err := v.made.within(ctx, tx, text)
		if err != nil {
			return err
		}
		if isNew {
			missed = append(missed, text)
		}
		return scanAll(ctx, stmt, scan, args)
	})
	return missed, err
}

// Erasures implements vault.Erasures.
func (v *View) Erasures(ctx context.Context, tenant string, q vault.ErasureQuery) ([]vault.Erasure, error) {
	var found []vault.Erasure
	add := func(rows *sql.Rows) error {
		e, err := scanErasure(rows)
		found = append(found, e)
		return err
	}
	if q.ID != "" {
		err := v.each(ctx, "an erasure", sqlErasureByID, add, tenant, q.ID, string(q.State))
		return found, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageErasures
	}
	text := sqlErasures
	if q.State == vault.ErasureDeferred {
		text = sqlDeferred
	}
	err := v.each(ctx, "erasures", text, add, tenant, q.Before, string(q.State), limit, forever)
	return found, err
}

func scanErasure(rows *sql.Rows) (e vault.Erasure, err error) {
	var subject []byte
	var verified, began int64
	var completed, until, final sql.NullInt64
	var destinations string
	c := &e.Counts
	if err := rows.Scan(&e.ID, &subject, &e.SubjectRef, &e.Reference, &e.Regime, &e.Identity.Method, &e.Identity.Reference,
		&e.Identity.VerifiedBy, &verified, &e.State, &began, &completed, &c.Erased, &c.Shared, &c.Deferred, &c.Keys, &c.Rekeyed,
		&until, &final, &destinations); err != nil {
		return e, err
	}
	copy(e.Subject[:], subject)
	e.Identity.At, e.ErasedAt = fromMicros(verified), fromMicros(began)
	if completed.Valid {
		e.CompletedAt = fromMicros(completed.Int64)
	}
	if until.Valid {
		e.SuppressUntil = fromMicros(until.Int64)
	}
	if final.Valid {
		e.FinalAt = fromMicros(final.Int64)
	}
	e.Destinations, err = decodeUses(destinations)
	return e, err
}
