package envelope

import (
	"bytes"
	"context"
	"fmt"
)

// WrapSecret wraps a tenant's index key or log signing key for the place
// (tenant, purpose, id). Data keys are not wrapped with it: their bytes are
// never in a caller's hands.
func WrapSecret(ctx context.Context, w KeyWrapper, tenant string, purpose Purpose, id string, secret Secret) (Wrapped, error) {
	p, err := secretPlace(tenant, purpose, id)
	if err != nil {
		return Wrapped{}, err
	}
	if secret.Len() != KeySize {
		return Wrapped{}, fmt.Errorf("%w: a %s of not %d bytes", ErrInvalid, purpose, KeySize)
	}
	framed := p.frame(secret.Reveal())
	defer clear(framed)
	wrapped, err := w.Wrap(ctx, tenant, [][]byte{framed})
	if err == nil && len(wrapped) != 1 {
		err = miscounted(len(wrapped), 1)
	}
	if err != nil {
		return Wrapped{}, fmt.Errorf("envelope: wrapping the %s %q: %w", purpose, id, err)
	}
	return wrapped[0], nil
}

// UnwrapSecret unwraps what WrapSecret wrapped for the same place. Anything
// else is ErrAuthentication.
func UnwrapSecret(ctx context.Context, w KeyWrapper, tenant string, purpose Purpose, id string, wrapped Wrapped) (Secret, error) {
	p, err := secretPlace(tenant, purpose, id)
	if err != nil {
		return Secret{}, err
	}
	items, err := w.Unwrap(ctx, tenant, []Wrapped{wrapped})
	if err == nil && len(items) != 1 {
		err = miscounted(len(items), 1)
	}
	if err == nil {
		err = items[0].Err
	}
	if err != nil {
		return Secret{}, fmt.Errorf("envelope: unwrapping the %s %q: %w", purpose, id, err)
	}
	defer items[0].Plain.Wipe()
	key, err := p.unframe(items[0].Plain.Reveal())
	if err != nil {
		return Secret{}, fmt.Errorf("envelope: unwrapping the %s %q: %w", purpose, id, err)
	}
	if len(key) != KeySize {
		return Secret{}, fmt.Errorf("%w: the %s %q has not %d bytes", ErrAuthentication, purpose, id, KeySize)
	}
	return NewSecret(bytes.Clone(key)), nil
}

func secretPlace(tenant string, purpose Purpose, id string) (place, error) {
	if purpose == PurposeData {
		return place{}, fmt.Errorf("%w: data keys are made by NewDataKeys", ErrInvalid)
	}
	p := place{purpose, tenant, id}
	return p, p.check()
}
