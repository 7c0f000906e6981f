package token

import (
	"unicode"
	"unicode/utf8"
)

// crockford is Douglas Crockford's base 32 alphabet
// (https://www.crockford.com/base32.html): digits and capitals without I, L, O, U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const bitsPerSymbol = 5

// noSymbol marks a byte that is none of the 32 symbols.
const noSymbol = 0xFF

// canonical maps the capital alphabet to values. repaired also reads O as 0 and
// I and L as 1, as Crockford's decoding does; only tolerant readings use it.
var canonical, repaired = symbolTables()

func symbolTables() (strict, tolerant [256]byte) {
	for i := range strict {
		strict[i] = noSymbol
	}
	for i := range len(crockford) {
		strict[crockford[i]] = byte(i)
	}
	tolerant = strict
	tolerant['O'] = 0
	tolerant['I'], tolerant['L'] = 1, 1
	return strict, tolerant
}

// The classes of an ASCII byte inside a candidate. Every value above
// classFiller is a letter or digit, in upper case.
const (
	classOther  = 0
	classFiller = 1
)

// asciiClass says what a byte is inside a candidate.
var asciiClass = func() (t [utf8.RuneSelf]byte) {
	for _, b := range []byte(" \t\n\r-_\\") {
		t[b] = classFiller
	}
	for b := byte('0'); b <= '9'; b++ {
		t[b] = b
	}
	for b := byte('A'); b <= 'Z'; b++ {
		t[b], t[b+'a'-'A'] = b, b
	}
	return t
}()

// isFiller says which characters beyond ASCII a model or a renderer puts inside
// a token: spaces, zero-width characters, hyphens, the full-width underscore.
func isFiller(r rune) bool {
	switch r {
	case 0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, // zero width
		0x2010, 0x2011, 0x2012, 0x2013, 0xFF0D, // hyphens
		0x2028, 0x2029, 0xFF3F: // line ends, underscore
		return true
	}
	return unicode.Is(unicode.Zs, r)
}

// isWord says whether a character next to a reading without brackets makes it
// part of a longer word. Scripts that write no spaces do not: there a token
// always touches its neighbours.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 0 && (asciiClass[r] > classFiller || r == '_')
	}
	if !unicode.In(r, unicode.L, unicode.M, unicode.N) {
		return false
	}
	return !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// The brackets that are read as ours. A percent-encoded one is ASCII and is
// handled where the text is read.
func isOpening(r rune) bool {
	return r == '[' || r == '［' || r == '【' || r == '〔' || r == '⟦'
}

func isClosing(r rune) bool {
	return r == ']' || r == '］' || r == '】' || r == '〕' || r == '⟧'
}

// lower turns one ASCII capital into a small letter.
func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
