package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// No row where the version does not follow the newest one that stands.
const sqlRotateLogKey = `
INSERT INTO tenant_keys (tenant, key_id, purpose, version, wrapped, wrap_version, public, handover, created_at)
SELECT ?1, ?2, 'log', ?3, ?4, ?5, ?6, ?7, ?8
WHERE ?3 = 1 + (SELECT MAX(k.version) FROM tenant_keys AS k WHERE k.tenant = ?1 AND k.purpose = 'log')`

// rotateLogKey inserts the next signing key. It commits alone: the entry that says so
// is the last that the key before it may sign for.
func (b *batch) rotateLogKey(k vault.TenantKey) error {
	if k.Purpose != vault.PurposeLog || k.Public == "" || k.Handover == "" || !storable(k.ID, k.Public, k.Handover) {
		return fmt.Errorf("%w: a key of the log", ErrMalformed)
	}
	if err := b.writable(k.Wrapped.Version); err != nil {
		return err
	}
	another := fmt.Errorf("sqlite: the version of the key does not follow: %w", vault.ErrConflict)
	return b.mustChange(another, sqlRotateLogKey, b.tenant, k.ID, k.Version, k.Wrapped.Bytes, k.Wrapped.Version,
		k.Public, k.Handover, b.now)
}
