package token

import "unicode/utf8"

// filter tells in a few instructions that no candidate begins at a byte, from it
// and its three neighbours. It is what makes a scan of prose fast: a branch is
// taken only where the four tables share a bit. One bit stands for the labels
// that begin with one letter, two for the brackets.
type filter struct {
	before [256]uint32 // outside loose scans
	first  [256]uint32
	second [256]uint32
	third  [256]uint32
}

const (
	bitASCIIBracket = 1 << 26 // [ and \[ and %5B
	bitWideBracket  = 1 << 27 // brackets beyond ASCII
	allBits         = 1<<28 - 1
	bracketBits     = bitASCIIBracket | bitWideBracket
)

// newFilter fills the tables from the tree.
func newFilter(v *Vocabulary) (f filter) {
	for b := range 256 {
		f.before[b] = allBits
		if b < utf8.RuneSelf && isWord(rune(b)) {
			f.before[b] = bracketBits
		}
		if b >= utf8.RuneSelf || asciiClass[b] == classFiller {
			// An inserted character after the first or second letter.
			f.second[b] |= allBits &^ bitWideBracket
			f.third[b] |= allBits &^ bitWideBracket
		}
		f.third[b] |= bitASCIIBracket
	}
	for letter := byte('A'); letter <= 'Z'; letter++ {
		if at := v.nodes[0].next[slotOf(letter)]; at != 0 {
			f.addLetter(v, letter, &v.nodes[at])
		}
	}
	for _, b := range []byte("[%\\") {
		f.first[b] |= bitASCIIBracket
		f.second[b] |= bitASCIIBracket
	}
	f.second['5'] |= bitASCIIBracket
	for _, r := range "［【〔⟦" {
		var b [utf8.UTFMax]byte
		utf8.EncodeRune(b[:], r)
		f.first[b[0]] |= bitWideBracket
		f.second[b[1]] |= bitWideBracket
		f.third[b[2]] |= bitWideBracket
	}
	return f
}

// addLetter admits the labels that begin with one letter.
func (f *filter) addLetter(v *Vocabulary, letter byte, after *node) {
	bit := uint32(1) << (letter - 'A')
	admit := func(table *[256]uint32, c byte, bit uint32) {
		table[c] |= bit
		table[lower(c)] |= bit
	}
	admit(&f.first, letter, bit)
	admit(&f.second, letter, bitASCIIBracket)
	for c := byte('0'); c <= 'Z'; c++ {
		if asciiClass[c] <= classFiller {
			continue
		}
		at := after.next[slotOf(c)]
		if at == 0 {
			continue
		}
		admit(&f.second, c, bit)
		admit(&f.third, c, bit) // behind an inserted character
		for d := byte('0'); d <= 'Z'; d++ {
			if asciiClass[d] > classFiller && v.nodes[at].next[slotOf(d)] != 0 {
				admit(&f.third, d, bit)
			}
		}
	}
	if len(after.shapes) != 0 {
		f.oneLetter(bit)
	}
}

// oneLetter admits any id behind a label of a single letter and an underscore.
func (f *filter) oneLetter(bit uint32) {
	for c := range f.third {
		f.third[c] |= bit
	}
}

// skip returns the first position at or after from where a candidate may begin.
func (f *filter) skip(text string, from int, loose bool) int {
	prior := uint32(allBits)
	if from > 0 && !loose {
		prior = f.before[text[from-1]]
	}
	i := from
	for ; i+2 < len(text); i++ {
		b := text[i]
		if prior&f.first[b]&f.second[text[i+1]]&f.third[text[i+2]] != 0 {
			return i
		}
		if !loose {
			prior = f.before[b]
		}
	}
	for ; i < len(text); i++ {
		if f.first[text[i]] != 0 {
			return i
		}
	}
	return len(text)
}

// isBracket says whether a position that skip returned may hold a bracket.
func (f *filter) isBracket(b byte) bool { return f.first[b]&bracketBits != 0 }

// promising says whether the letters at i may go on to a whole label and a gap:
// the second sieve, for what skip lets through.
func (s *scanner) promising(i int) bool {
	nodes := s.words.nodes
	at := uint16(0)
	for end := min(len(s.text), i+maxUnits); i < end && s.text[i] < utf8.RuneSelf; i++ {
		s.steps++
		switch c := asciiClass[s.text[i]]; {
		case c == classOther:
			return false
		case c > classFiller:
			if at = nodes[at].next[slotOf(c)]; at == 0 {
				return false
			}
		case len(nodes[at].shapes) != 0:
			return true // a whole label, and then a gap
		}
	}
	return true // read has to look closer
}
