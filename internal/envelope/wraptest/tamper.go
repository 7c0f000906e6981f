package wraptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

func wrapTwice(ctx context.Context, w wrapper) error {
	wrapped, err := w.Wrap(ctx, tenant, [][]byte{[]byte("same key"), []byte("same key")})
	if err != nil {
		return fmt.Errorf("Wrap: %w", err)
	}
	if bytes.Equal(wrapped[0].Bytes, wrapped[1].Bytes) {
		return errors.New("equal keys have equal wrapped forms")
	}
	return nil
}

func oneBadItem(ctx context.Context, w wrapper) error {
	wrapped, err := w.Wrap(ctx, tenant, [][]byte{[]byte("key 0"), []byte("key 1"), []byte("key 2")})
	if err != nil {
		return fmt.Errorf("Wrap: %w", err)
	}
	foreign, err := wrapOne(ctx, w, "globex", "key 1")
	if err != nil {
		return err
	}
	for what, bad := range map[string]envelope.Wrapped{
		"changed":           flipped(wrapped[1], len(wrapped[1].Bytes)-1),
		"empty":             {Version: wrapped[1].Version},
		"no version at all": {Bytes: wrapped[1].Bytes},
		"another tenant's":  foreign,
	} {
		batch := []envelope.Wrapped{wrapped[0], bad, wrapped[2]}
		items, err := w.Unwrap(ctx, tenant, batch)
		if err := answered("Unwrap", err, len(items), len(batch)); err != nil {
			return fmt.Errorf("with an item that is %s: %w", what, err)
		}
		rewrapped, err := w.Rewrap(ctx, tenant, batch)
		if err := answered("Rewrap", err, len(rewrapped), len(batch)); err != nil {
			return fmt.Errorf("with an item that is %s: %w", what, err)
		}
		err = errors.Join(isPlain(items[0], "key 0"), isPlain(items[2], "key 2"), rewrapped[0].Err, rewrapped[2].Err,
			isRefused(items[1], envelope.ErrAuthentication))
		if err != nil {
			return fmt.Errorf("beside an item that is %s: %w", what, err)
		}
		if err := wants(rewrapped[1].Err, envelope.ErrAuthentication); err != nil {
			return fmt.Errorf("Rewrap of an item that is %s: %w", what, err)
		}
	}
	return nil
}

func everyByte(ctx context.Context, w wrapper) error {
	good, err := wrapOne(ctx, w, tenant, "0123456789abcdef0123456789abcdef")
	if err != nil {
		return err
	}
	var bad []envelope.Wrapped
	for i := range good.Bytes {
		bad = append(bad, flipped(good, i), envelope.Wrapped{Version: good.Version, Bytes: good.Bytes[:i]})
	}
	longer := append(bytes.Clone(good.Bytes), 0)
	before := append([]byte{0}, good.Bytes...)
	twice := append(bytes.Clone(good.Bytes), good.Bytes...)
	for _, b := range [][]byte{longer, before, twice} {
		bad = append(bad, envelope.Wrapped{Version: good.Version, Bytes: b})
	}
	return isRefusedTwice(ctx, w, bad, envelope.ErrAuthentication)
}

func versionBound(ctx context.Context, w wrapper) error {
	first, err := wrapOne(ctx, w, tenant, "key")
	if err != nil {
		return err
	}
	if err := w.Rotate(ctx, tenant); err != nil {
		return fmt.Errorf("Rotate: %w", err)
	}
	second, err := wrapOne(ctx, w, tenant, "key")
	if err != nil {
		return err
	}
	if first.Version == second.Version {
		return fmt.Errorf("version %d before and after rotation", first.Version)
	}
	bad := []envelope.Wrapped{
		{Version: second.Version, Bytes: first.Bytes},
		{Version: first.Version, Bytes: second.Bytes},
	}
	for _, version := range []int{0, -1, math.MinInt, second.Version + 1, math.MaxInt32, math.MaxInt} {
		bad = append(bad, envelope.Wrapped{Version: version, Bytes: second.Bytes})
	}
	return isRefusedTwice(ctx, w, bad, envelope.ErrAuthentication)
}

// flipped changes one bit of one byte.
func flipped(w envelope.Wrapped, i int) envelope.Wrapped {
	b := bytes.Clone(w.Bytes)
	b[i] ^= 1 << (i % 8)
	return envelope.Wrapped{Version: w.Version, Bytes: b}
}
