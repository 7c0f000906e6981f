package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// writeFresh inserts the fresh keys with what each is to seal. One that seals
// nothing is not kept.
func (x *erasing) writeFresh() error {
	fresh, seals, used := make(map[string]vault.DataKey), make(map[string]int), make(map[string]bool)
	for _, k := range x.Fresh {
		if _, twice := fresh[k.ID]; twice || !storable(k.ID, k.ScopeID, k.SubjectRef) {
			return fmt.Errorf("%w: a fresh key", ErrMalformed)
		}
		fresh[k.ID] = k
	}
	for _, r := range x.Reseal {
		if to, known := fresh[r.To]; !known || to.SubjectRef == "" && to.ScopeID != r.ScopeID {
			return fmt.Errorf("%w: a survivor under a key that is not fresh, or of another scope", ErrMalformed)
		}
		seals[r.To]++
		used[r.To] = true
	}
	for _, n := range x.Names {
		if to, known := fresh[n.To]; !known || to.ScopeID != n.ScopeID {
			return fmt.Errorf("%w: a name under a key that is not fresh, or of another scope", ErrMalformed)
		}
		used[n.To] = true
	}
	for _, k := range x.Fresh {
		switch n := seals[k.ID]; {
		case !used[k.ID]:
		case k.ScopeID != "" && n > vault.MaxSealsPerKey:
			return fmt.Errorf("%w: too much under a key of a scope", ErrMalformed)
		default:
			if err := x.writeKey(k.ID, k, n, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// move seals survivors and names anew. What is left under the keys then must be
// what goes: one more came in between, or was left out.
func (x *erasing) move() error {
	if err := x.sealAnew(); err != nil {
		return err
	}
	keys := encode(x.Keys)
	var more, named bool
	if _, err := x.row([]any{&more}, sqlMoreSealed, x.tenant, keys, x.fates.goes); err != nil {
		return err
	}
	if _, err := x.row([]any{&named}, sqlMoreNamed, x.tenant, keys); err != nil {
		return err
	}
	if more || named {
		return x.moved()
	}
	return nil
}

// moveValues seals values anew, and destroys nothing. Without a subject nothing
// goes, so that any value may be moved.
func (b *batch) moveValues(m vault.Move) error {
	x := &erasing{batch: b, Erase: vault.Erase{Fresh: m.Fresh, Reseal: m.Reseal, Names: m.Names}}
	for _, step := range []func() error{x.writeFresh, x.sealAnew, x.owned} {
		if err := step(); err != nil {
			return err
		}
	}
	for from := range x.rekeyed() {
		if _, err := b.exec(sqlMarkIdle, b.tenant, from, b.now); err != nil {
			return err
		}
	}
	return nil
}

// sealAnew puts survivors and names under their fresh keys.
func (x *erasing) sealAnew() error {
	for _, r := range x.Reseal {
		if !storable(r.ScopeID, r.TokenID) {
			return x.moved()
		}
		if err := x.mustChange(x.moved(), sqlMoveSurvivor, x.tenant, x.Erasure.SubjectRef, x.until,
			r.ScopeID, r.TokenID, r.From, r.To, r.Sealed); err != nil {
			return err
		}
	}
	for _, n := range x.Names {
		if err := x.mustChange(x.moved(), sqlMoveName, x.tenant, n.ScopeID, n.From, n.To, n.Sealed); err != nil {
			return err
		}
	}
	return nil
}

// release restricts what a hold keeps of the subject alone, and gives what is
// about others too to them alone. After it every survivor has to be under a key
// of its own.
func (x *erasing) release() error {
	ref := x.Erasure.SubjectRef
	if x.fates.held > 0 {
		if _, err := x.exec(sqlRestrictHeld, x.tenant, ref, x.until); err != nil {
			return err
		}
	}
	if x.fates.shared > 0 {
		if _, err := x.exec(sqlUntieShared, x.tenant, ref, x.until); err != nil {
			return err
		}
	}
	return x.owned()
}

// owned refuses a survivor under a key of somebody whom it is not about.
func (x *erasing) owned() error {
	for _, k := range x.Fresh {
		if k.SubjectRef == "" {
			continue
		}
		var one int
		foreign, err := x.row([]any{&one}, sqlSealedForeign, x.tenant, k.ID, k.SubjectRef)
		if err != nil {
			return err
		}
		if foreign {
			return fmt.Errorf("%w: a survivor under a key of another subject", ErrMalformed)
		}
	}
	return nil
}
