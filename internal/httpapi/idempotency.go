package httpapi

import (
	"crypto/sha256"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// idempotencyHeader is that of draft-ietf-httpapi-idempotency-key-header. The
// draft makes its value a quoted string; most clients send it bare.
const idempotencyHeader = "Idempotency-Key"

// idempotencyOf reads the key of a request, and digests what the key stands
// for: the operation, what its path names, and the body, byte for byte. It is
// nil without a key.
func idempotencyOf(r *http.Request, operation string, path gin.Params, body []byte) (*vault.Idempotency, error) {
	given := r.Header.Values(idempotencyHeader)
	if len(given) == 0 {
		return nil, nil
	}
	if len(given) > 1 {
		return nil, vault.Invalid("header:"+idempotencyHeader, "must be given once")
	}
	key := given[0]
	if bare, quoted := strings.CutPrefix(key, `"`); quoted {
		key = strings.TrimSuffix(bare, `"`)
	}
	if !vault.IsIdempotencyKey(key) {
		return nil, vault.Invalid("header:"+idempotencyHeader, "must be 1 to 128 letters, digits and any of . _ : -")
	}
	digest := sha256.New()
	// An operation always has as many parts in its path, and neither they nor
	// its name have a zero byte: see the patterns of the document. A hash never
	// fails.
	_, _ = io.WriteString(digest, operation+"\x00")
	for _, part := range path {
		_, _ = io.WriteString(digest, part.Value+"\x00")
	}
	_, _ = digest.Write(body)
	return &vault.Idempotency{Key: key, Body: [sha256.Size]byte(digest.Sum(nil))}, nil
}
