package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
)

// DataKey is a handle on a plain data key. It never gives the key out.
//
// A handle may be used from several goroutines at once, Wipe included: a Seal
// or Open that began before the Wipe ends normally, one that begins after it
// fails with ErrWiped.
type DataKey struct {
	id     string
	tenant string
	// aead holds the expanded key, the only form of it that is kept. It is
	// replaced by nil and never changed, so no lock is needed.
	aead atomic.Pointer[cipher.AEAD]
}

// newDataKey expands the key. The caller wipes the bytes that it passed.
func newDataKey(tenant, id string, key []byte) (*DataKey, error) {
	if len(key) != KeySize {
		// aes.NewCipher would accept 16 and 24 bytes as AES-128 and AES-192.
		return nil, fmt.Errorf("%w: a data key has not %d bytes", ErrAuthentication, KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("envelope: AES refused a key of the right size: " + err.Error())
	}
	// The nonces are random, which is safe for 2^32 seals under one key: see
	// the nonce budget in the package comment.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("envelope: GCM refused AES: " + err.Error())
	}
	k := &DataKey{id: id, tenant: tenant}
	k.aead.Store(&aead)
	return k, nil
}

// ID tells the key's id.
func (k *DataKey) ID() string { return k.id }

// Tenant tells whose key it is.
func (k *DataKey) Tenant() string { return k.tenant }

// Seal encrypts a value for the place b. It refuses a place of another tenant
// than the key's: erasing that tenant would not reach the value.
func (k *DataKey) Seal(b Binding, plaintext []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if b.Tenant != k.tenant {
		return nil, fmt.Errorf("%w: the data key belongs to another tenant", ErrInvalid)
	}
	if len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("%w: a value of more than %d bytes", ErrInvalid, MaxPlaintext)
	}
	return k.seal(b.associated(), plaintext)
}

// Open decrypts a value that was sealed under this key for exactly the place
// b, and fails with ErrAuthentication for everything else.
func (k *DataKey) Open(b Binding, sealed []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	return k.open(b.associated(), sealed)
}

func (k *DataKey) seal(ad, plaintext []byte) ([]byte, error) {
	aead := k.aead.Load()
	if aead == nil {
		return nil, ErrWiped
	}
	dst := make([]byte, 1, 1+len(plaintext)+(*aead).Overhead())
	dst[0] = sealVersion
	return (*aead).Seal(dst, nil, plaintext, ad), nil //nolint:gosec // GCM with random nonces draws its own and takes none
}

func (k *DataKey) open(ad, sealed []byte) ([]byte, error) {
	aead := k.aead.Load()
	if aead == nil {
		return nil, ErrWiped
	}
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, fmt.Errorf("%w: not a sealed value", ErrAuthentication)
	}
	plain, err := (*aead).Open(nil, nil, sealed[1:], ad)
	if err != nil {
		return nil, ErrAuthentication // the cause says no more, and must not
	}
	return plain, nil
}

// Wipe drops the key. Handles made by share stay usable.
func (k *DataKey) Wipe() { k.aead.Store(nil) }

// wiped tells whether the handle is of no use any more.
func (k *DataKey) wiped() bool { return k.aead.Load() == nil }

// share returns a second handle on the same key with a life of its own.
func (k *DataKey) share() *DataKey {
	other := &DataKey{id: k.id, tenant: k.tenant}
	other.aead.Store(k.aead.Load())
	return other
}

// Format writes the id and nothing else for every verb.
func (k *DataKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// String names the key by its id.
func (k *DataKey) String() string { return "DataKey(" + k.id + ")" }

// LogValue names the key by its id.
func (k *DataKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
