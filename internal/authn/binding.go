package authn

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// readConfirmation takes the certificate that the token is bound to. RFC 7800
// section 3.1 lets cnf name one key; a member that is not known here is a proof
// that nobody would ask for.
func readConfirmation(c *credential) error {
	value, present := c.claims["cnf"]
	if !present {
		return nil
	}
	confirmation, ok := value.(object)
	thumbprint, isText := confirmation["x5t#S256"].(string)
	if !ok || !isText || len(confirmation) != 1 {
		return refuse(ReasonClaims, "cnf binds the token to a proof that is not checked here")
	}
	if !isThumbprint(thumbprint) {
		return refuse(ReasonClaims, "x5t#S256 is no SHA-256 digest in base64url")
	}
	c.bound = thumbprint
	return nil
}

// isThumbprint accepts the one spelling of a digest, so that equal digests are
// equal texts.
func isThumbprint(s string) bool {
	digest, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(digest) == sha256.Size && !strings.ContainsAny(s, "\r\n")
}

// proves tells whether a connection over which a certificate was shown may
// carry a token that is bound to one. Both are fingerprints; an empty one is
// none. It takes the same time wherever two of them differ.
func proves(shown, bound string) bool {
	return bound == "" || subtle.ConstantTimeCompare([]byte(shown), []byte(bound)) == 1
}
