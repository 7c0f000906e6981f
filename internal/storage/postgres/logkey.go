package postgres

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// No row where the version does not follow the newest one that stands.
const sqlRotateLogKey = `
INSERT INTO tenant_keys (tenant, key_id, purpose, version, wrapped, wrap_version, public, handover, created_at)
SELECT $1, $3, 'log', $4::bigint, $5, $6, $7, $8, $2
WHERE $4 = 1 + (SELECT max(k.version) FROM tenant_keys AS k WHERE k.tenant = $1 AND k.purpose = 'log')`

// rotateLogKey inserts the next signing key. It commits alone: the entry that says so
// is the last that the key before it may sign for.
func (b *batch) rotateLogKey(p *pipeline, k vault.TenantKey) error {
	if k.Purpose != vault.PurposeLog || k.Public == "" || k.Handover == "" || !named(k.ID) || !storable(k.Public, k.Handover) {
		return fmt.Errorf("%w: a key of the log", ErrMalformed)
	}
	if err := b.writable(k.Wrapped.Version); err != nil {
		return err
	}
	another := fmt.Errorf("postgres: the version of the key does not follow: %w", vault.ErrConflict)
	p.change(1, another, sqlRotateLogKey, b.tenant, b.now, k.ID, int64(k.Version), k.Wrapped.Bytes,
		int64(k.Wrapped.Version), k.Public, k.Handover)
	return nil
}
