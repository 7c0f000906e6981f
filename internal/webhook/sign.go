package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// The header fields of the specification.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix     = "whsec_"
	signaturePrefix  = "v1," // HMAC-SHA256; v1a would be Ed25519
	contentSeparator = "."
)

// ErrSecret is a text that is no secret. It does not show the text.
var ErrSecret = errors.New("webhook: a secret must be whsec_ and the base64 of 24 to 64 bytes")

// ParseSecret reads a secret as the specification writes it, in its one spelling.
func ParseSecret(text string) ([]byte, error) {
	encoded, found := strings.CutPrefix(text, secretPrefix)
	if !found || strings.ContainsAny(encoded, "\r\n") {
		return nil, ErrSecret
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(secret) < MinSecretBytes || len(secret) > MaxSecretBytes {
		return nil, ErrSecret
	}
	return secret, nil
}

// sign returns the signature of one secret. An id has no full stop, so that
// what is signed can be read in one way only.
func sign(secret []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	// A hash never fails to write.
	_, _ = mac.Write([]byte(id + contentSeparator + strconv.FormatInt(at.Unix(), 10) + contentSeparator))
	_, _ = mac.Write(body)
	return signaturePrefix + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signatures is the value of the header field: one for each secret.
func signatures(secrets [][]byte, id string, at time.Time, body []byte) string {
	all := make([]string, len(secrets))
	for n, secret := range secrets {
		all[n] = sign(secret, id, at, body)
	}
	return strings.Join(all, " ")
}
