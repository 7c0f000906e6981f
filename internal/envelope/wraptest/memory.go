package wraptest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Memory is a KeyWrapper whose wrapping keys are in memory and nowhere else.
// It keeps the whole contract and implements Controls.
type Memory struct {
	calls   atomic.Int64
	stopped atomic.Bool

	mu      sync.Mutex
	tenants map[string]*memoryKey
}

// memoryKey is the wrapping key of one tenant; version n is versions[n-1], nil
// when destroyed.
type memoryKey struct {
	versions []cipher.AEAD
}

// NewMemory makes a wrapper without tenants; each appears at its first use.
func NewMemory() *Memory { return &Memory{tenants: map[string]*memoryKey{}} }

// Calls tells how many calls were made, failed ones included.
func (m *Memory) Calls() int { return int(m.calls.Load()) }

// Stop makes every call fail with ErrUnavailable, until Start.
func (m *Memory) Stop() { m.stopped.Store(true) }

// Start ends what Stop began.
func (m *Memory) Start() { m.stopped.Store(false) }

// Rotate adds a version.
func (m *Memory) Rotate(ctx context.Context, tenant string) error {
	return m.with(ctx, tenant, func(k *memoryKey) { k.versions = append(k.versions, newAEAD()) })
}

// Destroy destroys the versions below the given one.
func (m *Memory) Destroy(ctx context.Context, tenant string, below int) error {
	return m.with(ctx, tenant, func(k *memoryKey) { clear(k.versions[:below-1]) })
}

// Version tells the current version.
func (m *Memory) Version(ctx context.Context, tenant string) (version int, err error) {
	err = m.with(ctx, tenant, func(k *memoryKey) { version = len(k.versions) })
	return version, err
}

// Wrap wraps under the current version.
func (m *Memory) Wrap(ctx context.Context, tenant string, plain [][]byte) (wrapped []envelope.Wrapped, err error) {
	err = m.with(ctx, tenant, func(k *memoryKey) {
		for _, p := range plain {
			wrapped = append(wrapped, k.wrap(p))
		}
	})
	return wrapped, err
}

// Unwrap unwraps each item on its own.
func (m *Memory) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) (items []envelope.Unwrapped, err error) {
	err = m.with(ctx, tenant, func(k *memoryKey) {
		for _, w := range wrapped {
			plain, err := k.unwrap(w)
			items = append(items, envelope.Unwrapped{Plain: envelope.NewSecret(plain), Err: err})
		}
	})
	return items, err
}

// Rewrap moves each item to the current version.
func (m *Memory) Rewrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) (items []envelope.Rewrapped, err error) {
	err = m.with(ctx, tenant, func(k *memoryKey) {
		for _, w := range wrapped {
			plain, err := k.unwrap(w)
			if err != nil {
				items = append(items, envelope.Rewrapped{Err: err})
				continue
			}
			items = append(items, envelope.Rewrapped{Wrapped: k.wrap(plain)})
		}
	})
	return items, err
}

// with does something with the key of a tenant, one call at a time.
func (m *Memory) with(ctx context.Context, tenant string, do func(k *memoryKey)) error {
	m.calls.Add(1)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wraptest: %w", err)
	}
	if tenant == "" || len(tenant) > envelope.MaxField {
		return fmt.Errorf("%w: no tenant", envelope.ErrInvalid)
	}
	if m.stopped.Load() {
		return fmt.Errorf("%w: stopped", envelope.ErrUnavailable)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.tenants[tenant]
	if k == nil {
		k = &memoryKey{versions: []cipher.AEAD{newAEAD()}}
		m.tenants[tenant] = k
	}
	do(k)
	return nil
}

func (k *memoryKey) wrap(plain []byte) envelope.Wrapped {
	version := len(k.versions)
	sealed := k.versions[version-1].Seal(nil, nil, plain, nil) //nolint:gosec // GCM with random nonces draws its own and takes none
	return envelope.Wrapped{Version: version, Bytes: sealed}
}

func (k *memoryKey) unwrap(w envelope.Wrapped) ([]byte, error) {
	if w.Version < 1 || w.Version > len(k.versions) {
		return nil, envelope.ErrAuthentication
	}
	aead := k.versions[w.Version-1]
	if aead == nil {
		return nil, envelope.ErrVersionGone
	}
	plain, err := aead.Open(nil, nil, w.Bytes, nil)
	if err != nil {
		return nil, envelope.ErrAuthentication
	}
	return plain, nil
}

// newAEAD makes a cipher with a key of its own per tenant and version, so that
// nothing has to be bound beside it.
func newAEAD() cipher.AEAD {
	secret := envelope.RandomSecret()
	defer secret.Wipe()
	block, err := aes.NewCipher(secret.Reveal())
	if err != nil {
		panic("wraptest: AES refused 32 bytes: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("wraptest: GCM refused AES: " + err.Error())
	}
	return aead
}
