package detect

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folding says what a character becomes: an ASCII character, or one of the following.
type folding byte

const (
	asItIs        folding = 0
	vanishes      folding = 0x80 + iota // nobody sees it
	overDigit                           // a mark: over a digit it vanishes, over a letter it belongs there
	betweenDigits                       // a long dash: between digits a hyphen, elsewhere it divides clauses
	homoglyph                           // a letter of another script that looks like a Latin one: see word
)

// foldings is foldOf for the basic plane: one look-up a character, for in some scripts all of them are asked about.
var foldings = func() *[0x10000]folding {
	var t [0x10000]folding
	for _, block := range foldedBlocks {
		for r := block[0]; r < block[1]; r++ {
			t[r] = foldRune(r)
		}
	}
	return &t
}()

// foldedBlocks are where the characters lie that foldRune knows, so that a program does not begin by asking it about all
// of them.
var foldedBlocks = [][2]rune{{utf8.RuneSelf, 0x3200}, {0xA600, 0xAC00}, {0xF900, 0x10000}}

func foldOf(r rune) folding {
	switch {
	case r < utf8.RuneSelf:
		return asItIs
	case r < 0x10000:
		return foldings[r]
	}
	return foldRune(r)
}

// foldRune knows what a character stands for inside a value.
func foldRune(r rune) folding {
	switch {
	case r == 0x85, r == 0x2028, r == 0x2029:
		return '\n'
	case r < 0xA0:
		return asItIs
	case r == 0xA0, r == 0x1680, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	case unseen(r):
		return vanishes
	case r >= 0x300 && r <= 0x36F, r >= 0x20D0 && r <= 0x20F0:
		return overDigit
	case r == 0x2014, r == 0x2015, r == 0x30FC, r == 0xFF70:
		return betweenDigits
	case r >= 0xFF01 && r <= 0xFF5E:
		return folding(ascii(r - 0xFF01 + '!'))
	case homoglyphs[r] != 0:
		return homoglyph
	}
	if c, ok := punctuation[r]; ok {
		return folding(c)
	}
	switch {
	case r >= 0x24B6 && r <= 0x24E9, r >= 0x1D400 && r < 0x1D7CE: // letters in circles, letters of formulae
		if plain, size := utf8.DecodeRuneInString(norm.NFKC.String(string(r))); size == 1 {
			return folding(ascii(plain))
		}
	case r >= 0x660 && unicode.Is(unicode.Nd, r):
		return folding(ascii('0' + decimal(r)))
	}
	return asItIs
}

// ascii is an ASCII character as a byte; 0 for any other.
func ascii(r rune) byte {
	if r < 0 || r >= utf8.RuneSelf {
		return 0
	}
	return byte(r)
}

// unseen says whether nothing is drawn for a character: zero-width, directional, variation selectors, fillers, tags.
func unseen(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r >= 0x180B && r <= 0x180F,
		r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F, r == 0x3164,
		r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF, r == 0xFFA0, r >= 0xE0000 && r <= 0xE01EF:
		return true
	}
	return false
}

// punctuation looks like the ASCII character and is written for it. The long dashes are betweenDigits.
var punctuation = map[rune]byte{
	0x2D7: '-', 0x1806: '-', 0x2010: '-', 0x2011: '-', 0x2012: '-', 0x2013: '-', 0x2043: '-', 0x2212: '-', 0xFE58: '-', 0xFE63: '-',
	0x2024: '.', 0xFE52: '.', 0x2236: ':', 0xA789: ':', 0xFE55: ':', 0x2044: '/', 0x2215: '/', 0xFE62: '+', 0xFE6B: '@',
	0xFE59: '(', 0xFE5A: ')',
}

// decimal is the value of a decimal digit: Unicode assigns them in runs of ten, zero first.
func decimal(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		lo, hi := rune(t.Lo), rune(t.Hi) //nolint:gosec // tables of Unicode end at 0x10FFFF
		if r <= hi {
			return (r - lo) % 10
		}
	}
	return 0
}
