package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// What a plan reads takes two round trips, and is read as of one moment.
	sqlBeginRead = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`
	// What stays of what some keys seal: whatever does not go with the subject.
	sqlSurvivors = `
SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    e.expired, c.kept, true,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM unnest($5::text[]) AS r (key_id)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
        m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.key_id = r.key_id OFFSET 0) AS m` + judged + `
WHERE m.created_at > $3 OR ` + alone + ` IS NOT TRUE OR ` + heldAlone + ` IS NOT NULL
LIMIT $6`
	sqlNamesUnder = `
SELECT s.digest, s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    s.name_key_id, s.idle_ttl, s.created_at, s.ends_at
FROM unnest($2::text[]) AS r (key_id)
CROSS JOIN LATERAL (
    SELECT s.digest, s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
        s.name_key_id, s.idle_ttl, s.created_at, s.ends_at
    FROM scopes AS s
    WHERE s.tenant = $1 AND s.name_key_id = r.key_id OFFSET 0) AS s
LIMIT $3`
	sqlErasure = `
SELECT e.erasure_id, e.subject, e.subject_ref, e.reference, e.regime, e.identity_method, e.identity_reference, e.verified_by,
    e.verified_at, e.state, e.erased_at, e.completed_at, e.erased, e.shared, e.deferred, e.keys, e.rekeyed,
    e.suppress_until, e.final_at, g.destinations, g.mappings, g.first, g.last
FROM erasures AS e
LEFT JOIN LATERAL (
    SELECT array_agg(d.destination ORDER BY d.destination) AS destinations, array_agg(d.mappings ORDER BY d.destination) AS mappings,
        array_agg(d.first_sent ORDER BY d.destination) AS first, array_agg(d.last_sent ORDER BY d.destination) AS last
    FROM erasure_destinations AS d WHERE d.tenant = $1 AND d.erasure_id = $2) AS g ON true
WHERE e.tenant = $1 AND e.erasure_id = $2 AND ($3 = '' OR e.state = $3)`
	// A page goes on after an erasure; one that is not there is the end.
	sqlErasures = `
SELECT e.erasure_id, e.subject, e.subject_ref, e.reference, e.regime, e.identity_method, e.identity_reference, e.verified_by,
    e.verified_at, e.state, e.erased_at, e.completed_at, e.erased, e.shared, e.deferred, e.keys, e.rekeyed,
    e.suppress_until, e.final_at, NULL::text[], NULL::bigint[], NULL::bigint[], NULL::bigint[]
FROM erasures AS e
WHERE e.tenant = $1 AND ($3 = '' OR e.state = $3)
    AND (e.erased_at, e.erasure_id) < ((
        SELECT CASE WHEN $2 = '' THEN 9223372036854775807
        ELSE COALESCE((SELECT b.erased_at FROM erasures AS b WHERE b.tenant = $1 AND b.erasure_id = $2 LIMIT 1), 0) END), $2)
ORDER BY e.erased_at DESC, e.erasure_id DESC LIMIT $4`
	// Those that are deferred are few among many, and are looked for all the time.
	sqlDeferred = `
SELECT e.erasure_id, e.subject, e.subject_ref, e.reference, e.regime, e.identity_method, e.identity_reference, e.verified_by,
    e.verified_at, e.state, e.erased_at, e.completed_at, e.erased, e.shared, e.deferred, e.keys, e.rekeyed,
    e.suppress_until, e.final_at, NULL::text[], NULL::bigint[], NULL::bigint[], NULL::bigint[]
FROM erasures AS e
WHERE e.tenant = $1 AND e.state = 'deferred'
    AND (e.erased_at, e.erasure_id) < ((
        SELECT CASE WHEN $2 = '' THEN 9223372036854775807
        ELSE COALESCE((SELECT b.erased_at FROM erasures AS b WHERE b.tenant = $1 AND b.erasure_id = $2 LIMIT 1), 0) END), $2)
