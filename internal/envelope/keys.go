package envelope

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// idSize is the size of a key id before it is written in hexadecimal: 128
// random bits, which do not meet by chance.
const idSize = 16

// FreshKey is a new data key: the handle to seal with and the wrapped form to
// store. Nothing depends on it before the store has committed it.
type FreshKey struct {
	ID      string
	Key     *DataKey
	Wrapped Wrapped
	born    time.Time // when the pool made it; zero for keys from elsewhere
}

// StoredKey is a data key as the store has it.
type StoredKey struct {
	ID      string
	Wrapped Wrapped
}

// OpenedKey is a stored key that was unwrapped, or why it was not.
type OpenedKey struct {
	ID  string
	Key *DataKey
	Err error
}

// NewDataKeys makes n data keys and wraps them in one call, all or nothing.
func NewDataKeys(ctx context.Context, w KeyWrapper, tenant string, n int) ([]FreshKey, error) {
	if err := checkName("tenant", tenant); err != nil {
		return nil, err
	}
	if n < 0 || n > MaxNewKeys {
		return nil, fmt.Errorf("%w: between 0 and %d new keys", ErrInvalid, MaxNewKeys)
	}
	if n == 0 {
		return nil, nil
	}
	keys, frames := make([]FreshKey, n), make([][]byte, n)
	defer wipeAll(frames)
	for i := range keys {
		secret := RandomSecret()
		id := newKeyID()
		key, err := newDataKey(tenant, id, secret.Reveal())
		if err != nil {
			panic("envelope: a new key has the wrong size: " + err.Error())
		}
		frames[i] = place{PurposeData, tenant, id}.frame(secret.Reveal())
		secret.Wipe()
		keys[i] = FreshKey{ID: id, Key: key}
	}
	wrapped, err := w.Wrap(ctx, tenant, frames)
	if err == nil && len(wrapped) != n {
		err = miscounted(len(wrapped), n)
	}
	if err != nil {
		wipeFresh(keys)
		return nil, fmt.Errorf("envelope: wrapping %d data keys: %w", n, err)
	}
	for i := range keys {
		keys[i].Wrapped = wrapped[i]
	}
	return keys, nil
}

// OpenDataKeys unwraps stored keys in one call. The error is one of the whole
// call; a key that does not open has its own in its item, and the others open.
func OpenDataKeys(ctx context.Context, w KeyWrapper, tenant string, stored []StoredKey) ([]OpenedKey, error) {
	if err := checkName("tenant", tenant); err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return nil, nil
	}
	wrapped := make([]Wrapped, len(stored))
	for i, s := range stored {
		wrapped[i] = s.Wrapped
	}
	items, err := w.Unwrap(ctx, tenant, wrapped)
	if err == nil && len(items) != len(stored) {
		err = miscounted(len(items), len(stored))
	}
	if err != nil {
		return nil, fmt.Errorf("envelope: unwrapping %d data keys: %w", len(stored), err)
	}
	opened := make([]OpenedKey, len(stored))
	for i, s := range stored {
		opened[i].ID = s.ID
		opened[i].Key, opened[i].Err = openDataKey(tenant, s.ID, items[i])
	}
	return opened, nil
}

func openDataKey(tenant, id string, item Unwrapped) (*DataKey, error) {
	defer item.Plain.Wipe()
	if item.Err != nil {
		return nil, fmt.Errorf("envelope: data key %q: %w", id, item.Err)
	}
	key, err := place{PurposeData, tenant, id}.unframe(item.Plain.Reveal())
	if err != nil {
		return nil, fmt.Errorf("envelope: data key %q: %w", id, err)
	}
	return newDataKey(tenant, id, key)
}

// newKeyID draws an id of 32 lower-case hexadecimal digits.
func newKeyID() string {
	var b [idSize]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// miscounted is the answer to a wrapper that broke its contract: nothing that
// it said can be relied on.
func miscounted(got, want int) error {
	return fmt.Errorf("%w: %d answers for %d items", ErrUnavailable, got, want)
}

func wipeAll(frames [][]byte) {
	for _, f := range frames {
		clear(f)
	}
}

func wipeFresh(keys []FreshKey) {
	for _, k := range keys {
		k.Key.Wipe()
	}
}
