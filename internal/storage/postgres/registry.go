package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlTenants = `
SELECT t.tenant, t.created_at, t.state, t.min_wrap_version FROM counterfoil_tenants() AS t`
	sqlTenantKeys = `
SELECT k.key_id, k.purpose, k.version, k.wrapped, k.wrap_version, k.public, k.handover, k.created_at
FROM tenant_keys AS k WHERE k.tenant = $1 ORDER BY k.version DESC, k.purpose`
	// What is under keys that an erasure destroyed, and which of them seal nothing
	// any more.
	sqlErasedMappings = `
SELECT m.scope_id, m.token_id FROM (
    SELECT t.key_id FROM tombstones AS t WHERE t.tenant = $1 AND t.swept_at IS NULL ORDER BY t.erased_at, t.key_id) AS t
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = t.key_id OFFSET 0) AS m
LIMIT $2`
	sqlSweptTombstones = `
SELECT t.key_id FROM tombstones AS t
WHERE t.tenant = $1 AND t.swept_at IS NULL
    AND (SELECT count(*) FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = t.key_id) = 0
ORDER BY t.erased_at, t.key_id LIMIT $2`
	// A window of those that are past their time, without what a hold keeps; in
	// the end, where there is room, a row without names says how many it had,
	// when the last of them expired, and how many with it. The next window begins
	// at that time, past so many. No window looks at those before it.
	sqlExpiredMappings = `
WITH passed AS MATERIALIZED (
    SELECT m.scope_id, m.token_id, m.created_at, m.lookup, m.entity, m.class, m.expires_at FROM mappings AS m
    WHERE m.tenant = $1 AND m.expires_at >= $4::bigint
        AND m.expires_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))
    ORDER BY m.expires_at OFFSET $5::bigint LIMIT $6::bigint)
SELECT m.scope_id, m.token_id, 0::bigint, 0::bigint, 0::bigint FROM passed AS m
WHERE ` + held + ` IS NULL
UNION ALL
SELECT '', '', COALESCE(max(w.expires_at), 0),
    count(*) FILTER (WHERE w.expires_at = (SELECT max(u.expires_at) FROM passed AS u)), count(*) FROM passed AS w
LIMIT $3`
	// Not NOT EXISTS, which would be planned as a join with all mappings.
	sqlEndedScopes = `
SELECT s.scope_id FROM scopes AS s
WHERE s.tenant = $1
    AND s.ends_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))
    AND (SELECT m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.scope_id = s.scope_id LIMIT 1) IS NULL
ORDER BY s.ends_at LIMIT $3`
	sqlKeysOfScopes = `
SELECT k.key_id FROM data_keys AS k
WHERE k.tenant = $1 AND k.scope_id = ANY ($2::text[])`
	sqlStaleTenantKeys = `
SELECT k.key_id, k.wrapped, k.wrap_version FROM tenant_keys AS k
WHERE k.tenant = $1 AND k.wrap_version < $2 LIMIT $3`
	sqlStaleDataKeys = `
SELECT k.key_id, k.wrapped, k.wrap_version FROM data_keys AS k
WHERE k.tenant = $1 AND k.wrap_version < $2 ORDER BY k.wrap_version LIMIT $3`
	sqlIdleKeys = `
SELECT k.key_id FROM data_keys AS k
WHERE k.tenant = $1 AND k.idle_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM scopes AS s WHERE s.tenant = $1 AND s.name_key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = $1 AND p.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subject_request_notes AS n WHERE n.tenant = $1 AND n.key_id = k.key_id)
ORDER BY k.idle_at LIMIT $2`
)

// Tenants implements vault.Registry. It is the one read that names no tenant;
// the function of the database that it asks is the only way to do so. A tenant
// has a head from the commit on that makes it.
func (v *View) Tenants(ctx context.Context) ([]vault.Tenant, error) {
	var tenants []vault.Tenant
	err := v.query(ctx, "tenants", func(row func(pgx.Rows) error) *pipeline {
		p := &pipeline{hooks: v.hooks}
		p.each(sqlTenants, row)
		return p
	}, func(rows pgx.Rows) error {
		var t vault.Tenant
		var created int64
		if err := scan(rows, &t.Name, &created, &t.State, &t.MinWrapVersion); err != nil {
			return err
		}
		t.CreatedAt = fromMicros(created)
		tenants = append(tenants, t)
		return nil
	})
	return tenants, err
}

