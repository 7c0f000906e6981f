package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// ?7 and ?8 say whether the reason reaches restricted data, and what is over:
// past its time or replaced. Of the latter it reaches what a hold keeps.
const sqlRestorable = `
SELECT 1 FROM mappings AS m
WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id = ?3 AND m.key_id = ?4 AND m.entity = ?5
    AND (m.state <> 'restricted' OR ?7)
    AND (m.state <> 'retired' AND m.expires_at > ?6 OR ?8 AND ` + held + `)
    AND EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = m.tenant AND k.key_id = m.key_id)`

// restore checks that everything is as the caller read it. It writes what is
// spent of budgets and drawn of grants and, by the change that it is part of, the
// entry.
func (b *batch) restore(r vault.Restore) error {
	for _, ref := range r.Refs {
		changed := fmt.Errorf("sqlite: a mapping is not as it was read: %w", vault.ErrConflict)
		if !storable(ref.ScopeID, ref.TokenID, ref.KeyID, ref.Entity) {
			return changed
		}
		var one int
		found, err := b.row([]any{&one}, sqlRestorable, b.tenant, ref.ScopeID, ref.TokenID, ref.KeyID, ref.Entity,
			b.now, ref.Restricted, ref.Expired)
		if err != nil {
			return err
		}
		if !found {
			return changed
		}
	}
	for _, n := range r.Names {
		if err := b.restoreName(n); err != nil {
			return err
		}
	}
	if err := b.admitted(r); err != nil {
		return err
	}
	if err := b.spend(r.Spends); err != nil {
		return err
	}
	return b.draw(r.Draw)
}
