package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// What a key sealed that went with it is in the index, and only it is read.
	sqlTombstones = `
SELECT z.key_id, z.erasure_id, z.erased_at, z.wrap_version, z.rekeyed, z.swept_at IS NOT NULL,
    IIF(z.rekeyed, (SELECT json_group_array(json_array(m.scope_id, m.token_id))
        FROM mappings AS m INDEXED BY mappings_key WHERE m.tenant = ?1 AND m.key_id = z.key_id), '[]')
FROM tombstones AS z INDEXED BY tombstones_age
WHERE z.tenant = ?1 AND (z.erased_at, z.key_id) > (?2, ?3)
ORDER BY z.erased_at, z.key_id LIMIT ?4`
	sqlSealedUnder = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    m.expires_at <= MAX(?3, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)),
    1,
    (SELECT json_group_array(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = m.tenant AND l.scope_id = m.scope_id AND l.token_id = m.token_id),
    CASE WHEN m.state = 'retired'
        OR m.expires_at <= MAX(?3, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    THEN ` + held + ` ELSE 0 END,
    m.scope_id
FROM json_each(?2) AS j CROSS JOIN data_keys AS k CROSS JOIN mappings AS m INDEXED BY mappings_key
WHERE k.tenant = ?1 AND k.key_id = j.value AND m.tenant = ?1 AND m.key_id = k.key_id
LIMIT ?4`
	sqlNamesSealedUnder = `
SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    s.name_key_id, s.idle_ttl, s.created_at, s.ends_at, s.digest
FROM json_each(?2) AS j CROSS JOIN data_keys AS k CROSS JOIN scopes AS s INDEXED BY scopes_name_key
WHERE k.tenant = ?1 AND k.key_id = j.value AND s.tenant = ?1 AND s.name_key_id = k.key_id
LIMIT ?3`
)

// Tombstones implements vault.Remains.
func (v *View) Tombstones(ctx context.Context, tenant string, q vault.TombstoneQuery) ([]vault.Tombstone, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageTombstones
	}
	var since int64
	if !q.Since.IsZero() {
		since = ceilMicros(q.Since)
	}
	var found []vault.Tombstone
	err := v.each(ctx, "tombstones", sqlTombstones, func(rows *sql.Rows) error {
		var z vault.Tombstone
		var at int64
		var tokens string
		if err := rows.Scan(&z.KeyID, &z.ErasureID, &at, &z.WrapVersion, &z.Rekeyed, &z.Swept, &tokens); err != nil {
			return err
		}
		z.At = fromMicros(at)
		var err error
		z.Tokens, err = decodeRefs(tokens)
		found = append(found, z)
		return err
	}, tenant, since, q.After, limit)
	return found, err
}

// decodeRefs reads pairs of a scope and a token.
func decodeRefs(text string) ([]vault.MappingRef, error) {
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("sqlite: a list of tokens: %w", err)
	}
	var refs []vault.MappingRef
	for _, p := range pairs {
		refs = append(refs, vault.MappingRef{ScopeID: p[0], TokenID: p[1]})
	}
	slices.SortFunc(refs, func(a, b vault.MappingRef) int {
		return cmp.Or(strings.Compare(a.ScopeID, b.ScopeID), strings.Compare(a.TokenID, b.TokenID))
	})
	return refs, nil
}

// SealedUnder implements vault.Remains. All of it is read from one commit.
func (v *View) SealedUnder(ctx context.Context, tenant string, keys []string, limit int) (vault.SealedUnder, error) {
	var sealed vault.SealedUnder
	value := func(rows *sql.Rows) error {
		var scope string
		m, err := scanMapping(rows, &scope)
		m.ScopeID = scope
		sealed.Mappings = append(sealed.Mappings, m)
		return err
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(keys)))
	err := v.snapshot(ctx, "what keys seal", func(each eachRow) error {
		// One more than may be tells that there are too many.
		if err := each(sqlSealedUnder, value, tenant, list(distinct), v.now(), limit+1); err != nil {
			return err
		}
		room := limit - len(sealed.Mappings)
		if room < 0 {
			return vault.ErrTooMany
		}
		if err := each(sqlNamesSealedUnder, namedScopeRow(&sealed.Names), tenant, list(distinct), room+1); err != nil {
			return err
		}
		if len(sealed.Names) > room {
			return vault.ErrTooMany
		}
		return nil
	})
	if err != nil {
		return vault.SealedUnder{}, err
	}
	return sealed, nil
}
