package postgres

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// Links to subjects and sources go with the mapping (ON DELETE CASCADE). Of
	// what was erased there is nothing left for a hold to keep.
	sqlSweepMappings = `
DELETE FROM mappings AS m USING unnest($2::text[], $3::text[]) AS r (scope_id, token_id)
WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id
    AND (m.expires_at <= $4 AND ` + held + ` IS NULL
        OR (SELECT t.key_id FROM tombstones AS t WHERE t.tenant = $1 AND t.key_id = m.key_id LIMIT 1) IS NOT NULL)
RETURNING m.key_id`
	// What a key seals may be a value, the name of a scope or of a subject, or a note.
	sqlMarkIdle = `
UPDATE data_keys AS k SET idle_at = $3
WHERE k.tenant = $1 AND k.key_id = ANY ($2::text[]) AND k.idle_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM scopes AS s WHERE s.tenant = $1 AND s.name_key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = $1 AND p.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subject_request_notes AS n WHERE n.tenant = $1 AND n.key_id = k.key_id)`
	sqlSweepKeys = `
DELETE FROM data_keys AS k
WHERE k.tenant = $1 AND k.key_id = ANY ($2::text[])
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM scopes AS s WHERE s.tenant = $1 AND s.name_key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = $1 AND p.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subject_request_notes AS n WHERE n.tenant = $1 AND n.key_id = k.key_id)`
	// The name goes first: until then its key seals something.
	sqlForgetScopes = `
UPDATE scopes AS s SET sealed_name = NULL, name_key_id = NULL
WHERE s.tenant = $1 AND s.scope_id = ANY ($2::text[]) AND s.ends_at <= $3
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = $1 AND m.scope_id = s.scope_id)`
	sqlSweepScopes = `
DELETE FROM scopes AS s
WHERE s.tenant = $1 AND s.scope_id = ANY ($2::text[])
    AND NOT EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = $1 AND k.scope_id = s.scope_id)`
	sqlSweepTombstones = `
UPDATE tombstones AS t SET swept_at = GREATEST($3, t.erased_at)
WHERE t.tenant = $1 AND t.key_id = ANY ($2::text[]) AND t.swept_at IS NULL
    AND (SELECT m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = t.key_id LIMIT 1) IS NULL`
)

// sweep destroys what it names, if every bit of it may still be destroyed. The
// conditions are in the deleting statements. It takes a round trip of its own,
// since which keys seal nothing any more is known only after it.
func (b *batch) sweep(p *pipeline, s vault.Sweep) error {
	changed := fmt.Errorf("postgres: not all of it may be destroyed: %w", vault.ErrConflict)
	for _, m := range s.Mappings {
		if !storable(m.ScopeID, m.TokenID) {
			return changed
		}
	}
	if !storable(s.Keys...) || !storable(s.Scopes...) || !storable(s.Tombstones...) || !storable(s.Requests...) || !storable(s.Subjects...) {
		return changed
	}
	var emptied, gone distinct[string]
	deletes := b.pipeline()
	if len(s.Mappings) > 0 {
		deletes.exec(sqlSuppress, b.tenant,
			column(s.Mappings, func(m vault.MappingRef) string { return m.ScopeID }),
			column(s.Mappings, func(m vault.MappingRef) string { return m.TokenID }), b.now)
		deletes.add(step{text: sqlSweepMappings, row: ids(&emptied), count: func(n int64) error {
			if n != int64(len(s.Mappings)) {
				return changed
			}
			return nil
		}}, []any{
			b.tenant,
			column(s.Mappings, func(m vault.MappingRef) string { return m.ScopeID }),
			column(s.Mappings, func(m vault.MappingRef) string { return m.TokenID }),
			b.now,
		})
	}
	if len(s.Tombstones) > 0 {
		deletes.change(len(s.Tombstones), changed, sqlSweepTombstones, b.tenant, s.Tombstones, b.now)
	}
	if len(s.Scopes) > 0 {
		deletes.change(len(s.Scopes), changed, sqlForgetScopes, b.tenant, s.Scopes, b.now)
	}
	if len(s.Keys) > 0 {
		deletes.change(len(s.Keys), changed, sqlSweepKeys, b.tenant, s.Keys)
	}
	if len(s.Scopes) > 0 {
		deletes.change(len(s.Scopes), changed, sqlSweepScopes, b.tenant, s.Scopes)
	}
	b.sweepRecords(deletes, s, changed, &gone)
	if err := b.run(deletes, 0); err != nil {
		return err
	}
	b.tellGone(p, gone.items)
	if len(emptied.items) > 0 {
		p.exec(sqlMarkIdle, b.tenant, emptied.items, b.now)
	}
	return nil
}
