package vault

import (
	"context"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// resealed is what stays of keys that are to be destroyed, under fresh ones.
type resealed struct {
	fresh  []DataKey
	values []Resealed
	names  []ResealedName

	open map[owner]*freshRoom
}

// freshRoom is a fresh key of an owner, and how many values more it may seal.
type freshRoom struct {
	id   string
	key  *envelope.DataKey
	room int
}

// reseal opens the survivors of a plan and seals them under fresh keys of those
// to whom they belong then: somebody else whom they are about, the subject where
// a hold keeps them or they are younger than the erasure, else their scope. The
// values are in memory for as long as it takes, and nowhere else.
func (s *Service) reseal(ctx context.Context, tenant, subjectRef string, plan ErasurePlan) (*resealed, error) {
	r := &resealed{open: make(map[owner]*freshRoom)}
	if len(plan.Survivors)+len(plan.Names) == 0 {
		return r, nil
	}
	keys, err := s.openPlanned(ctx, tenant, plan)
	if err != nil {
		return nil, err
	}
	for i := range plan.Survivors {
		m := &plan.Survivors[i]
		to, err := r.roomFor(ctx, s, tenant, ownerAfter(m, subjectRef))
		if err != nil {
			return nil, err
		}
		sealed, err := moved(keys[m.KeyID], to.key, bindingOf(tenant, *m), m.Sealed)
		if err != nil {
			return nil, err
		}
		r.values = append(r.values, Resealed{ScopeID: m.ScopeID, TokenID: m.TokenID, From: m.KeyID, To: to.id, Sealed: sealed})
	}
	for _, scope := range plan.Names {
		to, err := r.roomFor(ctx, s, tenant, owner{scopeID: scope.ID})
		if err != nil {
			return nil, err
		}
		binding := envelope.Binding{Purpose: sealScopeName, Tenant: tenant, Scope: scope.ID}
		sealed, err := moved(keys[scope.NameKeyID], to.key, binding, scope.SealedName)
		if err != nil {
			return nil, err
		}
		r.names = append(r.names, ResealedName{ScopeID: scope.ID, From: scope.NameKeyID, To: to.id, Sealed: sealed})
	}
	return r, nil
}

// ownerAfter is whom a survivor belongs to once the subject is erased.
func ownerAfter(m *Mapping, subjectRef string) owner {
	for _, ref := range m.SubjectRefs {
		if ref != subjectRef {
			return owner{subjectRef: ref}
		}
	}
	if len(m.SubjectRefs) > 0 {
		return owner{subjectRef: subjectRef}
	}
	return owner{scopeID: m.ScopeID}
}

// moved seals a value anew. One that does not open under its key was altered or
// moved before: it is carried along as it is and will not open later either,
// since nothing that somebody broke may stand in the way of an erasure.
func moved(from envelope.OpenedKey, to *envelope.DataKey, binding envelope.Binding, sealed []byte) ([]byte, error) {
	if from.Key == nil {
		return sealed, nil
	}
	value, err := from.Key.Open(binding, sealed)
	if err != nil {
		return sealed, nil
	}
	defer clear(value)
	again, err := to.Seal(binding, value)
	if err != nil {
		return nil, fmt.Errorf("vault: seal anew: %w", err)
	}
	return again, nil
}

// openPlanned opens those keys of a plan that seal anything that stays.
func (s *Service) openPlanned(ctx context.Context, tenant string, plan ErasurePlan) (map[string]envelope.OpenedKey, error) {
	var ids []string
	for i := range plan.Survivors {
		ids = append(ids, plan.Survivors[i].KeyID)
	}
	for _, scope := range plan.Names {
		ids = append(ids, scope.NameKeyID)
	}
	return s.openStored(ctx, tenant, ids)
}

// roomFor is a fresh key of an owner that has room for one value more.
func (r *resealed) roomFor(ctx context.Context, s *Service, tenant string, o owner) (*freshRoom, error) {
	room := r.open[o]
	if room == nil || room.room == 0 && o.scopeID != "" {
		fresh, err := s.freshKey(ctx, tenant)
		if err != nil {
			return nil, fmt.Errorf("vault: data key: %w", err)
		}
		room = &freshRoom{id: fresh.ID, key: fresh.Key, room: MaxSealsPerKey}
		r.open[o] = room
		r.fresh = append(r.fresh, DataKey{ID: fresh.ID, ScopeID: o.scopeID, SubjectRef: o.subjectRef, Wrapped: fresh.Wrapped})
	}
	room.room--
	return room, nil
}
