package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// folded is a word in small letters without accents, at most maxFolded bytes of it.
type folded struct {
	buf [maxFolded]byte
	n   int
	// capital says that the first letter is one.
	capital bool
}

// maxFolded is above all but 1 in 100,000 words; the rest is known by its first letters.
const maxFolded = 32

// Hashes of the tokens that are no words. They cannot be mistaken for words by more than chance.
const (
	edgeHash    = 0x6b3d1f05
	lineHash    = 0x1c8e44d3
	blankHash   = 0x52a9b7e1
	barrierHash = 0x7f10c26b
	addressHash = 0x3ad5e98f
	digitsHash  = 0x24f7a3b9
)

func setOf(words string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// fold writes the word without '#', apostrophes, hyphens and dots, digits as '0'. It reports how it is written.
func (f *folded) fold(word string) (s shape, foreign bool) {
	f.n = 0
	var w written
	for i := 0; i < len(word); {
		c := word[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case isLower(c):
				w.small(i)
			case isUpper(c):
				w.capital()
				c |= 0x20
			case isDigit(c):
				w.digits++
				c = '0'
			default:
				w.marks(c)
				continue
			}
			f.put(c)
			continue
		}
		foreign = true
		r, n := utf8.DecodeRuneInString(word[i:])
		i += n
		if r == '’' || unicode.IsMark(r) {
			w.marks('\'')
			continue
		}
		w.rune(r, i)
		f.rune(r)
	}
	f.capital = w.first
	return w.shape(), foreign
}

func (f *folded) put(c byte) {
	if f.n < maxFolded {
		f.buf[f.n] = c
		f.n++
	}
}

// rune writes a letter beyond ASCII: its base letter where it has one.
func (f *folded) rune(r rune) {
	if int(r) >= firstBase && int(r) < firstBase+len(bases) {
		if b := bases[int(r)-firstBase]; b != '?' {
			f.put(b)
			return
		}
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], unicode.ToLower(r))
	for _, c := range buf[:n] {
		f.put(c)
	}
}

// bases are the base letters of U+00C0 to U+017F (Latin-1 and Latin Extended-A), '?' where there is none.
const (
	firstBase = 0xC0
	bases     = "aaaaaaaceeeeiiiidnooooo?ouuuuytsaaaaaaaceeeeiiiidnooooo?ouuuuyty" +
		"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll" +
		"lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
)

// written counts how a word is written.
type written struct {
	letters, capitals, digits, dots int
	first, inner                    bool // the first letter is a capital; one after a small letter is
	afterMark, lastSmall, caseless  bool
}

func (w *written) capital() {
	if w.letters == 0 && w.digits == 0 {
		w.first = true
	} else if w.lastSmall && !w.afterMark {
		w.inner = true
	}
	w.letters++
	w.capitals++
	w.lastSmall, w.afterMark = false, false
}

func (w *written) small(int) {
	w.letters++
	w.lastSmall, w.afterMark = true, false
}

func (w *written) marks(c byte) {
	if c == '.' {
		w.dots++
	}
	w.afterMark = true
}

func (w *written) rune(r rune, i int) {
	switch {
	case unicode.IsUpper(r):
		w.capital()
	case unicode.IsLower(r):
		w.small(i)
	case unicode.IsDigit(r):
		w.digits++
	default:
		w.letters++
		w.caseless = true
	}
}

func (w *written) shape() shape {
	switch {
	case w.letters == 0 && w.digits > 0:
		return digitShape
	case w.letters == 0:
		return otherShape
	case w.digits > 0:
		return alnumShape
	case w.caseless && w.capitals == 0:
		return caselessShape
	case w.capitals == 0:
		return lowerShape
	case w.letters == w.capitals && w.dots > 0:
		return initialShape
	case w.letters == 1:
		return letterShape
	case w.letters == w.capitals:
		return upperShape
	case w.inner || !w.first:
		return mixedShape
	default:
		return titleShape
	}
}

// addWord appends a word or number with all that features ask of it.
func (t *tokenizer) addWord(text string, from, to int, k kind) {
	f := &t.scratch
	word := text[from:min(to, from+4*maxFolded)]
	s, foreign := f.fold(word)
	w := token{kind: k, shape: s, foreign: foreign, length: uint8(f.n)} //nolint:gosec // at most maxFolded
	b := f.buf[:f.n]
	w.hash = hashBytes(b)
	w.firstDigit, w.capital = isDigit(text[from]), f.capital
	if k == numberToken {
		w.pointed, w.dashed = strings.ContainsAny(word, ".,:"), strings.ContainsAny(word, "-/")
		if len(b) > 5 {
			w.hash = digitsHash
		}
		t.add(w, from, to)
		return
	}
	if k == clitic {
		t.add(w, from, to)
		return
	}
	w.prefix = hashBytes(b[:min(3, len(b))])
	w.suffix2 = hashBytes(b[max(0, len(b)-2):])
	w.suffix3 = hashBytes(b[max(0, len(b)-3):])
	w.suffix4 = hashBytes(b[max(0, len(b)-4):])
	for i := 1; i+3 < len(b) && int(w.gramCount) < maxGrams; i++ {
		w.grams[w.gramCount] = uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16
		w.gramCount++
	}
	if t.lists != nil {
		w.lists = t.lists.find(w.hash)
	}
	w.role = roles[w.hash]
	if text[from] == '#' {
		w.hash ^= 0x5f5f5f5f
	}
	t.add(w, from, to)
}

// hashBytes is FNV-1a with a final mix, since features use the upper bits.
func hashBytes(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return finish(h)
}

func hashString(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return finish(h)
}

func finish(h uint32) uint32 {
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	return h
}

// pair is the hash of two words in a row.
func pair(a, b uint32) uint32 { return finish(a*31 + b) }
