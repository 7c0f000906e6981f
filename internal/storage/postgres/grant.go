package postgres

import (
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a flush depends on, as of one moment: the statements are one round trip,
// and one transaction that sees what was committed when it began. Nothing is
// locked, and no commit waits for it.
const (
	sqlLiveGrant = proceedingColumns + `, h.state,
    GREATEST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint), h.last_time),
    (SELECT count(*) FROM grant_uses AS u WHERE u.tenant = $1 AND u.grant_id = $2 AND u.drawn)
FROM proceedings AS p CROSS JOIN log_heads AS h
WHERE p.tenant = $1 AND p.proceeding_id = $2 AND p.kind = 'grant' AND h.tenant = $1`
	// There is no limit: one that was left out would not stop what it stops.
	sqlLiveSuspensions = proceedingColumns + `
FROM proceedings AS p
WHERE p.tenant = $1 AND p.kind = 'suspension' AND p.closed_at IS NULL AND p.state = 'standing'
    AND (p.expires_at IS NULL
        OR p.expires_at > (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))))
ORDER BY p.created_at DESC, p.proceeding_id DESC`
	// The tokens $3, in each of the scopes $2.
	sqlLiveMappings = `
SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    e.expired, c.kept,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM unnest($2::text[]) AS s (scope_id) CROSS JOIN unnest($3::text[]) AS r (token_id)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
        m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = s.scope_id AND m.token_id = r.token_id LIMIT 1) AS m` + judged + `
WHERE m.state <> 'retired' OR c.kept`
	sqlLiveKeys = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM (
    SELECT DISTINCT m.key_id FROM unnest($2::text[]) AS s (scope_id) CROSS JOIN unnest($3::text[]) AS r (token_id)
    CROSS JOIN LATERAL (
        SELECT m.key_id FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = s.scope_id AND m.token_id = r.token_id LIMIT 1) AS m) AS r
CROSS JOIN LATERAL (
    SELECT k.key_id, k.scope_id, k.subject_ref, k.wrapped, k.wrap_version, k.sealed, k.created_at FROM data_keys AS k
    WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) AS k
ORDER BY k.created_at DESC, k.key_id`
	// Along what has not expired, as far as is asked for. What an erasure left for
	// the sweep is passed over.
	sqlAlive = `
SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at, false, false, true,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM unnest($2::text[]) AS s (scope_id)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
        m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = s.scope_id AND m.state = 'live'
        AND m.expires_at > (SELECT GREATEST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))
        AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
    ORDER BY m.expires_at DESC LIMIT $4) AS m
LIMIT $4`
)

// Live implements vault.Grants. It is a method of the store, not of a view: a
// view may be of a standby, which is behind.
func (s *Store) Live(ctx context.Context, tenant string, q vault.LiveQuery) (vault.Live, error) {
	if !storable(tenant, q.GrantID) {
		return vault.Live{}, vault.ErrNotFound
	}
	var live vault.Live
	err := s.query(ctx, "a grant", func(row func(pgx.Rows) error) *pipeline {
		live = vault.Live{} // of an attempt that was lost
		return s.living(&live, row, tenant, q)
	}, func(rows pgx.Rows) error { return scanLive(rows, &live) })
	switch {
	case err != nil:
		return vault.Live{}, err
	case live.Grant.ID == "":
		return vault.Live{}, vault.ErrNotFound
	}
	// What was replaced has a key, too, and is not among them.
	live.Keys = slices.DeleteFunc(live.Keys, func(k vault.DataKey) bool {
		return !slices.ContainsFunc(live.Mappings, func(m vault.Mapping) bool { return m.KeyID == k.ID })
	})
	return live, nil
}

// living is the one round trip.
func (s *Store) living(live *vault.Live, grant func(pgx.Rows) error, tenant string, q vault.LiveQuery) *pipeline {
	p := &pipeline{hooks: s.hooks}
	now := s.now()
	p.exec(sqlBeginRead)
	p.exec(sqlTenant, tenant, inMillis(statementTimeout))
	p.each(sqlLiveGrant, grant, tenant, q.GrantID, now)
	p.each(sqlLiveSuspensions, func(rows pgx.Rows) error {
		one, err := scanProceeding(rows)
		live.Suspensions = append(live.Suspensions, one)
		return err
	}, tenant, now)
	if scopes, tokens := list(q.ScopeIDs), list(q.TokenIDs); len(scopes) > 0 && len(tokens) > 0 {
		p.each(sqlLiveMappings, scopedMapping(&live.Mappings), tenant, scopes, tokens, now)
		p.each(sqlLiveKeys, func(rows pgx.Rows) error {
			k, err := scanKey(rows)
			live.Keys = append(live.Keys, k)
			return err
		}, tenant, scopes, tokens)
	}
	p.exec(sqlCommit)
	return p
}

func scanLive(rows pgx.Rows, live *vault.Live) error {
	var at int64
	p, err := scanProceeding(rows, &live.State, &at, &live.Drawn)
	live.Grant, live.At = p, fromMicros(at)
	return err
}

// scopedMapping adds a mapping with the scope that is in its row.
func scopedMapping(into *[]vault.Mapping) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var scope string
		m, err := scanMapping(rows, &scope)
		m.ScopeID = scope
		*into = append(*into, m)
		return err
	}
}

// Alive implements vault.Grants.
func (v *View) Alive(ctx context.Context, tenant string, scopeIDs []string, limit int) ([]vault.Mapping, error) {
	var alive []vault.Mapping
	err := v.each(ctx, "what is alive", sqlAlive, scopedMapping(&alive), tenant, list(scopeIDs), v.now(), oneMore(limit))
	return alive, err
}

// oneMore is how many rows tell that there are more than a limit.
func oneMore(limit int) int64 { return 1 + min(int64(max(limit, 0)), math.MaxInt64-1) }
