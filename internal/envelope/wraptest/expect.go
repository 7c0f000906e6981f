package wraptest

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

func wrapOne(ctx context.Context, w wrapper, tenant, plain string) (envelope.Wrapped, error) {
	wrapped, err := w.Wrap(ctx, tenant, [][]byte{[]byte(plain)})
	if err := answered("Wrap", err, len(wrapped), 1); err != nil {
		return envelope.Wrapped{}, err
	}
	return wrapped[0], nil
}

func unwrapOne(ctx context.Context, w wrapper, wrapped envelope.Wrapped) (envelope.Unwrapped, error) {
	items, err := w.Unwrap(ctx, tenant, []envelope.Wrapped{wrapped})
	if err := answered("Unwrap", err, len(items), 1); err != nil {
		return envelope.Unwrapped{}, err
	}
	return items[0], nil
}

// rewrapAll re-wraps good items.
func rewrapAll(ctx context.Context, w wrapper, wrapped []envelope.Wrapped) ([]envelope.Wrapped, error) {
	items, err := w.Rewrap(ctx, tenant, wrapped)
	if err := answered("Rewrap", err, len(items), len(wrapped)); err != nil {
		return nil, err
	}
	moved := make([]envelope.Wrapped, len(items))
	for i, item := range items {
		if item.Err != nil {
			return nil, fmt.Errorf("Rewrap of good item %d: %w", i, item.Err)
		}
		moved[i] = item.Wrapped
	}
	return moved, nil
}

// answered tells whether a call succeeded with an answer for each item.
func answered(method string, err error, got, want int) error {
	if err != nil {
		return fmt.Errorf("%s fails the whole call: %w", method, err)
	}
	if got != want {
		return fmt.Errorf("%s gives %d answers for %d items", method, got, want)
	}
	return nil
}

// isPlain tells whether an item holds exactly this plaintext.
func isPlain(item envelope.Unwrapped, want string) error {
	if item.Err != nil {
		return fmt.Errorf("a good item does not unwrap: %w", item.Err)
	}
	if got := string(item.Plain.Reveal()); got != want {
		return fmt.Errorf("a good item unwraps to other bytes: %d of them, not %d", len(got), len(want))
	}
	return nil
}

// wants tells whether an error is the one that the contract names.
func wants(got, want error) error {
	switch {
	case errors.Is(got, want):
		return nil
	case got == nil:
		return fmt.Errorf("no error, but wanted: %s", want.Error())
	}
	return fmt.Errorf("%w, but wanted: %s", got, want.Error())
}

// isRefused tells whether an item failed as it should, with nothing in it.
func isRefused(item envelope.Unwrapped, want error) error {
	if err := wants(item.Err, want); err != nil {
		return fmt.Errorf("a bad item: %w", err)
	}
	if item.Plain.Len() != 0 {
		return errors.New("a refused item carries plaintext")
	}
	return nil
}

// isRefusedTwice holds Unwrap and Rewrap against items that are all bad.
func isRefusedTwice(ctx context.Context, w wrapper, bad []envelope.Wrapped, want error) error {
	items, err := w.Unwrap(ctx, tenant, bad)
	if err := answered("Unwrap", err, len(items), len(bad)); err != nil {
		return err
	}
	rewrapped, err := w.Rewrap(ctx, tenant, bad)
	if err := answered("Rewrap", err, len(rewrapped), len(bad)); err != nil {
		return err
	}
	for i := range bad {
		if err := isRefused(items[i], want); err != nil {
			return fmt.Errorf("Unwrap of bad item %d: %w", i, err)
		}
		if err := wants(rewrapped[i].Err, want); err != nil {
			return fmt.Errorf("Rewrap of bad item %d: %w", i, err)
		}
		if len(rewrapped[i].Wrapped.Bytes) != 0 {
			return fmt.Errorf("Rewrap of bad item %d carries bytes", i)
		}
	}
	return nil
}
