package localkey

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

const (
	// wrapFormat is the first byte of a wrapped key.
	wrapFormat = 0x01
	// wrapInfo begins the HKDF info of every tenant's key. The zero byte ends
	// it, so that no label can be continued by a tenant into another label.
	wrapInfo = "counterfoil/local-key/1/wrap\x00"
	// wrapLabel begins the associated data; its last byte is the format.
	wrapLabel = "counterfoil/local-wrap\x01"
)

var errClosed = fmt.Errorf("%w: the key file was closed", envelope.ErrUnavailable)

// Wrap wraps under the current version.
func (k *Key) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	s, err := k.begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer s.end()
	wrapped := make([]envelope.Wrapped, len(plain))
	for i, p := range plain {
		if len(p) > envelope.MaxWrapPlain {
			return nil, fmt.Errorf("%w: more than %d bytes to wrap", envelope.ErrInvalid, envelope.MaxWrapPlain)
		}
		wrapped[i] = s.wrap(p)
	}
	return wrapped, nil
}

// Unwrap unwraps each item on its own.
func (k *Key) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	s, err := k.begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer s.end()
	items := make([]envelope.Unwrapped, len(wrapped))
	for i, w := range wrapped {
		items[i].Plain, items[i].Err = s.unwrap(w)
	}
	return items, nil
}

// Rewrap moves each item to the current version.
func (k *Key) Rewrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Rewrapped, error) {
	s, err := k.begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer s.end()
	items := make([]envelope.Rewrapped, len(wrapped))
	for i, w := range wrapped {
		plain, err := s.unwrap(w)
		if err != nil {
			items[i].Err = err
			continue
		}
		items[i].Wrapped = s.wrap(plain.Reveal())
		plain.Wipe()
	}
	return items, nil
}

// Version tells the current version.
func (k *Key) Version(ctx context.Context, tenant string) (int, error) {
	s, err := k.begin(ctx, tenant)
	if err != nil {
		return 0, err
	}
	defer s.end()
	return k.last, nil
}

// session is one call for one tenant. It holds k.mu for reading, so that the
// versions stand still and no root key is wiped under its feet.
type session struct {
	key    *Key
	tenant string
	aeads  map[int]cipher.AEAD // of the versions that the call has met
}

func (k *Key) begin(ctx context.Context, tenant string) (session, error) {
	if err := ctx.Err(); err != nil {
		return session{}, fmt.Errorf("localkey: %w", err)
	}
	if tenant == "" || len(tenant) > envelope.MaxField {
		return session{}, fmt.Errorf("%w: a tenant has between 1 and %d bytes", envelope.ErrInvalid, envelope.MaxField)
	}
	k.mu.RLock()
	if k.closed {
		k.mu.RUnlock()
		return session{}, errClosed
	}
	return session{key: k, tenant: tenant, aeads: map[int]cipher.AEAD{}}, nil
}

func (s session) end() { s.key.mu.RUnlock() }

func (s session) wrap(plain []byte) envelope.Wrapped {
	version := s.key.last
	sealed := s.aead(version).Seal([]byte{wrapFormat}, nil, plain, s.bound(version)) //nolint:gosec // GCM with random nonces draws its own and takes none
	return envelope.Wrapped{Version: version, Bytes: sealed}
}

func (s session) unwrap(w envelope.Wrapped) (envelope.Secret, error) {
	switch {
	case w.Version < 1 || w.Version > s.key.last:
		return envelope.Secret{}, fmt.Errorf("%w: there was never a version %d", envelope.ErrAuthentication, w.Version)
	case w.Version < s.key.min:
		return envelope.Secret{}, fmt.Errorf("%w: version %d, the oldest is %d", envelope.ErrVersionGone, w.Version, s.key.min)
	case len(w.Bytes) == 0 || w.Bytes[0] != wrapFormat:
		return envelope.Secret{}, fmt.Errorf("%w: not a wrapped key", envelope.ErrAuthentication)
	}
	plain, err := s.aead(w.Version).Open(nil, nil, w.Bytes[1:], s.bound(w.Version))
	if err != nil {
		return envelope.Secret{}, envelope.ErrAuthentication // the cause says no more
	}
	return envelope.NewSecret(plain), nil
}

// bound is the associated data. Tenant and version have keys of their own
// already; binding them too keeps a mistake in one of the two from mattering.
func (s session) bound(version int) []byte {
	b := binary.BigEndian.AppendUint64([]byte(wrapLabel), uint64(version)) //nolint:gosec // between 1 and maxVersions
	b = binary.BigEndian.AppendUint64(b, uint64(len(s.tenant)))
	return append(b, s.tenant...)
}

// aead returns the tenant's cipher of a version that exists.
func (s session) aead(version int) cipher.AEAD {
	if aead, ok := s.aeads[version]; ok {
		return aead
	}
	// No salt: root keys are uniformly random already (RFC 5869, 3.1).
	key, err := hkdf.Key(sha256.New, s.key.roots[version].Reveal(), nil, wrapInfo+s.tenant, envelope.KeySize)
	if err != nil {
		panic("localkey: HKDF refused 32 bytes: " + err.Error())
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("localkey: AES refused 32 bytes: " + err.Error())
	}
	// Random nonces are safe for 2^32 wraps per tenant and version: see the
	// package comment.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("localkey: GCM refused AES: " + err.Error())
	}
	s.aeads[version] = aead
	return aead
}
