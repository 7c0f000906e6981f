package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// algorithm is a signature algorithm and the one kind of public key that it
// takes. golang-jwt looks at the Go type only (its ES256 would take a P-384
// key); fits looks at the curve too.
type algorithm struct {
	method jwt.SigningMethod
	fits   func(crypto.PublicKey) bool
}

// algorithms is all that can be configured. There is no symmetric one, and no
// none, so that no configuration can bring them in.
var algorithms = map[string]algorithm{
	"ES256": {jwt.SigningMethodES256, onCurve(elliptic.P256())},
	"ES384": {jwt.SigningMethodES384, onCurve(elliptic.P384())},
	"RS256": {jwt.SigningMethodRS256, isRSA},
	"PS256": {jwt.SigningMethodPS256, isRSA},
	"EdDSA": {jwt.SigningMethodEdDSA, isEd25519},
}

func onCurve(curve elliptic.Curve) func(crypto.PublicKey) bool {
	return func(key crypto.PublicKey) bool {
		k, ok := key.(*ecdsa.PublicKey)
		return ok && k.Curve == curve
	}
}

func isRSA(key crypto.PublicKey) bool {
	_, ok := key.(*rsa.PublicKey)
	return ok
}

func isEd25519(key crypto.PublicKey) bool {
	_, ok := key.(ed25519.PublicKey)
	return ok
}

// checkPublicKey refuses what is no sound public key of a known kind. Bytes and
// strings (HMAC secrets) and private keys are refused by their type: with no
// byte slice in the key set, HS/RS confusion has nothing to verify against.
func checkPublicKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return checkECDSA(k)
	case *rsa.PublicKey:
		return checkRSA(k)
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return errors.New("the Ed25519 key has the wrong length")
		}
		return nil
	default:
		return errors.New("not a public key: need *ecdsa.PublicKey, *rsa.PublicKey or ed25519.PublicKey")
	}
}

func checkECDSA(k *ecdsa.PublicKey) error {
	if k == nil || (k.Curve != elliptic.P256() && k.Curve != elliptic.P384()) {
		return errors.New("the ECDSA key is not on P-256 or P-384")
	}
	if k.X == nil || k.Y == nil { //nolint:staticcheck // Bytes panics on a key without coordinates
		return errors.New("the ECDSA key is empty")
	}
	// Bytes fails for a point that is off the curve or at infinity, under
	// which forgeries verify.
	if _, err := k.Bytes(); err != nil {
		return errors.New("the ECDSA key is no point of its curve")
	}
	return nil
}

func checkRSA(k *rsa.PublicKey) error {
	if k == nil || k.N == nil {
		return errors.New("the RSA key is empty")
	}
	if bits := k.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
		return errors.New("the RSA key is shorter than 2048 or longer than 8192 bits")
	}
	if k.N.Bit(0) == 0 || k.E < minRSAExponent || k.E%2 == 0 {
		return errors.New("the RSA key has an even modulus or an exponent under 65537")
	}
	return nil
}
