package audit

import (
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// ParseTreeHead reads the body of a checkpoint without its signature.
var ParseTreeHead = parseTreeHead

// FieldNames lists the table in order, with what becomes of each.
func FieldNames() (names []string) {
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

// ClientNames is the table of the client object in order.
func ClientNames() (names []string) {
	for _, p := range clientParts {
		names = append(names, p.name)
	}
	return names
}

// AppendString is the string encoder, which entries only ever give ASCII
// without quotes.
func AppendString(s string) string { return string(appendString(nil, s)) }

// AllowAnyText takes the guard against free text out for one test.
func AllowAnyText(t *testing.T) {
	for _, r := range []*rule{identifierRule, nameRule, digestRule} {
		old := *r
		r.min, r.max = 0, MaxLeaf
		for i := range r.chars {
			r.chars[i] = true
		}
		t.Cleanup(func() { *r = old })
	}
}

// SignText signs any text as Sign signs the body of a checkpoint.
func SignText(s *Signer, text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, s.key)
}

// ParseShort and ParseLong are the two ways in which ParseLeaf reads a leaf.
var ParseShort, ParseLong = parseCanonical, parseLong

// SpoilCut changes every subtree that the end of the tree cuts short.
func (b *Batch) SpoilCut() {
	for i := range b.cut {
		b.cut[i][0] ^= 1
	}
}
