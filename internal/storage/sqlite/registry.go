package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlTenants = `
SELECT t.tenant, t.created_at, h.state, h.min_wrap_version
FROM tenants AS t JOIN log_heads AS h ON h.tenant = t.tenant ORDER BY t.tenant`
	sqlTenantKeys = `
SELECT k.key_id, k.purpose, k.version, k.wrapped, k.wrap_version, k.public, k.handover, k.created_at
FROM tenant_keys AS k WHERE k.tenant = ?1 ORDER BY k.version DESC, k.purpose`
	sqlErasedMappings = `
SELECT m.scope_id, m.token_id
FROM tombstones AS z INDEXED BY tombstones_unswept CROSS JOIN mappings AS m INDEXED BY mappings_key
WHERE z.tenant = ?1 AND z.swept_at IS NULL AND m.tenant = ?1 AND m.key_id = z.key_id LIMIT ?2`
	sqlDoneTombstones = `
SELECT z.key_id FROM tombstones AS z INDEXED BY tombstones_unswept
WHERE z.tenant = ?1 AND z.swept_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM mappings AS m INDEXED BY mappings_key WHERE m.tenant = ?1 AND m.key_id = z.key_id) LIMIT ?2`
	sqlEndedScopes = `
SELECT s.scope_id FROM scopes AS s
WHERE s.tenant = ?1
    AND s.ends_at <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = s.tenant AND m.scope_id = s.scope_id)
ORDER BY s.ends_at LIMIT ?3`
	sqlKeysOfScopes = `
SELECT k.key_id FROM data_keys AS k
WHERE k.tenant = ?1 AND k.scope_id IN (SELECT j.value FROM json_each(?2) AS j)`
	sqlStaleTenantKeys = `
SELECT k.key_id, k.wrapped, k.wrap_version FROM tenant_keys AS k
WHERE k.tenant = ?1 AND k.wrap_version < ?2 LIMIT ?3`
	sqlStaleDataKeys = `
SELECT k.key_id, k.wrapped, k.wrap_version FROM data_keys AS k
WHERE k.tenant = ?1 AND k.wrap_version < ?2 ORDER BY k.wrap_version LIMIT ?3`
	sqlIdleKeys = `
SELECT k.key_id FROM data_keys AS k
WHERE k.tenant = ?1 AND k.idle_at IS NOT NULL
    AND ` + idle + `
ORDER BY k.idle_at LIMIT ?2`
)

// Tenants implements vault.Registry. A tenant has a head from the commit on
// that makes it.
func (v *View) Tenants(ctx context.Context) ([]vault.Tenant, error) {
	var tenants []vault.Tenant
	err := v.each(ctx, "tenants", sqlTenants, func(rows *sql.Rows) error {
		var t vault.Tenant
		var created int64
		if err := rows.Scan(&t.Name, &created, &t.State, &t.MinWrapVersion); err != nil {
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
	err := v.each(ctx, "keys of a tenant", sqlTenantKeys, func(rows *sql.Rows) error {
		var k vault.TenantKey
		var created int64
		if err := rows.Scan(&k.ID, &k.Purpose, &k.Version, &k.Wrapped.Bytes, &k.Wrapped.Version, &k.Public, &k.Handover, &created); err != nil {
			return err
		}
		k.CreatedAt = fromMicros(created)
		keys = append(keys, k)
		return nil
	}, tenant)
	return keys, err
}

// Expired implements vault.Registry. Mappings that were erased come first, then
// expired ones; once there are none, what stood only for them: tombstones, keys
// that seal nothing, and scopes past their end, each with all of its keys. What
// a hold keeps is passed over, unless it was erased.
func (v *View) Expired(ctx context.Context, tenant string, limit int) (vault.Sweep, error) {
	if limit <= 0 {
		return vault.Sweep{}, fmt.Errorf("%w: a sweep without a limit", ErrMalformed)
	}
	var s vault.Sweep
	err := v.each(ctx, "erased mappings", sqlErasedMappings, collectRefs(&s.Mappings), tenant, limit)
	if room := limit - len(s.Mappings); err == nil && room > 0 {
		var over []vault.MappingRef
		over, err = v.expired(ctx, tenant, room)
		s.Mappings = append(s.Mappings, over...)
	}
	if err != nil || len(s.Mappings) > 0 {
		return s, err
	}
	if err := v.each(ctx, "tombstones", sqlDoneTombstones, collect(&s.Tombstones), tenant, limit); err != nil {
		return vault.Sweep{}, err
	}
	if err := v.each(ctx, "ended scopes", sqlEndedScopes, collect(&s.Scopes), tenant, v.now(), limit); err != nil {
		return vault.Sweep{}, err
	}
	if err := v.each(ctx, "keys of scopes", sqlKeysOfScopes, collect(&s.Keys), tenant, list(s.Scopes)); err != nil {
		return vault.Sweep{}, err
	}
	if err := v.each(ctx, "idle keys", sqlIdleKeys, collect(&s.Keys), tenant, limit); err != nil {
		return vault.Sweep{}, err
	}
	slices.Sort(s.Keys)
	s.Keys = slices.Compact(s.Keys)
	return s, nil
}

// StaleKeys implements vault.Registry.
func (v *View) StaleKeys(ctx context.Context, tenant string, below, limit int) ([]vault.StaleKey, error) {
	var keys []vault.StaleKey
	for _, text := range []string{sqlStaleTenantKeys, sqlStaleDataKeys} {
		err := v.each(ctx, "stale keys", text, func(rows *sql.Rows) error {
			var k vault.StaleKey
			err := rows.Scan(&k.ID, &k.Wrapped.Bytes, &k.Wrapped.Version)
			keys = append(keys, k)
			return err
		}, tenant, below, limit-len(keys))
		if err != nil || len(keys) >= limit {
			return keys, err
		}
	}
	return keys, nil
}

func collect(into *[]string) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		*into = append(*into, id)
		return err
	}
}

// Ready implements vault.Registry: the write lock can be had.
func (s *Store) Ready(ctx context.Context) error {
	switch {
	case s.closed.Load():
		return vault.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("sqlite: ready: %w", ctx.Err())
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	x, err := s.writer.begin()
	if err != nil {
		return fmt.Errorf("sqlite: ready: %w: %w", vault.ErrUnavailable, err)
	}
	x.abandon()
	return nil
}
