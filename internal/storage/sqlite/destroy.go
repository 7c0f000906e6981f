package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// The indexes are named because SQLite would rather walk all rows of the
// tenant, to change each as it finds it.
const (
	sqlDestroyKey = `
DELETE FROM data_keys WHERE tenant = ?1 AND key_id = ?2`
	sqlDestroySealed = `
DELETE FROM mappings INDEXED BY mappings_key WHERE tenant = ?1 AND key_id = ?2`
	sqlDestroyName = `
UPDATE scopes INDEXED BY scopes_name_key SET sealed_name = NULL, name_key_id = NULL
WHERE tenant = ?1 AND name_key_id = ?2`
	sqlDestroyIdentifier = `
UPDATE subjects INDEXED BY subjects_key SET sealed_identifier = NULL, key_id = NULL
WHERE tenant = ?1 AND key_id = ?2`
)

// destroyKeys destroys data keys and everything that they seal: values with
// their rows, the names of scopes and identifiers of subjects.
func (b *batch) destroyKeys(d vault.DestroyKeys) error {
	gone := fmt.Errorf("sqlite: a key is not there: %w", vault.ErrConflict)
	for _, id := range d.Keys {
		if !storable(id) {
			return gone
		}
		if err := b.mustChange(gone, sqlDestroyKey, b.tenant, id); err != nil {
			return err
		}
		for _, sealed := range []string{sqlDestroySealed, sqlDestroyName, sqlDestroyIdentifier} {
			if _, err := b.exec(sealed, b.tenant, id); err != nil {
				return err
			}
		}
	}
	return nil
}
