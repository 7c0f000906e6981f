// Package envelope seals and opens one value, and keeps the keys that do it.
// It is pure: standard library only, no network, no files, no SQL.
//
// # Keys
//
//	wrapping key per tenant (held by a KeyWrapper: a key service or a key file)
//	  ├─ wraps ─ data key           ─ seals ─ values       (DataKey)
//	  ├─ wraps ─ index key          ─ HMAC  ─ digests      (IndexKey)
//	  └─ wraps ─ log signing key    ─ signs ─ checkpoints  (a Secret; audit signs)
//
// Plain keys live in memory only. A data key is there for at most [MaxKeyAge],
// counted from the moment when it was made or unwrapped, whether it waits in
// the [Pool], serves from the [Cache], or both in turn.
//
// # Formats
//
// A field is its length as 8 bytes, big endian, and then its bytes. Eight
// bytes hold the length of anything that fits into memory, so no two lists of
// fields have the same encoding and no length is ever cut.
//
// Sealed value, AES-256-GCM (NIST SP 800-38D) under a data key:
//
//	0x01 ‖ nonce (12, random) ‖ ciphertext ‖ tag (16)
//
//	associated data = "counterfoil/seal" ‖ 0x01 ‖ field(purpose) ‖ field(tenant) ‖ field(scope)
//	                  ‖ field(token) ‖ field(format) ‖ field(entity) ‖ field(class)
//
// Framed key, the plaintext that a [KeyWrapper] wraps:
//
//	"counterfoil/key" ‖ 0x01 ‖ field(purpose) ‖ field(tenant) ‖ field(key id) ‖ field(key)
//
// The frame is checked after unwrapping, whole and exactly. So a wrapped key
// that was moved to another row, tenant or purpose is refused even where the
// wrapping engine authenticates nothing but the ciphertext itself.
//
// Digest, under a tenant's index key:
//
//	sub key = HKDF-SHA-256 (RFC 5869) (index key, no salt, "counterfoil/index/1/" ‖ label, 32 bytes)
//	digest  = HMAC-SHA-256 (RFC 2104) (sub key, field ‖ field ‖ ...)
//
// # Nonce budget
//
// NIST SP 800-38D section 8.3 allows 2^32 seals under one key with random
// 96-bit nonces; the chance that any two nonces are equal is then still below
// 2^-32. A key here stays far under it: a scope's key begins anew after 1,024
// mappings, a subject's key seals the values of one person, each mapping is
// sealed once and, when its neighbours are erased, once more under a fresh
// key. The store counts the seals of each key. A wrapping key is replaced every
// key epoch and wraps some dozens of data keys per tenant and minute.
//
// # What is promised, and what is not
//
// Moved, changed or cut ciphertexts and wrapped keys do not open: the answer
// is [ErrAuthentication] and no byte of plaintext. A key service that is down
// is [ErrUnavailable], never a weaker key. Types that hold key bytes redact
// themselves in fmt, slog and JSON.
//
// Wiping zeroes the bytes that this package owns and drops the expanded AES
// key, which Go offers no way to zero: it is unreachable at once and gone when
// the collector reuses the memory. Wiping shortens the time in which a memory
// image gives keys away. It is no guard: erasure rests on the destruction of
// the wrapped key and on the condition of the commit.
//
// On a crash nothing is lost but pooled keys that nobody had used yet. The
// wrapped keys are the store's to keep; with a wrapped key or its wrapping key
// gone, whatever the key sealed is gone too. That is what erasure relies on.
package envelope
