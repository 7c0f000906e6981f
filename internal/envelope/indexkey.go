package envelope

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
)

// indexInfo begins the HKDF info of every sub key; the digit is the version of
// the digests. Changing it orphans every stored digest.
const indexInfo = "counterfoil/index/1/"

// IndexKey makes the digests by which a tenant's rows are found again. Each
// kind of digest has a sub key of its own, so digests of different kinds are
// unrelated even for equal input. Without the key a digest cannot be tested
// against guesses, and digests of two tenants or two index keys never match.
//
// An IndexKey is safe for use by several goroutines at once. It is dropped by
// letting go of it: a digest under a zeroed key would look like any other.
type IndexKey struct {
	identity, lookup                      subKey
	scope, subject, endUser, client, note subKey
	claim, source, budget, asked, person  subKey
}

// NewIndexKey derives the sub keys. It keeps no reference to the secret, which
// the caller wipes.
func NewIndexKey(secret Secret) (*IndexKey, error) {
	if secret.Len() != KeySize {
		return nil, fmt.Errorf("%w: an index key of not %d bytes", ErrInvalid, KeySize)
	}
	k := &IndexKey{}
	for label, sub := range map[string]*subKey{
		"identity": &k.identity, "lookup": &k.lookup, "scope": &k.scope,
		"subject": &k.subject, "end-user": &k.endUser, "client": &k.client, "note": &k.note, "claim": &k.claim, "source": &k.source,
		"budget": &k.budget, "asked": &k.asked, "person": &k.person,
	} {
		// No salt: the secret is uniformly random already (RFC 5869, 3.1).
		b, err := hkdf.Key(sha256.New, secret.Reveal(), nil, indexInfo+label, KeySize)
		if err != nil {
			panic("envelope: HKDF refused 32 bytes: " + err.Error())
		}
		*sub = newSubKey(NewSecret(b))
	}
	return k, nil
}

// Identity finds the token of a value again: the same exact bytes in the same
// scope, as the same entity, in the same token format.
func (k *IndexKey) Identity(scope, entity, format string, value []byte) [32]byte {
	b := make([]byte, 0, 4*lengthSize+len(scope)+len(entity)+len(format)+len(value))
	b = appendField(b, scope)
	b = appendField(b, entity)
	b = appendField(b, format)
	return digest(k.identity, appendField(b, value))
}

// Lookup finds the mappings of a normalised value across scopes, for subject
// search only. It is never unique.
func (k *IndexKey) Lookup(entity, normalised string) [32]byte {
	b := make([]byte, 0, 2*lengthSize+len(entity)+len(normalised))
	b = appendField(b, entity)
	return digest(k.lookup, appendField(b, normalised))
}

// Scope is the digest of a caller's name for a scope.
func (k *IndexKey) Scope(name string) [32]byte { return digestOne(k.scope, name) }

// Subject is the digest of a caller's identifier for a person.
func (k *IndexKey) Subject(id string) [32]byte { return digestOne(k.subject, id) }

// EndUser is the digest of the person on whose behalf a client calls.
func (k *IndexKey) EndUser(id string) [32]byte { return digestOne(k.endUser, id) }

// Client is the digest of a client's identifier, such as that of its token.
func (k *IndexKey) Client(id string) [32]byte { return digestOne(k.client, id) }

// Note is the digest that stands in an entry for a sealed note.
func (k *IndexKey) Note(text string) [32]byte { return digestOne(k.note, text) }

// Claim is the digest of an idempotency key and of the client that sent it; a
// key of one client says nothing about that of another.
func (k *IndexKey) Claim(client, key string) [32]byte {
	b := make([]byte, 0, 2*lengthSize+len(client)+len(key))
	return digest(k.claim, appendField(appendField(b, client), key))
}

// Source is the digest of a caller's name for the document that a text is of.
func (k *IndexKey) Source(ref string) [32]byte { return digestOne(k.source, ref) }

// Budget names a budget and whose it is: what it is of, in fields of its own.
func (k *IndexKey) Budget(fields ...string) [32]byte { return digestAll(k.budget, fields) }

// Asked is the digest of a request that others have to agree to, as it was asked:
// the same fields give the same digest, and nothing else does.
func (k *IndexKey) Asked(fields ...string) [32]byte { return digestAll(k.asked, fields) }

// Person is the digest of a name of somebody who works with the service.
func (k *IndexKey) Person(name string) [32]byte { return digestOne(k.person, name) }

// digestAll is of any number of fields, of which it knows how many there are.
func digestAll(key subKey, fields []string) [32]byte {
	size := 0
	for _, f := range fields {
		size += lengthSize + len(f)
	}
	b := make([]byte, 0, size)
	for _, f := range fields {
		b = appendField(b, f)
	}
	return digest(key, b)
}

func digestOne(key subKey, field string) [32]byte {
	return digest(key, appendField(make([]byte, 0, lengthSize+len(field)), field))
}

// subKey is the key of one kind of digest.
type subKey struct {
	secret Secret
	// idle are HMACs that were made under the secret, since making one costs more
	// than using it. They go where the key goes.
	idle *sync.Pool
}

func newSubKey(secret Secret) subKey { return subKey{secret: secret, idle: &sync.Pool{}} }

// keyedHash is one of them, with room for its result.
type keyedHash struct {
	hash.Hash
	sum [sha256.Size]byte
}

// digest authenticates fields that were encoded without ambiguity.
func digest(key subKey, fields []byte) [32]byte {
	mac, ok := key.idle.Get().(*keyedHash)
	if !ok {
		mac = &keyedHash{Hash: hmac.New(sha256.New, key.secret.Reveal())}
	}
	mac.Reset()              // whoever had it before may have written
	_, _ = mac.Write(fields) // a hash never fails
	sum := [sha256.Size]byte(mac.Sum(mac.sum[:0]))
	key.idle.Put(mac)
	return sum
}

// Format writes the redaction for every verb.
func (k *IndexKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// String returns the redaction.
func (k *IndexKey) String() string { return "IndexKey(" + redacted + ")" }

// LogValue returns the redaction.
func (k *IndexKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