// TenantKeys implements vault.Registry.
func (v *View) TenantKeys(ctx context.Context, tenant string) ([]vault.TenantKey, error) {
	var keys []vault.TenantKey
	err := v.each(ctx, "keys of a tenant", sqlTenantKeys, func(rows pgx.Rows) error {
		var k vault.TenantKey
		var created int64
		if err := scan(rows, &k.ID, &k.Purpose, &k.Version, &k.Wrapped.Bytes, &k.Wrapped.Version, &k.Public, &k.Handover, &created); err != nil {
			return err
		}
		k.CreatedAt = fromMicros(created)
		keys = append(keys, k)
		return nil
	}, tenant)
	return keys, err
}

// Expired implements vault.Registry. Mappings that were erased come first, then
// expired ones; once there are none, what stood only for them: tombstones of
// keys that seal nothing, other keys that seal nothing, and scopes past their
// end, each with all of its keys.
func (v *View) Expired(ctx context.Context, tenant string, limit int) (vault.Sweep, error) {
	if limit <= 0 {
		return vault.Sweep{}, fmt.Errorf("%w: a sweep without a limit", ErrMalformed)
	}
	var s vault.Sweep
	if err := v.each(ctx, "erased mappings", sqlErasedMappings, func(rows pgx.Rows) error {
		var m vault.MappingRef
		err := scan(rows, &m.ScopeID, &m.TokenID)
		s.Mappings = append(s.Mappings, m)
		return err
	}, tenant, int64(limit)); err != nil || len(s.Mappings) > 0 {
		return s, err
	}
	if err := v.expiredMappings(ctx, tenant, limit, &s); err != nil || len(s.Mappings) > 0 {
		return s, err
	}
	if err := v.each(ctx, "swept tombstones", sqlSweptTombstones, collect(&s.Tombstones), tenant, int64(limit)); err != nil {
		return vault.Sweep{}, err
	}
	if err := v.each(ctx, "ended scopes", sqlEndedScopes, collect(&s.Scopes), tenant, v.now(), int64(limit)); err != nil {
		return vault.Sweep{}, err
	}
	if err := v.each(ctx, "keys of scopes", sqlKeysOfScopes, collect(&s.Keys), tenant, list(s.Scopes)); err != nil {
		return vault.Sweep{}, err
	}
	if err := v.each(ctx, "idle keys", sqlIdleKeys, collect(&s.Keys), tenant, int64(limit)); err != nil {
		return vault.Sweep{}, err
	}
	slices.Sort(s.Keys)
	s.Keys = slices.Compact(s.Keys)
	return s, nil
}

// expiredMappings looks for what no hold keeps, in one window after the other:
// where a hold keeps very much, one statement would run out of time.
func (v *View) expiredMappings(ctx context.Context, tenant string, limit int, s *vault.Sweep) error {
	window := int64(cmp.Or(v.hooks.window, sweepWindow))
	for at, past := int64(0), int64(0); ; {
		var last, ties, looked int64
		err := v.each(ctx, "expired mappings", sqlExpiredMappings, func(rows pgx.Rows) error {
			var m vault.MappingRef
			var end [3]int64
			err := scan(rows, &m.ScopeID, &m.TokenID, &end[0], &end[1], &end[2])
			if m.TokenID == "" {
				last, ties, looked = end[0], end[1], end[2]
			} else {
				s.Mappings = append(s.Mappings, m)
			}
			return err
		}, tenant, v.now(), int64(limit), at, past, window)
		if err != nil || looked < window || len(s.Mappings) > 0 {
			return err
		}
		if last == at {
			past += ties
		} else {
			at, past = last, ties
		}
	}
}

// StaleKeys implements vault.Registry.
func (v *View) StaleKeys(ctx context.Context, tenant string, below, limit int) ([]vault.StaleKey, error) {
	var keys []vault.StaleKey
	for _, text := range []string{sqlStaleTenantKeys, sqlStaleDataKeys} {
		err := v.each(ctx, "stale keys", text, func(rows pgx.Rows) error {
			var k vault.StaleKey
			err := scan(rows, &k.ID, &k.Wrapped.Bytes, &k.Wrapped.Version)
			keys = append(keys, k)
			return err
		}, tenant, int64(below), int64(limit-len(keys)))
		if err != nil || len(keys) >= limit {
			return keys, err
		}
	}
	return keys, nil
}

func collect(into *[]string) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var id string
		err := scan(rows, &id)
		*into = append(*into, id)
		return err
	}
}
