package wraptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// largeBatch is the largest batch that the suite passes: as many keys as one
// large request needs.
const largeBatch = 1000

func lengthAndOrder(ctx context.Context, w wrapper) error {
	for _, n := range []int{0, 1, 2, largeBatch} {
		plain := make([][]byte, n)
		for i := range plain {
			plain[i] = fmt.Appendf(nil, "key %d of %d", i, n)
		}
		wrapped, err := w.Wrap(ctx, tenant, plain)
		if err != nil {
			return fmt.Errorf("Wrap of %d: %w", n, err)
		}
		if err := sameOrder(ctx, w, plain, wrapped); err != nil {
			return fmt.Errorf("a batch of %d: %w", n, err)
		}
		rewrapped, err := rewrapAll(ctx, w, wrapped)
		if err != nil {
			return fmt.Errorf("a batch of %d: %w", n, err)
		}
		if err := sameOrder(ctx, w, plain, rewrapped); err != nil {
			return fmt.Errorf("a re-wrapped batch of %d: %w", n, err)
		}
	}
	return nil
}

func sameOrder(ctx context.Context, w wrapper, plain [][]byte, wrapped []envelope.Wrapped) error {
	if err := answered("Wrap", nil, len(wrapped), len(plain)); err != nil {
		return err
	}
	items, err := w.Unwrap(ctx, tenant, wrapped)
	if err := answered("Unwrap", err, len(items), len(plain)); err != nil {
		return err
	}
	for i := range plain {
		if err := isPlain(items[i], string(plain[i])); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

func sideBySide(ctx context.Context, w wrapper) error {
	const workers, rounds = 8, 20
	errs := make([]error, workers)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for round := range rounds {
				plain := fmt.Sprintf("key %d of worker %d", round, worker)
				if worker == 0 && round%5 == 0 {
					if errs[worker] = w.Rotate(ctx, tenant); errs[worker] != nil {
						return
					}
				}
				if errs[worker] = throughAll(ctx, w, plain); errs[worker] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// throughAll takes one key through every method.
func throughAll(ctx context.Context, w wrapper, plain string) error {
	before, err := w.Version(ctx, tenant)
	if err != nil {
		return fmt.Errorf("Version: %w", err)
	}
	wrapped, err := wrapOne(ctx, w, tenant, plain)
	if err != nil {
		return err
	}
	if wrapped.Version < before {
		return fmt.Errorf("wrapped under version %d when %d was current", wrapped.Version, before)
	}
	moved, err := rewrapAll(ctx, w, []envelope.Wrapped{wrapped})
	if err != nil {
		return err
	}
	item, err := unwrapOne(ctx, w, moved[0])
	if err != nil {
		return err
	}
	return isPlain(item, plain)
}

func argumentsLeftAlone(ctx context.Context, w wrapper) error {
	plain := [][]byte{[]byte("first key"), []byte("second key")}
	given := []([]byte){bytes.Clone(plain[0]), bytes.Clone(plain[1])}
	wrapped, err := w.Wrap(ctx, tenant, given)
	if err != nil {
		return fmt.Errorf("Wrap: %w", err)
	}
	for i := range given {
		if !bytes.Equal(given[i], plain[i]) {
			return errors.New("Wrap changes its argument")
		}
		clear(given[i]) // as envelope does: nothing wrapped may depend on it any more
	}
	kept := slices.Clone(wrapped)
	for i := range kept {
		kept[i].Bytes = bytes.Clone(wrapped[i].Bytes)
	}
	if err := sameOrder(ctx, w, plain, wrapped); err != nil {
		return fmt.Errorf("after the argument of Wrap was cleared: %w", err)
	}
	moved, err := rewrapAll(ctx, w, wrapped)
	if err != nil {
		return err
	}
	for i := range kept {
		if !bytes.Equal(kept[i].Bytes, wrapped[i].Bytes) || kept[i].Version != wrapped[i].Version {
			return errors.New("Unwrap or Rewrap changes its argument")
		}
	}
	return sameOrder(ctx, w, plain, moved)
}

func anySize(ctx context.Context, w wrapper) error {
	for _, n := range []int{0, 1, 15, 16, 17, envelope.KeySize, 4096, envelope.MaxWrapPlain} {
		plain := strings.Repeat("\x00k\xff", n/3+1)[:n]
		wrapped, err := wrapOne(ctx, w, tenant, plain)
		if err != nil {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
		item, err := unwrapOne(ctx, w, wrapped)
		if err != nil {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
		if err := isPlain(item, plain); err != nil {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
	}
	return nil
}
