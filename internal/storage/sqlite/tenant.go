package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// What was closed stays closed.
	sqlSetState = `
UPDATE log_heads SET state = ?2 WHERE tenant = ?1 AND state <> ?2 AND state <> 'closed'`
	sqlRaiseWrap = `
UPDATE log_heads SET min_wrap_version = ?2 WHERE tenant = ?1 AND min_wrap_version < ?2`
	sqlRewrapDataKey = `
UPDATE data_keys SET wrapped = ?4, wrap_version = ?5 WHERE tenant = ?1 AND key_id = ?2 AND wrap_version = ?3`
	sqlRewrapTenantKey = `
UPDATE tenant_keys SET wrapped = ?4, wrap_version = ?5 WHERE tenant = ?1 AND key_id = ?2 AND wrap_version = ?3`
)

// setTenant suspends, resumes or closes the tenant. It commits alone, so no
// change after it in the queue meets the state before it.
func (b *batch) setTenant(s vault.SetTenant) error {
	same := fmt.Errorf("sqlite: the tenant is in that state, or closed: %w", vault.ErrConflict)
	return b.mustChange(same, sqlSetState, b.tenant, string(s.State))
}

func (b *batch) raiseWrapMinimum(r vault.RaiseWrapMinimum) error {
	lower := fmt.Errorf("sqlite: the minimum is as high: %w", vault.ErrConflict)
	return b.mustChange(lower, sqlRaiseWrap, b.tenant, r.Version)
}

// rewrap replaces how keys are wrapped, data keys and tenant keys alike: ids
// are random, so an id is one of them only.
func (b *batch) rewrap(r vault.Rewrap) error {
	changed := fmt.Errorf("sqlite: a key is not as it was read: %w", vault.ErrConflict)
	for _, k := range r.Keys {
		if !storable(k.ID) {
			return changed
		}
		if err := b.writable(k.Wrapped.Version); err != nil {
			return err
		}
		n, err := b.exec(sqlRewrapDataKey, b.tenant, k.ID, k.From, k.Wrapped.Bytes, k.Wrapped.Version)
		if err != nil {
			return err
		}
		if n == 1 {
			continue
		}
		if err := b.mustChange(changed, sqlRewrapTenantKey, b.tenant, k.ID, k.From, k.Wrapped.Bytes, k.Wrapped.Version); err != nil {
			return err
		}
	}
	return nil
}

// writable refuses a key that an older version of the wrapping key wrapped:
// that version may be destroyed as soon as no stored key needs it.
func (b *batch) writable(version int) error {
	if version < b.minWrap {
		return fmt.Errorf("sqlite: %w", vault.ErrWrapVersion)
	}
	return nil
}
