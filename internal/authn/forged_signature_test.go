package authn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// forgedAlgorithms are tokens whose alg is not the issuer's or not the key's.
func forgedAlgorithms(w *world) []forgery {
	var table []forgery
	valid := strings.Split(w.good(), ".")[2]
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "noNe"} {
		signed := segment(with(headerA(), "alg", alg)) + "." + segment(w.claimsA())
		table = append(table,
			forgery{name: "alg " + alg + ", no signature", token: signed + ".", reason: authn.ReasonAlgorithm, naive: true},
			forgery{name: "alg " + alg + ", some signature", token: signed + "." + valid, reason: authn.ReasonAlgorithm, naive: true},
		)
	}
	for name, alg := range map[string]any{
		"alg missing": absent, "alg null": nil, "alg empty": "", "alg a number": 256, "alg an array": []string{"ES256"},
		"alg an object": map[string]any{"ES256": 1}, "alg lower case": "es256", "alg with a space": "ES256 ",
		"alg with NUL": "ES256\x00", "alg ES256K": "ES256K", "alg ES384 by a P-256 key": "ES384", "alg ES512": "ES512",
		"alg EdDSA by a P-256 key": "EdDSA", "alg two": "ES256,none", "alg RS384": "RS384", "alg PS512": "PS512",
	} {
		table = append(table, forgery{name: name, token: w.signA(with(headerA(), "alg", alg), w.claimsA()), reason: authn.ReasonAlgorithm})
	}
	rs256 := sign(jwt.SigningMethodRS256, w.aRSA, headerB("a-rsa", "RS256"), w.claimsA())
	ps256 := sign(jwt.SigningMethodPS256, w.bRSA, headerB("b-rsa", "PS256"), w.claimsB())
	return append(table,
		forgery{name: "RS256 where PS256 is listed", token: rs256, reason: authn.ReasonAlgorithm, guards: []string{"algorithm"}},
		forgery{name: "PS256 where RS256 is listed", token: ps256, reason: authn.ReasonAlgorithm, guards: []string{"algorithm"}},
		forgery{name: "ES256 by the kid of an RSA key", token: w.signA(headerB("a-rsa", "ES256"), w.claimsA()), reason: authn.ReasonKey},
		forgery{
			name:  "PS256 by the kid of an EC key",
			token: sign(jwt.SigningMethodPS256, w.aRSA, headerB("k1", "PS256"), w.claimsA()), reason: authn.ReasonKey,
		},
		forgery{
			name:  "ES256 by the kid of a P-384 key",
			token: sign(jwt.SigningMethodES256, w.stranger, headerB("b-384", "ES256"), w.claimsB()), reason: authn.ReasonKey,
		},
	)
}

// forgedHMAC are the tokens of HS/RS confusion.
func forgedHMAC(w *world) []forgery {
	var table []forgery
	for form, secret := range publicSecrets(w) {
		for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
			name := method.Alg() + " with the public key: " + form
			token := sign(method, secret, with(headerA(), "alg", method.Alg()), w.claimsA())
			table = append(table, forgery{name: name, token: token, reason: authn.ReasonAlgorithm, naive: true})
		}
		// The same signature under the honest alg.
		token := sign(jwt.SigningMethodHS256, secret, headerA(), w.claimsA())
		table = append(table, forgery{name: "HMAC as ES256: " + form, token: token, reason: authn.ReasonSignature, guards: []string{"signature"}})
	}
	return table
}

