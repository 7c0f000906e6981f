package envelope_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tenant = "acme"

// knownKey is a data key for tests that need no wrapper.
func knownKey(t testing.TB, name string) *envelope.DataKey {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	k, err := envelope.NewDataKey(tenant, name, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// place is a binding with every field set.
func place() envelope.Binding {
	return envelope.Binding{
		Purpose: "value", Tenant: tenant, Scope: "scope", Token: "7K3QX9M2",
		Format: "label", Entity: "PERSON", Class: "confidential",
	}
}

// fresh makes n data keys.
func fresh(t testing.TB, w envelope.KeyWrapper, tenant string, n int) []envelope.FreshKey {
	t.Helper()
	keys, err := envelope.NewDataKeys(t.Context(), w, tenant, n)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// stored is what the store keeps of keys.
func stored(keys []envelope.FreshKey) []envelope.StoredKey {
	out := make([]envelope.StoredKey, len(keys))
	for i, k := range keys {
		out[i] = envelope.StoredKey{ID: k.ID, Wrapped: k.Wrapped}
	}
	return out
}

// wants tells whether an error is the one that was expected.
func wants(got, want error) error {
	switch {
	case errors.Is(got, want):
		return nil
	case got == nil:
		return fmt.Errorf("no error, but wanted: %s", want.Error())
	}
	return fmt.Errorf("%w, but wanted: %s", got, want.Error())
}

// sameKey tells whether two handles hold one key.
func sameKey(a, b *envelope.DataKey) error {
	at := envelope.Binding{Purpose: "value", Tenant: a.Tenant()}
	sealed, err := a.Seal(at, []byte("value"))
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	if _, err := b.Open(at, sealed); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	return nil
}

// gate is a wrapper whose calls wait until they are let through.
type gate struct {
	*wraptest.Memory
	entered chan struct{} // one message per call that waits
	open    chan struct{} // one message, or closing, lets a call through
}

func newGate() *gate {
	return &gate{wraptest.NewMemory(), make(chan struct{}, 100), make(chan struct{}, 100)}
}

func (g *gate) pass(ctx context.Context) error {
	g.entered <- struct{}{}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	if err := g.pass(ctx); err != nil {
		return nil, err
	}
	return g.Memory.Wrap(ctx, tenant, plain)
}

func (g *gate) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	if err := g.pass(ctx); err != nil {
		return nil, err
	}
	return g.Memory.Unwrap(ctx, tenant, wrapped)
}
