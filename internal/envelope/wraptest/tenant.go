package wraptest

import (
	"context"
	"fmt"
	"strings"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// tenant is the tenant of clauses that need only one.
const tenant = "acme"

// alike are tenants that careless code takes for each other: case folded,
// trimmed, cut, joined with a separator, cleaned as a path, or normalised.
func alike() []string {
	return []string{
		"acme", "Acme", "ACME", "acm", "acme-2", "acme ", " acme", "acme/x", "acme/./x",
		"acme.x", "acme%2Fx", "acme\x00", "caf\u00e9", "cafe\u0301", strings.Repeat("a", 200), strings.Repeat("a", 201),
	}
}

func tenantsApart(ctx context.Context, w wrapper) error {
	wrapped := make([]envelope.Wrapped, len(alike()))
	for i, owner := range alike() {
		var err error
		if wrapped[i], err = wrapOne(ctx, w, owner, "the key of "+owner); err != nil {
			return err
		}
	}
	for i, reader := range alike() {
		items, err := w.Unwrap(ctx, reader, wrapped)
		if err != nil {
			return fmt.Errorf("Unwrap as tenant %q: %w", reader, err)
		}
		rewrapped, err := w.Rewrap(ctx, reader, wrapped)
		if err != nil {
			return fmt.Errorf("Rewrap as tenant %q: %w", reader, err)
		}
		for j, owner := range alike() {
			if i == j {
				if err := isPlain(items[j], "the key of "+owner); err != nil {
					return fmt.Errorf("tenant %q opens its own: %w", owner, err)
				}
				continue
			}
			if err := isRefused(items[j], envelope.ErrAuthentication); err != nil {
				return fmt.Errorf("tenant %q opens the key of %q: %w", reader, owner, err)
			}
			if err := wants(rewrapped[j].Err, envelope.ErrAuthentication); err != nil {
				return fmt.Errorf("tenant %q re-wraps the key of %q: %w", reader, owner, err)
			}
		}
	}
	return nil
}

func noTenant(ctx context.Context, w wrapper) error {
	for _, none := range []string{"", strings.Repeat("a", envelope.MaxField+1)} {
		for name, err := range callAll(ctx, w, none) {
			if err := wants(err, envelope.ErrInvalid); err != nil {
				return fmt.Errorf("%s with a tenant of %d bytes: %w", name, len(none), err)
			}
		}
	}
	return nil
}

func silence(ctx context.Context, w wrapper) error {
	if _, err := wrapOne(ctx, w, tenant, "key"); err != nil {
		return err
	}
	w.Stop()
	for name, err := range callAll(ctx, w, tenant) {
		if err := wants(err, envelope.ErrUnavailable); err != nil {
			return fmt.Errorf("%s while the key service is silent: %w", name, err)
		}
	}
	return nil
}

func endedContext(ctx context.Context, w wrapper) error {
	if _, err := wrapOne(ctx, w, tenant, "key"); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for name, err := range callAll(ended, w, tenant) {
		if err := wants(err, context.Canceled); err != nil {
			return fmt.Errorf("%s with an ended context: %w", name, err)
		}
	}
	return nil
}

// callAll calls each method with one item and returns the errors of the calls.
func callAll(ctx context.Context, w wrapper, tenant string) map[string]error {
	errs := map[string]error{}
	_, errs["Wrap"] = w.Wrap(ctx, tenant, [][]byte{[]byte("key")})
	_, errs["Unwrap"] = w.Unwrap(ctx, tenant, []envelope.Wrapped{{Version: 1, Bytes: []byte("x")}})
	_, errs["Rewrap"] = w.Rewrap(ctx, tenant, []envelope.Wrapped{{Version: 1, Bytes: []byte("x")}})
	_, errs["Version"] = w.Version(ctx, tenant)
	return errs
}
