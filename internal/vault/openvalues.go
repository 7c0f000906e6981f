package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
)

// openKeys opens the data keys of what is to be restored, in at most one call
// to the key service, before the intent is committed: an intent that cannot
// be carried out would say too much.
func (j *restoreJob) openKeys(ctx context.Context) (map[string]envelope.OpenedKey, error) {
	ctx, end := stage.Start(ctx, stage.Unwrap)
	defer end()
	var ids []string
	for i := range j.found {
		if j.found[i].gives() {
			ids = append(ids, j.found[i].mapping.KeyID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	// A key in memory is not asked for: the commit fails where it is gone by then.
	tenant := j.call.Caller.Tenant
	opened, missing := j.s.keys.Cached(tenant, unique(ids))
	if len(missing) == 0 {
		return opened, nil
	}
	others, err := j.s.openStored(ctx, tenant, missing)
	maps.Copy(opened, others)
	return opened, err
}

// openStored opens those of the data keys that stand, by id, in one call of the
// key service at most. A key that does not open has its own error.
func (s *Service) openStored(ctx context.Context, tenant string, ids []string) (map[string]envelope.OpenedKey, error) {
	stored, err := s.store.Keys(ctx, tenant, KeyQuery{IDs: unique(ids)})
	if err != nil {
		return nil, err
	}
	return s.openKeys(ctx, tenant, stored)
}

// openKeys is openStored for keys that were read.
func (s *Service) openKeys(ctx context.Context, tenant string, stored []DataKey) (map[string]envelope.OpenedKey, error) {
	wrapped := make([]envelope.StoredKey, len(stored))
	for i, k := range stored {
		wrapped[i] = envelope.StoredKey{ID: k.ID, Wrapped: k.Wrapped}
	}
	opened, err := s.keys.Get(ctx, s.wrapper, tenant, wrapped)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]envelope.OpenedKey, len(opened))
	for _, k := range opened {
		if errors.Is(k.Err, envelope.ErrUnavailable) {
			return nil, k.Err
		}
		byID[k.ID] = k
	}
	return byID, nil
}

// open opens the values, after the intent was committed. What does not open
// was altered or moved: it is not restored, and that is an entry of its own.
func (j *restoreJob) open(ctx context.Context, keys map[string]envelope.OpenedKey, intent string) error {
	ctx, end := stage.Start(ctx, stage.Open)
	defer end()
	var broken []string
	for i := range j.found {
		o := &j.found[i]
		if !o.gives() {
			continue
		}
		value, err := openValue(j.call.Caller.Tenant, o.mapping, keys[o.mapping.KeyID])
		if err != nil {
			o.status, o.form = StatusIntegrityFailure, ""
			broken = append(broken, o.token.ID)
			continue
		}
		o.value = render(o.form, o.mapping.Entity, value)
	}
	if len(broken) == 0 {
		return nil
	}
	return j.s.recordBroken(ctx, j.call.Caller.Tenant, j.entry, intent, j.scopeRefs(), broken)
}

// recordBroken writes the entry of values that did not open, and of which change
// they were to be given by.
func (s *Service) recordBroken(ctx context.Context, tenant string, entry audit.Entry, intent string, scopes, tokens []string) error {
	entry.Kind = audit.KindIntegrityFailure
	if intent != "" {
		entry.Obligations = append(slices.Clone(entry.Obligations), audit.ObligationIntent+intent)
	}
	entry.Tokens, entry.ScopeRefs = unique(tokens), scopes
	_, err := s.commit(ctx, tenant, Record{}, entry)
	return err
}

func openValue(tenant string, m Mapping, key envelope.OpenedKey) (string, error) {
	if key.Err != nil {
		return "", key.Err
	}
	if key.Key == nil {
		return "", fmt.Errorf("vault: the data key was not read: %w", ErrKeyDestroyed)
	}
	value, err := key.Key.Open(bindingOf(tenant, m), m.Sealed)
	if err != nil {
		return "", fmt.Errorf("vault: open: %w", err)
	}
	return string(value), nil
}

// render gives a value in the form that the policy allows.
func render(form access.Form, entity, value string) string {
	switch form {
	case access.FormFull:
		return value
	case access.FormPartial:
		return detect.Partial(entity, value)
	default:
		return detect.Masked(entity)
	}
}
