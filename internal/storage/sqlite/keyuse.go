package sqlite

import (
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlDataKey = `
SELECT COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.sealed FROM data_keys AS k
WHERE k.tenant = ?1 AND k.key_id = ?2`
	// What an erasure destroyed does not come back.
	sqlInsertDataKey = `
INSERT INTO data_keys (tenant, key_id, scope_id, subject_ref, wrapped, wrap_version, sealed, created_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
WHERE NOT EXISTS (SELECT 1 FROM tombstones AS z WHERE z.tenant = ?1 AND z.key_id = ?2)`
	// A key that seals again is not idle any more.
	sqlCountSeals = `
UPDATE data_keys SET sealed = sealed + ?3, idle_at = NULL WHERE tenant = ?1 AND key_id = ?2`
)

// keyUses counts what a change seals under which key. Fresh keys that seal
// nothing are never written: nobody could tell later that they are of no use.
type keyUses struct {
	scopeID string
	fresh   map[string]vault.DataKey
	order   []string // of first use, so that the same change writes the same
	uses    map[string]*keyUse
}

type keyUse struct {
	seals  int
	owners [][]string // the subjects of each value under it
}

func newKeyUses(scope vault.Scope, fresh []vault.DataKey) (*keyUses, error) {
	k := &keyUses{
		scopeID: scope.ID, uses: make(map[string]*keyUse),
		fresh: make(map[string]vault.DataKey, len(fresh)),
	}
	for _, key := range fresh {
		if !storable(key.ID, key.ScopeID, key.SubjectRef) || k.fresh[key.ID].ID != "" {
			return nil, fmt.Errorf("%w: a fresh key", ErrMalformed)
		}
		k.fresh[key.ID] = key
	}
	return k, nil
}

func (k *keyUses) use(id string) *keyUse {
	u := k.uses[id]
	if u == nil {
		u = &keyUse{}
		k.uses[id] = u
		k.order = append(k.order, id)
	}
	return u
}

// name uses the key that seals the name of a scope that is being made. It is a
// fresh one of that scope, or there is no name.
func (k *keyUses) name(s vault.Scope) error {
	if s.NameKeyID == "" {
		return nil
	}
	if k.fresh[s.NameKeyID].ScopeID != s.ID {
		return fmt.Errorf("sqlite: the key of the scope's name: %w", vault.ErrKeyDestroyed)
	}
	k.use(s.NameKeyID)
	return nil
}

// person uses the key that seals the name of a subject that is being made: a
// fresh one of that subject, or there is no name.
func (k *keyUses) person(s vault.Subject) error {
	if s.NameKeyID == "" {
		return nil
	}
	if k.fresh[s.NameKeyID].SubjectRef != s.Ref {
		return fmt.Errorf("sqlite: the key of the subject's name: %w", vault.ErrKeyDestroyed)
	}
	k.use(s.NameKeyID)
	return nil
}

// seal uses the key that seals something about the owners.
func (k *keyUses) seal(id string, owners []string) {
	u := k.use(id)
	u.seals++
	u.owners = append(u.owners, owners)
}

// writeKeys checks that every used key stands and has room, inserts the fresh
// ones and counts.
func (b *batch) writeKeys(k *keyUses) error {
	for _, id := range k.order {
		u := k.uses[id]
		key, fresh := k.fresh[id]
		if !fresh {
			found, err := b.row([]any{&key.ScopeID, &key.SubjectRef, &key.Sealed}, sqlDataKey, b.tenant, id)
			if err != nil {
				return err
			}
			if !found {
				return fmt.Errorf("sqlite: key %s: %w", id, vault.ErrKeyDestroyed)
			}
		} else {
			key.Sealed = 0
		}
		if err := k.owned(key, u); err != nil {
			return err
		}
		if key.ScopeID != "" && key.Sealed+u.seals > vault.MaxSealsPerKey {
			return fmt.Errorf("sqlite: key %s is full: %w", id, vault.ErrKeyDestroyed)
		}
		if err := b.writeKey(id, key, u.seals, fresh); err != nil {
			return err
		}
	}
	return nil
}

// owned refuses a value under a key of somebody else: erasing the owner would
// destroy it, and erasing the person it is about would not.
func (k *keyUses) owned(key vault.DataKey, u *keyUse) error {
	if key.SubjectRef == "" {
		if key.ScopeID != k.scopeID {
			return fmt.Errorf("%w: a key of another scope", ErrMalformed)
		}
		return nil
	}
	for _, refs := range u.owners {
		if !slices.Contains(refs, key.SubjectRef) {
			return fmt.Errorf("%w: a key of another subject", ErrMalformed)
		}
	}
	return nil
}

func (b *batch) writeKey(id string, key vault.DataKey, seals int, fresh bool) error {
	if fresh {
		if err := b.writable(key.Wrapped.Version); err != nil {
			return err
		}
		destroyed := fmt.Errorf("sqlite: key %s was erased: %w", id, vault.ErrKeyDestroyed)
		return b.mustChange(destroyed, sqlInsertDataKey, b.tenant, id, optional(key.ScopeID), optional(key.SubjectRef),
			key.Wrapped.Bytes, key.Wrapped.Version, seals, b.now)
	}
	return b.mustChange(vault.ErrKeyDestroyed, sqlCountSeals, b.tenant, id, seals)
}
