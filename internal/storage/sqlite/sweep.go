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
UPDATE tombstones SET swept_at = MAX(?3, erased_at)
WHERE tenant = ?1 AND key_id = ?2 AND swept_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = ?1 AND m.key_id = ?2)`
	// idle tells whether the key k seals nothing: no value, no name of a scope or
	// of a person, no note.
	idle = `NOT EXISTS (SELECT 1 FROM mappings AS m WHERE m.tenant = ?1 AND m.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM scopes AS s WHERE s.tenant = ?1 AND s.name_key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = ?1 AND p.key_id = k.key_id)
    AND NOT EXISTS (SELECT 1 FROM subject_request_notes AS n WHERE n.tenant = ?1 AND n.key_id = k.key_id)`
	sqlMarkIdle = `
UPDATE data_keys AS k SET idle_at = ?3
WHERE k.tenant = ?1 AND k.key_id = ?2 AND k.idle_at IS NULL
    AND ` + idle
	sqlSweepKey = `
DELETE FROM data_keys AS k
WHERE k.tenant = ?1 AND k.key_id = ?2
    AND ` + idle
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
	for _, ids := range [][]string{s.Tombstones, s.Keys, s.Scopes, s.Requests, s.Subjects} {
		if !storable(ids...) {
			return changed
		}
	}
	if err := b.suppressSwept(s.Mappings); err != nil {
		return err
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
	if err := b.sweepRecords(s, changed); err != nil {
		return err
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
