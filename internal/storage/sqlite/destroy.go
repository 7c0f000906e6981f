package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// The indexes are named because SQLite would rather walk all rows of the
// tenant, to change each as it finds it.
const (
	// Looked at from the holds: where none stands, it does not matter how much
	// the key seals.
	sqlDestroyKey = `
DELETE FROM data_keys
WHERE tenant = ?1 AND key_id = ?2 AND NOT EXISTS (
    SELECT 1 FROM holds AS g INDEXED BY holds_standing CROSS JOIN mappings AS m INDEXED BY mappings_key
    WHERE g.tenant = ?1 AND g.released_at IS NULL AND m.tenant = ?1 AND m.key_id = ?2
        AND ` + fits + `)`
	sqlDestroySealed = `
DELETE FROM mappings INDEXED BY mappings_key WHERE tenant = ?1 AND key_id = ?2`
	sqlDestroyName = `
UPDATE scopes INDEXED BY scopes_name_key SET sealed_name = NULL, name_key_id = NULL
WHERE tenant = ?1 AND name_key_id = ?2`
	sqlDestroyIdentifier = `
UPDATE subjects INDEXED BY subjects_key SET sealed_identifier = NULL, key_id = NULL
WHERE tenant = ?1 AND key_id = ?2`
	sqlDestroyNotes = `
DELETE FROM subject_request_notes INDEXED BY subject_request_notes_key WHERE tenant = ?1 AND key_id = ?2`
)

// destroyKeys destroys data keys and everything that they seal: values with
// their rows, the names of scopes and of people, and notes. A key that seals
// anything that is held, also what is past its time or replaced, stays.
func (b *batch) destroyKeys(d vault.DestroyKeys) error {
	gone := fmt.Errorf("sqlite: a key is not there: %w", vault.ErrConflict)
	for _, id := range d.Keys {
		if !storable(id) {
			return gone
		}
		if err := b.destroyKey(id, gone); err != nil {
			return err
		}
		for _, sealed := range []string{sqlDestroySealed, sqlDestroyName, sqlDestroyIdentifier, sqlDestroyNotes} {
			if _, err := b.exec(sealed, b.tenant, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// destroyKey destroys a key alone, or tells why it stays.
func (b *batch) destroyKey(id string, gone error) error {
	destroyed, err := b.exec(sqlDestroyKey, b.tenant, id)
	if err != nil || destroyed == 1 {
		return err
	}
	var scope, subject string
	var sealed int
	stands, err := b.row([]any{&scope, &subject, &sealed}, sqlDataKey, b.tenant, id)
	switch {
	case err != nil:
		return err
	case stands:
		return fmt.Errorf("sqlite: a key seals what is held: %w", vault.ErrHeld)
	default:
		return gone
	}
}
