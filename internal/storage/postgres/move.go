package postgres

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// moveValues seals values anew, and destroys nothing. What an erasure checks of
// its survivors is checked of them.
func (b *batch) moveValues(p *pipeline, m vault.Move) error {
	e := &erasure{batch: b, Erase: vault.Erase{Fresh: m.Fresh, Reseal: m.Reseal, Names: m.Names}}
	var from distinct[string]
	for _, r := range m.Reseal {
		from.add(r.From)
	}
	for _, n := range m.Names {
		from.add(n.From)
	}
	e.Keys = from.items
	fresh, err := e.freshKeys()
	if err != nil {
		return err
	}
	changed := fmt.Errorf("postgres: something is not under the key that it was: %w", vault.ErrConflict)
	if !storable(e.Keys...) {
		return changed
	}
	for _, r := range m.Reseal {
		if !storable(r.ScopeID, r.TokenID) {
			return changed
		}
	}
	e.reseal(p, fresh, changed)
	e.checkOwners(p, fresh)
	p.exec(sqlMarkIdle, e.tenant, list(e.Keys), e.now)
	return nil
}
