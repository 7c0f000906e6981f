package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// Links to subjects go with the mapping (ON DELETE CASCADE). What a hold
	// keeps is judged here, where it would be destroyed; of what was erased there
	// is nothing to keep.
	sqlSweepMapping = `
DELETE FROM mappings AS m
WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id = ?3 AND (m.expires_at <= ?4
    AND NOT ` + held + `
    OR ` + erased + `)
RETURNING key_id`
	sqlSweepTombstone = `
UPDATE tombstones SET swept_at = ?3
WHERE tenant = ?1 AND key_id = ?2 AND swept_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = ?1 AND m.key_id = ?2)`
	// What a key seals may be a value, the name of a scope or an identifier.
	sqlMarkIdle = `
UPDATE data_keys SET idle_at = ?3
WHERE tenant = ?1 AND key_id = ?2 AND idle_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = ?1 AND m.key_id = ?2)
    AND NOT EXISTS (SELECT 1 FROM scopes AS s WHERE s.tenant = ?1 AND s.name_key_id = ?2)
    AND NOT EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = ?1 AND p.key_id = ?2)`
	sqlSweepKey = `
DELETE FROM data_keys
WHERE tenant = ?1 AND key_id = ?2
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = ?1 AND m.key_id = ?2)
    AND NOT EXISTS (SELECT 1 FROM scopes AS s WHERE s.tenant = ?1 AND s.name_key_id = ?2)
    AND NOT EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = ?1 AND p.key_id = ?2)`
	// The name goes first: until then its key seals something.
	sqlForgetScope = `
UPDATE scopes SET sealed_name = NULL, name_key_id = NULL
WHERE tenant = ?1 AND scope_id = ?2 AND ends_at <= ?3
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = ?1 AND m.scope_id = ?2)`
	sqlSweepScope = `
DELETE FROM scopes
WHERE tenant = ?1 AND scope_id = ?2
    AND NOT EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = ?1 AND k.scope_id = ?2)`
)

// sweep destroys what it names, if every bit of it may still be destroyed.
func (b *batch) sweep(s vault.Sweep) error {
	changed := fmt.Errorf("sqlite: not all of it may be destroyed: %w", vault.ErrConflict)
	for _, m := range s.Mappings {
		if !storable(m.ScopeID, m.TokenID) {
			return changed
		}
	}
	if !storable(s.Tombstones...) || !storable(s.Keys...) || !storable(s.Scopes...) {
		return changed
	}
	emptied, err := b.sweepMappings(s.Mappings, changed)
	if err != nil {
		return err
	}
	for _, id := range s.Tombstones {
		if err := b.mustChange(changed, sqlSweepTombstone, b.tenant, id, b.now); err != nil {
			return err
		}
	}
	for _, id := range s.Scopes {
		if err := b.mustChange(changed, sqlForgetScope, b.tenant, id, b.now); err != nil {
			return err
		}
	}
	for _, id := range s.Keys {
		if err := b.mustChange(changed, sqlSweepKey, b.tenant, id); err != nil {
			return err
		}
	}
	for _, id := range s.Scopes {
		if err := b.mustChange(changed, sqlSweepScope, b.tenant, id); err != nil {
			return err
		}
	}
	for _, id := range emptied {
		if _, err := b.exec(sqlMarkIdle, b.tenant, id, b.now); err != nil {
			return err
		}
	}
	return nil
}

// sweepMappings returns the keys of what it destroyed, each once.
func (b *batch) sweepMappings(refs []vault.MappingRef, changed error) (keys []string, err error) {
	seen := make(map[string]bool)
	for _, m := range refs {
		var key string
		found, err := b.row([]any{&key}, sqlSweepMapping, b.tenant, m.ScopeID, m.TokenID, b.now)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, changed
		}
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys, nil
}
