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
	sqlTombstones = `
SELECT t.key_id, t.erasure_id, t.erased_at, t.wrap_version, t.rekeyed, t.swept_at IS NOT NULL, g.scope_ids, g.token_ids
FROM (
    SELECT t.key_id, t.erasure_id, t.erased_at, t.wrap_version, t.rekeyed, t.swept_at FROM tombstones AS t
    WHERE t.tenant = $1 AND (t.erased_at, t.key_id) > ($2, $3)
    ORDER BY t.erased_at, t.key_id LIMIT $4) AS t
LEFT JOIN LATERAL (
    SELECT array_agg(m.scope_id ORDER BY m.scope_id, m.token_id) AS scope_ids,
        array_agg(m.token_id ORDER BY m.scope_id, m.token_id) AS token_ids
    FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = t.key_id) AS g ON t.rekeyed AND t.swept_at IS NULL
ORDER BY t.erased_at, t.key_id`
	sqlSealedUnder = `
SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    e.expired, c.kept, true,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM unnest($2::text[]) AS r (key_id)
CROSS JOIN LATERAL (
    SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) AS k
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
        m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.key_id = k.key_id OFFSET 0) AS m` + judged + `
LIMIT $3`
)

// Tombstones implements vault.Remains.
func (v *View) Tombstones(ctx context.Context, tenant string, q vault.TombstoneQuery) ([]vault.Tombstone, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageTombstones
	}
	since := int64(0)
	if !q.Since.IsZero() {
		since = microsUp(q.Since)
	}
	var found []vault.Tombstone
	err := v.each(ctx, "tombstones", sqlTombstones, func(rows pgx.Rows) error {
		var t vault.Tombstone
		var at int64
		var scopeIDs, tokenIDs []string
		err := scan(rows, &t.KeyID, &t.ErasureID, &at, &t.WrapVersion, &t.Rekeyed, &t.Swept, &scopeIDs, &tokenIDs)
		t.At = fromMicros(at)
		for i, id := range scopeIDs {
			t.Tokens = append(t.Tokens, vault.MappingRef{ScopeID: id, TokenID: tokenIDs[i]})
		}
		found = append(found, t)
		return err
	}, tenant, since, q.After, int64(limit))
	return found, err
}

// SealedUnder implements vault.Remains. Both lists are of one moment.
func (v *View) SealedUnder(ctx context.Context, tenant string, keys []string, limit int) (vault.SealedUnder, error) {
	if !storable(tenant) {
		return vault.SealedUnder{}, nil
	}
	var found vault.SealedUnder
	err := v.moment(ctx, "what keys seal", tenant, func(run func(*pipeline) error) error {
		found = vault.SealedUnder{}
		p := &pipeline{hooks: v.hooks}
		p.each(sqlSealedUnder, collectMappings(&found.Mappings), tenant, list(keys), int64(limit)+1, v.now())
		p.each(sqlNamesUnder, collectScopes(&found.Names), tenant, list(keys), int64(limit)+1)
		return run(p)
	})
	switch {
	case err != nil:
		return vault.SealedUnder{}, err
	case len(found.Mappings)+len(found.Names) > limit:
		return vault.SealedUnder{}, fmt.Errorf("postgres: the keys seal more than %d values and names: %w", limit, vault.ErrTooMany)
	}
	sortMappings(found.Mappings)
	sortScopes(found.Names)
	return found, nil
}

func collectMappings(into *[]vault.Mapping) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var scopeID string
		m, err := scanMapping(rows, &scopeID)
		m.ScopeID = scopeID
		*into = append(*into, m)
		return err
	}
}

func collectScopes(into *[]vault.Scope) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var digest []byte
		s, err := scanScope(rows, &digest)
		copy(s.Digest[:], digest)
		*into = append(*into, s)
		return err
	}
}

func sortMappings(all []vault.Mapping) {
	slices.SortFunc(all, func(a, b vault.Mapping) int {
		return cmp.Or(cmp.Compare(a.ScopeID, b.ScopeID), cmp.Compare(a.TokenID, b.TokenID))
	})
}

func sortScopes(all []vault.Scope) {
	slices.SortFunc(all, func(a, b vault.Scope) int { return cmp.Compare(a.ID, b.ID) })
}