// forgedKeys are tokens signed by somebody who is not the issuer, and kids that
// would lead a careless look-up astray.
func forgedKeys(w *world) []forgery {
	stranger := func(kid any) string {
		return sign(jwt.SigningMethodES256, w.stranger, with(headerA(), "kid", kid), w.claimsA())
	}
	point := must(w.stranger.PublicKey.Bytes())
	jwk := map[string]string{
		"kty": "EC", "crv": "P-256", "kid": "k1",
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}
	embedded := sign(jwt.SigningMethodES256, w.stranger, with(headerA(), "jwk", jwk), w.claimsA())
	table := []forgery{
		{name: "a stranger's key under a known kid", token: stranger("k1"), reason: authn.ReasonSignature, guards: []string{"signature"}},
		{name: "a stranger's key embedded as jwk", token: embedded, reason: authn.ReasonMalformed, naive: true},
		{
			name:  "issuer B signs as A, with its own kid",
			token: sign(jwt.SigningMethodES256, w.bOther, headerB("b-ec", "ES256"), w.claimsA()), reason: authn.ReasonKey, shared: true,
		},
		{
			name:  "issuer A signs as B, with its own kid",
			token: sign(jwt.SigningMethodES256, w.aEC, headerB("k1", "ES256"), w.claimsB()), reason: authn.ReasonSignature,
		},
		{
			name:  "issuer B signs as A, under a kid that both have",
			token: sign(jwt.SigningMethodES256, w.bEC, headerA(), w.claimsA()), reason: authn.ReasonSignature, guards: []string{"signature"},
		},
		{
			name:  "issuer B signs as A with an algorithm of B",
			token: sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), w.claimsA()), reason: authn.ReasonAlgorithm,
		},
	}
	for name, kid := range map[string]any{
		"missing": absent, "null": nil, "empty": "", "a number": 1, "an array": []string{"k1"}, "unknown": "k2",
		"upper case": "K1", "with a space": "k1 ", "with NUL": "k1\x00", "a path": "../../../../dev/null",
		"a URL":         "https://attacker.example/k1",
		"an SQL string": "k1' OR '1'='1", "a prefix": "k", "a command": "|/bin/true", "of B": "b-ec", "issuer and kid": issuerB + "/k1",
	} {
		table = append(table, forgery{name: "kid " + name, token: w.signA(with(headerA(), "kid", kid), w.claimsA()), reason: authn.ReasonKey})
	}
	return table
}

// forgedSignatures spoil the signature of an otherwise perfect token.
func forgedSignatures(w *world) []forgery {
	parts := strings.Split(w.good(), ".")
	signed, good := parts[0]+"."+parts[1], must(base64.RawURLEncoding.DecodeString(parts[2]))
	r, s := good[:32], good[32:]
	order, zero := elliptic.P256().Params().N.Bytes(), make([]byte, 32)
	one := new(big.Int).SetInt64(1).FillBytes(make([]byte, 32))
	digest := sha256.Sum256([]byte(signed))
	der := must(ecdsa.SignASN1(rand.Reader, w.aEC, digest[:]))
	payloadOnly := must(jwt.SigningMethodES256.Sign(parts[1], w.aEC))
	other := must(jwt.SigningMethodES256.Sign(segment(headerA())+"."+segment(with(w.claimsA(), "sub", "x")), w.aEC))
	join := func(parts ...[]byte) []byte {
		var all []byte
		for _, part := range parts {
			all = append(all, part...)
		}
		return all
	}
	var table []forgery
	for name, signature := range map[string][]byte{
		"empty": {}, "r only": r, "one byte short": good[:63], "one byte long": join(good, zero[:1]), "twice": join(good, good),
		"all zero (CVE-2022-21449)": join(zero, zero), "r zero": join(zero, s), "s zero": join(r, zero), "ones": join(one, one),
		"r the order": join(order, s), "s the order": join(r, order), "both the order": join(order, order),
		"swapped": join(s, r), "in DER": der, "over the payload only": payloadOnly, "of another token": other,
		"all ff": []byte(strings.Repeat("\xff", 64)), "zero-padded to P-384": join(zero[:16], r, zero[:16], s),
	} {
		token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
		table = append(table, forgery{name: "signature " + name, token: token, reason: authn.ReasonSignature, guards: []string{"signature"}})
	}
	altered := segment(with(w.claimsA(), "tenant", "initech"))
	table = append(table, forgery{
		name: "the payload of another tenant, the same signature", token: parts[0] + "." + altered + "." + parts[2],
		reason: authn.ReasonSignature, guards: []string{"signature"},
	})
	return append(table, forgedEd25519(w)...)
}

// forgedEd25519 adds the group order to S: the same point, another string,
// which RFC 8032 section 5.1.7 refuses.
func forgedEd25519(w *world) []forgery {
	token := sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), w.claimsB())
	cut := strings.LastIndexByte(token, '.') + 1
	signature := must(base64.RawURLEncoding.DecodeString(token[cut:]))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	scalar := make([]byte, 32)
	for n := range scalar {
		scalar[n] = signature[63-n]
	}
	new(big.Int).Add(new(big.Int).SetBytes(scalar), order).FillBytes(scalar)
	malleated := append([]byte{}, signature[:32]...)
	for n := range scalar {
		malleated = append(malleated, scalar[31-n])
	}
	encode := base64.RawURLEncoding.EncodeToString
	return []forgery{
		{name: "Ed25519 with S plus the order", token: token[:cut] + encode(malleated), reason: authn.ReasonSignature, guards: []string{"signature"}},
		{name: "Ed25519 all zero", token: token[:cut] + encode(make([]byte, 64)), reason: authn.ReasonSignature, guards: []string{"signature"}},
	}
}
