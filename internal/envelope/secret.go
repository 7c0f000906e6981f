package envelope

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a secret would be printed.
const redacted = "[redacted]"

// Secret holds key bytes and prints as "[redacted]" in fmt, slog, JSON and
// every text encoding. The zero value holds nothing.
//
// The bytes sit behind two pointers, because fmt cannot call methods on an
// unexported field of another struct and looks into it instead. It follows one
// pointer where a verb does not fit, and of the second prints the address.
type Secret struct {
	bytes **[]byte
}

// NewSecret takes the bytes over: the caller must not use them afterwards.
// Taking over instead of copying keeps the number of copies in memory at one.
func NewSecret(b []byte) Secret {
	p := &b
	return Secret{bytes: &p}
}

// RandomSecret makes a secret of KeySize bytes from the system's generator.
func RandomSecret() Secret {
	b := make([]byte, KeySize)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return NewSecret(b)
}

// Reveal returns the bytes themselves, not a copy. They are valid until Wipe
// and must be neither changed nor kept.
func (s Secret) Reveal() []byte {
	if s.bytes == nil {
		return nil
	}
	return **s.bytes
}

// Len tells the number of bytes.
func (s Secret) Len() int { return len(s.Reveal()) }

// Equal compares in a time that depends on the lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.Reveal(), other.Reveal()) == 1
}

// Wipe zeroes the bytes, for every copy of this Secret. It must not run while
// somebody reads what Reveal returned.
func (s Secret) Wipe() { clear(s.Reveal()) }

// Format writes the redaction for every verb, %x and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns the redaction.
func (s Secret) String() string { return redacted }

// GoString returns the redaction.
func (s Secret) GoString() string { return redacted }

// LogValue returns the redaction.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns the redaction; JSON, XML and slog use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
