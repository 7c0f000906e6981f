package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Manifest says what of a body was searched and what was not, and why. It
// holds places, never texts.
type Manifest struct {
	Shape   Shape     `json:"shape"`
	Scanned []Scanned `json:"scanned"` // one for each leaf, in the same order
	Skipped []Skip    `json:"skipped"`
}

// Scanned is a leaf that was searched.
type Scanned struct {
	Pointer string `json:"pointer"`
	Kind    Kind   `json:"kind"`
}

// Redacted stands in a pointer for a key in which something was found.
const Redacted = "<redacted>"

// Manifest describes the body. Of the leaves that are keys it asks which ones
// must not be shown; those parts are redacted in every pointer.
func (d *Document) Manifest(redact func(leaf int) bool) Manifest {
	hidden := map[string]bool{}
	for i := range d.leaves {
		if d.leaves[i].Kind == KindKey && redact != nil && redact(i) {
			hidden[d.leaves[i].Pointer] = true
		}
	}
	m := Manifest{
		Shape:   d.shape,
		Scanned: make([]Scanned, len(d.leaves)),
		Skipped: make([]Skip, len(d.skips)),
	}
	for i := range d.leaves {
		m.Scanned[i] = Scanned{redacted(d.leaves[i].Pointer, hidden), d.leaves[i].Kind}
	}
	for i, s := range d.skips {
		m.Skipped[i] = Skip{redacted(s.Pointer, hidden), s.Why}
	}
	return m
}

// redacted replaces the last part of every hidden pointer that this one begins
// with, or is.
func redacted(pointer string, hidden map[string]bool) string {
	if len(hidden) == 0 {
		return pointer
	}
	var b strings.Builder
	done := 0
	for end := nextPart(pointer, 0); end >= 0; end = nextPart(pointer, end) {
		if hidden[pointer[:end]] {
			slash := strings.LastIndexByte(pointer[:end], '/')
			b.WriteString(pointer[done:slash+1] + Redacted)
			done = end
		}
	}
	return b.String() + pointer[done:]
}

// nextPart returns where the part behind from ends, or -1.
func nextPart(pointer string, from int) int {
	if from == len(pointer) {
		return -1
	}
	if n := strings.IndexByte(pointer[from+1:], '/'); n >= 0 {
		return from + 1 + n
	}
	return len(pointer)
}

// Canonical is the manifest in the canonical JSON of RFC 8785.
func (m *Manifest) Canonical() []byte {
	b := []byte(`{"scanned":[`)
	for i, s := range m.Scanned {
		b = member(b, i, `{"kind":"`, string(s.Kind))
		b = member(b, 0, `,"pointer":"`, s.Pointer)
		b = append(b, '}')
	}
	b = member(b, 0, `],"shape":"`, string(m.Shape))
	b = append(b, `,"skipped":[`...)
	for i, s := range m.Skipped {
		b = member(b, i, `{"pointer":"`, s.Pointer)
		b = member(b, 0, `,"why":"`, s.Why)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// member writes what begins a member and its text, behind a comma unless it is
// the first.
func member(b []byte, i int, begin, text string) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(appendEscaped(append(b, begin...), text), '"')
}

// Digest is the SHA-256 of Canonical, in hexadecimal.
func (m *Manifest) Digest() string {
	sum := sha256.Sum256(m.Canonical())
	return hex.EncodeToString(sum[:])
}
