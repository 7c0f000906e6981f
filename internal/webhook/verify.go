package webhook

import (
	"crypto/hmac"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What a receiver refuses.
var (
	// ErrHeader says that a header field is missing, given twice or no number.
	ErrHeader = errors.New("webhook: a header field is missing or malformed")
	// ErrStale says that the attempt is older or newer than [Tolerance] allows.
	ErrStale = errors.New("webhook: the time of the attempt is too far away")
	// ErrSignature says that no signature is by this secret.
	ErrSignature = errors.New("webhook: no signature verifies")
)

// Verify is what a receiver does before it believes a word: body is what came,
// byte for byte, and secret what [ParseSecret] made of the text that both sides
// have. A receiver then drops a webhook-id that it has seen before.
func Verify(header http.Header, body, secret []byte, now time.Time) error {
	id, okID := only(header, HeaderID)
	stamp, okStamp := only(header, HeaderTimestamp)
	given, okGiven := only(header, HeaderSignature)
	if !okID || !okStamp || !okGiven || strings.Contains(id, contentSeparator) {
		return ErrHeader
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamp {
		return ErrHeader
	}
	at := time.Unix(seconds, 0)
	if at.Before(now.Add(-Tolerance)) || at.After(now.Add(Tolerance)) {
		return ErrStale
	}
	want := []byte(sign(secret, id, at, body))
	for one := range strings.SplitSeq(given, " ") {
		// It takes the same time wherever the two differ.
		if hmac.Equal([]byte(one), want) {
			return nil
		}
	}
	return ErrSignature
}

// only returns a header field that is there once: of two, somebody else may
// read the other one.
func only(header http.Header, name string) (string, bool) {
	values := header.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}
