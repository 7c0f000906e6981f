package detect

import (
	"strconv"
	"strings"
)

// idPattern is one fixed sequence of characters of a rule. Its anchor is the first word of it that holds a digit
// for certain: the word at which the pass stops.
type idPattern struct {
	rule   *idKnown
	shape  string
	before int // characters before the anchor
	anchor int // length of the anchor
	seps   uint8
	digits bool // no letter in it
	scores idScores
}

// separatorKind numbers the separators that a form may allow; 0 is every other character.
var separatorKind = [256]uint8{' ': 1, '-': 2, '.': 3, '/': 4, ':': 5}

// separatorBits are the bits of idPattern.seps.
var separatorBits = [256]uint8{' ': 1 << 1, '-': 1 << 2, '.': 1 << 3, '/': 1 << 4, ':': 1 << 5}

// characterKind is 0 for a digit, 1 for a letter, 2 for the rest.
var characterKind = func() (kinds [256]uint8) {
	for c := range kinds {
		switch {
		case isDigit(byte(c)):
		case isAlpha(byte(c)):
			kinds[c] = 1
		default:
			kinds[c] = 2
		}
	}
	return kinds
}()

func newPattern(k *idKnown, shape string, f idForm) idPattern {
	p := idPattern{rule: k, shape: shape, scores: f.scores, digits: true}
	for i := range len(shape) {
		p.digits = p.digits && (isDigit(shape[i]) || !inCode(shape[i]))
	}
	for i := range len(f.seps) {
		bit := separatorBits[f.seps[i]]
		if bit == 0 {
			panic("detect: no separator of identifiers in " + k.because[byBare])
		}
		p.seps |= bit
	}
	best := 0 // 1: a word that may hold a digit, 2: one that does
	for i := 0; i < len(shape); {
		n := 0
		for i+n < len(shape) && inCode(shape[i+n]) {
			n++
		}
		word, kind := shape[i:i+n], 0
		switch {
		case strings.ContainsAny(word, "0123456789"):
			kind = 2
		case strings.Contains(word, "*"):
			kind = 1
		}
		if kind > best {
			best, p.before, p.anchor = kind, i, n
		}
		i += max(n, 1)
	}
	if best == 0 || p.anchor > maxCode || len(shape) > maxCode || p.seps == 0 && strings.Contains(shape, "_") {
		panic("detect: impossible form of " + k.because[byBare])
	}
	return p
}

// kinds are the separators that may stand where the shape has c.
func (p *idPattern) kinds(c byte) []uint8 {
	if c != '_' {
		return []uint8{separatorKind[c]}
	}
	var out []uint8
	for kind := uint8(1); kind < separators; kind++ {
		if p.seps&(1<<kind) != 0 {
			out = append(out, kind)
		}
	}
	return out
}

// following are the kinds of characters that may stand at place i of the shape.
func (p *idPattern) following(i int) []uint8 {
	switch {
	case i < len(p.shape) && p.shape[i] == '*':
		return []uint8{0, 1}
	case i < len(p.shape) && p.shape[i] == '@':
		return []uint8{1}
	case i < len(p.shape):
		return []uint8{characterKind[p.shape[i]]}
	}
	return []uint8{0, 1, 2}
}

// inCode says whether a character of a shape stands for a letter or digit.
func inCode(c byte) bool { return isAlnum(c) || c == '@' || c == '*' }

// expand writes out the repetitions of a shape: "9{2-3}" is "99" and "999".
func expand(shape string) []string {
	out := []string{""}
	for i := 0; i < len(shape); i++ {
		least, most := 1, 1
		c := shape[i]
		if i+1 < len(shape) && shape[i+1] == '{' {
			n := strings.IndexByte(shape[i:], '}')
			if n < 0 {
				panic("detect: open repetition in a form")
			}
			least, most = repetition(shape[i+2 : i+n])
			i += n
		}
		var longer []string
		for _, s := range out {
			for n := least; n <= most; n++ {
				longer = append(longer, s+strings.Repeat(string(c), n))
			}
		}
		if out = longer; len(out) > maxForms {
			panic("detect: a form with too many repetitions")
		}
	}
	return out
}

func repetition(s string) (least, most int) {
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	least, err := strconv.Atoi(from)
	most, err2 := strconv.Atoi(to)
	if err != nil || err2 != nil || least > most || most > maxCode {
		panic("detect: bad repetition in a form")
	}
	return least, most
}

// fit compares the text at start, which holds len(p.shape) bytes there, and says which separator is used and
// whether there are small letters.
func (p *idPattern) fit(text string, start int) (sep byte, small, ok bool) {
	for i := range len(p.shape) {
		c := text[start+i]
		switch e := p.shape[i]; e {
		case '9':
			if !isDigit(c) {
				return 0, false, false
			}
		case '@', '*':
			if !isAlnum(c) || e == '@' && isDigit(c) {
				return 0, false, false
			}
			small = small || isLower(c)
		case '_':
			if separatorBits[c]&p.seps == 0 || sep != 0 && sep != c {
				return 0, false, false
			}
			sep = c
		default:
			if c != e {
				if !isLower(c) || c != lower(e) {
					return 0, false, false
				}
				small = true
			}
		}
	}
	return sep, small, true
}
