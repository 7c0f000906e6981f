package authn

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// credential is a token on its way through the checks. What a check establishes
// stands here for the next.
type credential struct {
	shown     string // the fingerprint of the connection's certificate, or ""
	signed    string // header and payload as they came: what was signed
	signature []byte
	header    object
	claims    object

	issuer    *issuer   // set by checkIssuer
	algorithm algorithm // set by checkKey
	kid       string    // set by checkKey
	key       *publicKey

	// Set by readClaims, after the signature.
	expires, notBefore, issued time.Time
	audiences                  []string
	bound                      string // the fingerprint that cnf names, or ""
	caller                     vault.Caller
}

// Headers that bring a key along, point at one, or change how the rest is to be
// read. A verifier that ignored them would not be wrong, but no honest issuer
// sends them to us, and some library behind us may obey.
var refusedHeaders = []string{"crit", "jwk", "jku", "x5u", "x5c", "b64", "enc", "zip", "cty"}

// Types of RFC 7519 and RFC 9068. Others (logout tokens, security events, DPoP
// proofs) are signed by the same keys and are no access tokens.
var acceptedTypes = []string{"jwt", "at+jwt", "application/at+jwt"}

// parseCompact takes a compact JWS apart without believing any of it.
func parseCompact(bearer string) (*credential, error) {
	parts := strings.Split(bearer, ".")
	if len(parts) != 3 {
		return nil, refuse(ReasonMalformed, "not three segments")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = decodeSegment(part); err != nil {
			return nil, err
		}
	}
	c := &credential{signed: parts[0] + "." + parts[1], signature: decoded[2]}
	var err error
	if c.header, err = decodeObject(decoded[0]); err != nil {
		return nil, refuse(ReasonMalformed, "the header is no unambiguous JSON object")
	}
	if c.claims, err = decodeObject(decoded[1]); err != nil {
		return nil, refuse(ReasonMalformed, "the payload is no unambiguous JSON object")
	}
	return c, nil
}

// decodeSegment accepts one spelling per byte string. Strict refuses trailing
// bits that are not zero; line breaks, which encoding/base64 skips even then,
// are refused here.
func decodeSegment(segment string) ([]byte, error) {
	if strings.ContainsAny(segment, "\r\n") {
		return nil, refuse(ReasonMalformed, "a line break in a segment")
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, refuse(ReasonMalformed, "a segment is not strict base64url")
	}
	return decoded, nil
}

// checkHeader refuses headers that no access token for this service has.
func checkHeader(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	for _, name := range refusedHeaders {
		if _, present := c.header[name]; present {
			return refuse(ReasonMalformed, "a header that is not accepted")
		}
	}
	if typ, present := c.header["typ"]; present {
		name, ok := typ.(string)
		if !ok || !slices.Contains(acceptedTypes, strings.ToLower(name)) {
			return refuse(ReasonMalformed, "typ is not that of an access token")
		}
	}
	return nil
}
