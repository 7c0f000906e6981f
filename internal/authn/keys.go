package authn

import (
	"context"
	"crypto"
	"slices"
)

// keySource gives the keys of one issuer: those of the configuration, or those
// that the issuer publishes.
type keySource interface {
	// find returns the key that kid names. Where the issuer has no such key it
	// fails with ReasonKey; where that cannot be told, with
	// ErrKeysUnavailable. It may wait for the issuer, until ctx ends.
	find(ctx context.Context, kid string) (*publicKey, error)
	// holds tells whether find would still give this very key. It never
	// waits, so that each hit of the cache can ask.
	holds(kid string, key *publicKey) bool
}

// publicKey is a key that passed checkPublicKey.
type publicKey struct {
	public crypto.PublicKey
	// algorithm is the only one that the issuer uses the key for, where it
	// says so (RFC 7517 section 4.4).
	algorithm string
}

// fits tells whether the key may verify a signature of the algorithm.
func (k *publicKey) fits(alg string) bool {
	return (k.algorithm == "" || k.algorithm == alg) && algorithms[alg].fits(k.public)
}

func (k *publicKey) fitsOneOf(algs []string) bool { return slices.ContainsFunc(algs, k.fits) }

// equal tells whether both are the same key for the same use.
func (k *publicKey) equal(other *publicKey) bool {
	comparable, ok := k.public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.algorithm == other.algorithm && comparable.Equal(other.public)
}

// staticKeys are the keys of the configuration, by kid. They never change.
type staticKeys map[string]*publicKey

func (s staticKeys) find(_ context.Context, kid string) (*publicKey, error) {
	if key := s[kid]; key != nil {
		return key, nil
	}
	return nil, refuse(ReasonKey, "kid names no key of the issuer")
}

func (s staticKeys) holds(kid string, key *publicKey) bool { return s[kid] == key }