ORDER BY e.erased_at DESC, e.erasure_id DESC LIMIT $3`
)

// PlanErasure implements vault.Erasures. Whatever stands was made at or before
// now, so no bound is one that leaves nothing out.
func (v *View) PlanErasure(ctx context.Context, tenant, subjectRef string, until time.Time, limit int) (vault.ErasurePlan, error) {
	if !storable(tenant, subjectRef) {
		return vault.ErasurePlan{}, nil
	}
	bound := int64(math.MaxInt64)
	if !until.IsZero() {
		bound = micros(until)
	}
	var plan vault.ErasurePlan
	err := v.moment(ctx, "what an erasure touches", tenant, func(run func(*pipeline) error) error {
		plan = vault.ErasurePlan{}
		found := newErasing()
		p := &pipeline{hooks: v.hooks}
		found.read(p, tenant, subjectRef, bound)
		if err := run(p); err != nil {
			return err
		}
		plan.Keys, plan.Parts = found.sortedKeys(), found.sortedParts()
		p = &pipeline{hooks: v.hooks}
		p.each(sqlSurvivors, collectMappings(&plan.Survivors), tenant, subjectRef, bound, v.now(), list(plan.Keys), int64(limit)+1)
		p.each(sqlNamesUnder, collectScopes(&plan.Names), tenant, list(plan.Keys), int64(limit)+1)
		return run(p)
	})
	if err != nil {
		return vault.ErasurePlan{}, err
	}
	if len(plan.Survivors)+len(plan.Names) > limit {
		plan.Survivors = plan.Survivors[:min(limit, len(plan.Survivors))]
		plan.Names = plan.Names[:min(limit-len(plan.Survivors), len(plan.Names))]
		return plan, fmt.Errorf("postgres: more than %d values and names would have to be sealed anew: %w", limit, vault.ErrTooMany)
	}
	sortMappings(plan.Survivors)
	sortScopes(plan.Names)
	return plan, nil
}

// moment reads in several round trips what was there at one moment.
func (v *View) moment(ctx context.Context, what, tenant string, read func(run func(*pipeline) error) error) error {
	if v.closed.Load() {
		return vault.ErrClosed
	}
	err := v.breaker.do(ctx, func() error {
		return retrying(v.pool, func() error { return v.momentOnce(ctx, tenant, read) })
	})
	return v.ended(ctx, what, err)
}

// momentOnce leaves the connection as it was, or broken, and then the pool
// drops it.
func (v *View) momentOnce(ctx context.Context, tenant string, read func(run func(*pipeline) error) error) error {
	conn, err := v.pool.Acquire(ctx)
	if err != nil {
		return &fault{err}
	}
	defer conn.Release()
	if err := v.hooks.replan(ctx, conn.Conn()); err != nil {
		return err
	}
	begin := &pipeline{hooks: v.hooks}
	begin.exec(sqlBeginRead)
	begin.exec(sqlTenant, tenant, inMillis(statementTimeout))
	if err := begin.run(ctx, conn.Conn()); err != nil {
		return err
	}
	if err := read(func(p *pipeline) error { return p.run(ctx, conn.Conn()) }); err != nil {
		return err
	}
	if _, err := conn.Conn().PgConn().Exec(ctx, sqlRollback).ReadAll(); err != nil {
		return &fault{err}
	}
	return nil
}

// Erasures implements vault.Erasures.
func (v *View) Erasures(ctx context.Context, tenant string, q vault.ErasureQuery) ([]vault.Erasure, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageErasures
	}
	var erasures []vault.Erasure
	add := func(rows pgx.Rows) error {
		e, err := scanErasure(rows)
		erasures = append(erasures, e)
		return err
	}
	var err error
	switch {
	case q.ID != "":
		err = v.each(ctx, "an erasure", sqlErasure, add, tenant, q.ID, string(q.State))
	case q.State == vault.ErasureDeferred:
		err = v.each(ctx, "deferred erasures", sqlDeferred, add, tenant, q.Before, int64(limit))
	default:
		err = v.each(ctx, "erasures", sqlErasures, add, tenant, q.Before, string(q.State), int64(limit))
	}
	return erasures, err
}

func scanErasure(rows pgx.Rows) (e vault.Erasure, err error) {
	var subject []byte
	var verified, erased int64
	var completed, suppressed, final *int64
	var sent usesColumns
	c, id := &e.Counts, &e.Identity
	err = scan(rows, append([]any{
		&e.ID, &subject, &e.SubjectRef, &e.Reference, &e.Regime, &id.Method, &id.Reference, &id.VerifiedBy,
		&verified, &e.State, &erased, &completed, &c.Erased, &c.Shared, &c.Deferred, &c.Keys, &c.Rekeyed, &suppressed, &final,
	}, sent.into()...)...)
	copy(e.Subject[:], subject)
	id.At, e.ErasedAt, e.CompletedAt = fromMicros(verified), fromMicros(erased), timeOf(completed)
	e.SuppressUntil, e.FinalAt, e.Destinations = timeOf(suppressed), timeOf(final), sent.uses()
	return e, err
}
