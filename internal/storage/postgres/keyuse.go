package postgres

import (
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
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
	seals  int64
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
		return fmt.Errorf("postgres: the key of the scope's name: %w", vault.ErrKeyDestroyed)
	}
	k.use(s.NameKeyID)
	return nil
}

// person uses the key that seals the name of a subject that is being made. It
// is a fresh one of that subject, or there is no name.
func (k *keyUses) person(s vault.Subject) error {
	nameless := s.NameKeyID == "" && len(s.SealedName) == 0
	sealed := named(s.NameKeyID) && len(s.SealedName) > 0 && len(s.SealedName) <= maxWrapped
	switch {
	case nameless:
		return nil
	case !sealed:
		return fmt.Errorf("%w: the name of a subject", ErrMalformed)
	case k.fresh[s.NameKeyID].SubjectRef != s.Ref:
		return fmt.Errorf("postgres: the key of the subject's name: %w", vault.ErrKeyDestroyed)
	}
	k.use(s.NameKeyID)
	return nil
}

// value uses the key that seals a new value.
func (k *keyUses) value(m *vault.NewMapping) {
	u := k.use(m.Mapping.KeyID)
	u.seals++
	u.owners = append(u.owners, m.SubjectRefs)
}

// useKeys checks that every used key stands and has room, makes the fresh ones
// and counts.
func (b *batch) useKeys(k *keyUses) error {
	for _, id := range k.order {
		u := k.uses[id]
		key, err := b.usedKey(k, id)
		if err != nil {
			return err
		}
		if err := k.owned(key, u); err != nil && !b.hooks.skips(guardKeyOwner) {
			return err
		}
		if key.scopeID != "" && key.sealed+u.seals > vault.MaxSealsPerKey && !b.hooks.skips(guardKeyRoom) {
			return fmt.Errorf("postgres: key %s is full: %w", id, vault.ErrKeyDestroyed)
		}
		set(b.image, &key.sealed, key.sealed+u.seals)
		set(b.image, &key.seals, key.seals+u.seals)
		b.image.count(key)
	}
	return nil
}

// usedKey is a key of the image, or a fresh one that is put into it.
func (b *batch) usedKey(k *keyUses, id string) (*keyRow, error) {
	standing := b.image.keys[id]
	fresh, isFresh := k.fresh[id]
	switch {
	case !isFresh && standing == nil && !b.hooks.skips(guardKeyThere):
		return nil, fmt.Errorf("postgres: key %s: %w", id, vault.ErrKeyDestroyed)
	case !isFresh && standing == nil:
		return &keyRow{id: id, scopeID: k.scopeID, counted: true}, nil
	case !isFresh:
		return standing, nil
	case standing != nil, !named(id), !wrappable(fresh.Wrapped), (fresh.ScopeID == "") == (fresh.SubjectRef == ""),
		len(fresh.SubjectRef) > maxID:
		return nil, fmt.Errorf("%w: a fresh key", ErrMalformed)
	}
	if err := b.insertable(id, fresh.Wrapped.Version); err != nil {
		return nil, err
	}
	key := &keyRow{id: id, scopeID: fresh.ScopeID, subjectRef: fresh.SubjectRef, fresh: true, wrapped: fresh.Wrapped}
	put(b.image, b.image.keys, id, key)
	return key, nil
}

// owned refuses a value under a key of somebody else: erasing the owner would
// destroy it, and erasing the person it is about would not.
func (k *keyUses) owned(key *keyRow, u *keyUse) error {
	if key.subjectRef == "" {
		if key.scopeID != k.scopeID {
			return fmt.Errorf("%w: a key of another scope", ErrMalformed)
		}
		return nil
	}
	for _, refs := range u.owners {
		if !slices.Contains(refs, key.subjectRef) {
			return fmt.Errorf("%w: a key of another subject", ErrMalformed)
		}
	}
	return nil
}
