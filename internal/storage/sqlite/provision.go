package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlInsertTenant = `
INSERT INTO tenants (tenant, created_at) VALUES (?1, ?2) ON CONFLICT (tenant) DO NOTHING`
	sqlInsertTenantKey = `
INSERT INTO tenant_keys (tenant, key_id, purpose, version, wrapped, wrap_version, public, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`
)

// provision makes a tenant with its keys. Its log is made by the first entry.
func (b *batch) provision(p vault.Provision) error {
	taken := fmt.Errorf("sqlite: the tenant exists: %w", vault.ErrConflict)
	if err := b.mustChange(taken, sqlInsertTenant, b.tenant, b.now); err != nil {
		return err
	}
	for _, k := range p.Keys {
		if !storable(k.ID, k.Public) {
			return fmt.Errorf("%w: a key of the tenant", ErrMalformed)
		}
		if _, err := b.exec(sqlInsertTenantKey, b.tenant, k.ID, string(k.Purpose), k.Version,
			k.Wrapped.Bytes, k.Wrapped.Version, k.Public, b.now); err != nil {
			return err
		}
	}
	return nil
}
