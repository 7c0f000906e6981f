package envelope

import "time"

// Limits, each with the reason for its number.
const (
	// KeySize is the size of every data, index and log key: AES-256 and the
	// output size of SHA-256.
	KeySize = 32

	// MaxKeyAge is how long a plain data key stays in memory, pool and cache
	// together. Five minutes make an erased key useless soon where the
	// notification was lost, and still save nearly every unwrapping in a chat.
	MaxKeyAge = 5 * time.Minute

	// MaxPlaintext bounds one sealed value. It is far above the largest
	// request body, so that a wrong length fails here and not in the store.
	MaxPlaintext = 16 << 20

	// MaxField bounds a tenant, a key id and each field of a Binding. Names of
	// scopes are the longest of them and are stored as digests.
	MaxField = 4096

	// MaxNewKeys bounds one call of NewDataKeys: one batch of a key service,
	// and the number of keys that one request can need at most.
	MaxNewKeys = 1024

	// MaxWrapPlain bounds what a KeyWrapper must be able to wrap as one item.
	// A framed key is below 9 KiB with the longest tenant and id.
	MaxWrapPlain = 64 << 10

	// CacheKeys is the default and CacheKeysMax the largest number of plain
	// data keys in a Cache. A key with its expanded form takes about 1.2 KiB.
	CacheKeys    = 4096
	CacheKeysMax = 65536

	// PoolKeys is how many fresh keys a Pool holds per tenant, PoolLowWater
	// the number under which it refills: 32 keys cover the 10 ms of a wrapping
	// call at 3,000 new subjects per second.
	PoolKeys     = 64
	PoolLowWater = 32

	// PoolTenants is how many tenants have pooled keys at a time; with
	// PoolKeys it bounds the pool to 32,768 keys, about 40 MiB.
	PoolTenants = 512

	// PoolRefillTimeout bounds one wrapping call of the pool. A key service
	// that takes longer is down for the requests that wait.
	PoolRefillTimeout = 5 * time.Second
)
