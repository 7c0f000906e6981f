package wraptest

import (
	"context"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

func wrapVersion(ctx context.Context, w wrapper) error {
	last := 0
	for range 3 {
		version, err := w.Version(ctx, tenant)
		if err != nil {
			return fmt.Errorf("Version: %w", err)
		}
		if version <= last {
			return fmt.Errorf("version %d comes after %d", version, last)
		}
		last = version
		wrapped, err := wrapOne(ctx, w, tenant, "key")
		if err != nil {
			return err
		}
		if wrapped.Version != version {
			return fmt.Errorf("Wrap uses version %d, Version tells %d", wrapped.Version, version)
		}
		if err := w.Rotate(ctx, tenant); err != nil {
			return fmt.Errorf("Rotate: %w", err)
		}
	}
	return nil
}

func olderStayOpen(ctx context.Context, w wrapper) error {
	var wrapped []envelope.Wrapped
	var plain [][]byte
	for i := range 3 {
		key := fmt.Sprintf("key %d", i)
		one, err := wrapOne(ctx, w, tenant, key)
		if err != nil {
			return err
		}
		wrapped, plain = append(wrapped, one), append(plain, []byte(key))
		if err := w.Rotate(ctx, tenant); err != nil {
			return fmt.Errorf("Rotate: %w", err)
		}
	}
	return sameOrder(ctx, w, plain, wrapped)
}

func rewrapMoves(ctx context.Context, w wrapper) error {
	old, err := wrapOne(ctx, w, tenant, "old key")
	if err != nil {
		return err
	}
	if err := w.Rotate(ctx, tenant); err != nil {
		return fmt.Errorf("Rotate: %w", err)
	}
	current, err := wrapOne(ctx, w, tenant, "current key")
	if err != nil {
		return err
	}
	moved, err := rewrapAll(ctx, w, []envelope.Wrapped{old, current})
	if err != nil {
		return err
	}
	for i := range moved {
		if got := moved[i].Version; got != current.Version {
			return fmt.Errorf("Rewrap of item %d leads to version %d, not %d", i, got, current.Version)
		}
	}
	// Only what does not hang on the old version any more counts as moved.
	if err := w.Destroy(ctx, tenant, current.Version); err != nil {
		return fmt.Errorf("Destroy: %w", err)
	}
	return sameOrder(ctx, w, [][]byte{[]byte("old key"), []byte("current key")}, moved)
}

func versionGone(ctx context.Context, w wrapper) error {
	gone, err := wrapOne(ctx, w, tenant, "key")
	if err != nil {
		return err
	}
	if err := w.Rotate(ctx, tenant); err != nil {
		return fmt.Errorf("Rotate: %w", err)
	}
	stays, err := wrapOne(ctx, w, tenant, "another key")
	if err != nil {
		return err
	}
	if err := w.Destroy(ctx, tenant, stays.Version); err != nil {
		return fmt.Errorf("Destroy: %w", err)
	}
	if err := isRefusedTwice(ctx, w, []envelope.Wrapped{gone}, envelope.ErrVersionGone); err != nil {
		return err
	}
	item, err := unwrapOne(ctx, w, stays)
	if err != nil {
		return err
	}
	return isPlain(item, "another key")
}
