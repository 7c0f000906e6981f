package token

import "hash/crc32"

// Unchecked is the vocabulary without the guard that the check characters are,
// for the twin of their test.
func (v *Vocabulary) Unchecked() *Vocabulary {
	twin := *v
	twin.unchecked = true
	return &twin
}

// ScanSteps is how many characters a scan looks at.
func (v *Vocabulary) ScanSteps(text string, loose bool) int {
	s := scanner{words: v, text: text, final: true, loose: loose}
	for at := 0; ; {
		m, got := s.next(at)
		if got != present {
			return s.steps
		}
		at = m.start + 1
	}
}

// StepsPerStart bounds the characters looked at from one position: the sieve,
// an attempt, its ends, and another attempt behind a backslash.
const StepsPerStart = 4 * maxUnits

// PlaceBehind is the place behind a text, with or without the short cut that
// saves time.
func PlaceBehind(text string, shortCut bool) Place {
	p := newPlacer()
	if shortCut {
		p.advance(text)
	} else {
		for i := range len(text) {
			p.step(text[i])
		}
	}
	return p.token(Token{}, 0)
}

// FoldSeparates says whether a multiplier gives all labels different bits.
func FoldSeparates(labels []string, multiplier uint32) bool {
	var seen [1024]bool
	for _, label := range labels {
		bits := crc32.ChecksumIEEE([]byte(label)) * multiplier >> 22
		if seen[bits] {
			return false
		}
		seen[bits] = true
	}
	return true
}

// FoldMultiplier is the constant of mixOf, which counts opaqueMix as a label.
const (
	FoldMultiplier = foldMultiplier
	OpaqueMix      = opaqueMix
)

// Checksum is that of a label.
var Checksum = checksum
