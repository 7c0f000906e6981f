package certificate

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
)

// Fingerprint names the client of a connection: the SHA-256 of its certificate,
// written as in the member x5t#S256 of RFC 8705 section 3.1. It is "" where
// there is no certificate, or one that nobody has verified: a server that only
// asks for certificates is shown whatever the client likes.
func Fingerprint(state *tls.ConnectionState) string {
	if state == nil || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return ""
	}
	digest := sha256.Sum256(state.VerifiedChains[0][0].Raw)
	return base64.RawURLEncoding.EncodeToString(digest[:])
}
