package token

import "unicode/utf8"

const (
	// MaxInserted bounds what a tolerant reading may hold more than the strict
	// form: an escape before each of six underscores and a line break, or the
	// four characters that two percent-encoded brackets are longer and four more.
	MaxInserted = 8

	// MaxCandidate is the number of code points that no candidate exceeds, and
	// so the most that a stream ever holds back.
	MaxCandidate = 96

	// maxChars bounds the letters and digits of a reading.
	maxChars = MaxLabel + labelIDChars + checkChars

	// maxUnits bounds the characters of a reading, a percent-encoded bracket
	// counted once: both brackets, the longest label, what is inserted.
	maxUnits = 1 + MaxLabel + 1 + labelIDChars + checkChars + 1 + MaxInserted
)

// The whole of a reading and one cut-off encoded bracket behind it, with both
// brackets three code points long, is within the bound: otherwise this does not
// compile.
const _ = uint(MaxCandidate - (maxUnits + 2*(encodedBracket-1) + encodedBracket))

// encodedBracket is the length of a percent-encoded bracket.
const encodedBracket = len("%5B")

// verdict is what came of an attempt to read.
type verdict int

const (
	absent  verdict = iota // no token begins here, whatever follows
	present                // one does
	starved                // more text is needed to tell
)

// A match is a reading of text[start:end].
type match struct {
	start, end int
	token      Token
	strict     bool // exact bytes of the token, with its check characters right
	sound      bool // check characters are right; otherwise only the shape is there
}

// beats says whether a reading is better than another from the same position,
// which may be none.
func (m match) beats(other match) bool {
	if m.strict != other.strict {
		return m.strict
	}
	return m.end > other.end
}

// scanner is the one automaton behind Scan, TokenLike and Stream. It reads at
// one position at a time, forward only and never beyond maxUnits, and asks
// nothing about a character before it stands in the text; so where a stream is
// cut makes no difference.
type scanner struct {
	words  *Vocabulary
	text   string
	before string // what stands before the text, as far as it matters: one character
	final  bool   // nothing follows the text
	loose  bool   // for TokenLike: neighbours do not matter, and a bare shape is enough
	steps  int    // characters looked at: the measure of work

	// The attempt under way.
	pos      int  // next byte to read
	units    int  // characters so far
	open     bool // it began with a bracket
	indented bool // something stands between that bracket and the first letter
	glued    bool // a word character stands before it
	count    int  // letters and digits so far
	chars    [maxChars]byte
	starts   [maxChars]int
	gaps     uint64 // bit i: a filler stands before character i
	path     [maxChars + 1]uint16
}

// read tries to read a token at a position, which is not in the middle of a
// character. Of several readings it returns the strict one, else the longest.
func (s *scanner) read(start int) (match, verdict) {
	if v := s.begin(start); v != present {
		return match{}, v
	}
	var best match
	found := absent
	at, alive := uint16(0), true
	var due uint64 // bit i: with i characters an id may be complete
	for s.count < maxChars {
		gap, c, v := s.char()
		if v != present {
			return best, max(found, v)
		}
		if gap && alive {
			for _, i := range s.words.nodes[at].shapes {
				due |= 1 << (s.count - 1 + s.words.shapes[i].symbols)
			}
		}
		if repaired[c] == noSymbol {
			due = 0 // no id that is under way goes on here
		}
		if alive {
			at = s.words.nodes[at].next[slotOf(c)]
			alive = at != 0
		}
		s.path[s.count] = at
		if due>>s.count&1 != 0 {
			m, v := s.complete(start)
			if v == starved {
				return match{}, starved
			}
			if v == present && m.beats(best) {
				best, found = m, present
			}
		}
		if !alive && due>>s.count <= 1 {
			break
		}
	}
	return best, found
}

// begin resets the attempt and reads an opening bracket, if there is one.
func (s *scanner) begin(start int) verdict {
	s.pos, s.units, s.count, s.gaps = start, 0, 0, 0
	s.open, s.indented = false, false
	if !s.words.filter.isBracket(s.text[start]) {
		return present
	}
	if s.text[start] == '\\' {
		s.pos, s.units = s.pos+1, 1
	}
	size, v := s.bracket(s.pos, isOpening, 'B')
	if v != present {
		return v
	}
	s.pos, s.units, s.open = s.pos+size, s.units+1, true
	return present
}

// bracket reads one bracket and returns its size in bytes. code is the last hex
// digit of its percent-encoding.
func (s *scanner) bracket(at int, is func(rune) bool, code byte) (int, verdict) {
	if at == len(s.text) {
		return 0, s.end()
	}
	s.steps++
	if s.text[at] == '%' {
		for i, want := range [...]byte{'%', '5', code} {
			if at+i == len(s.text) {
				return 0, s.end()
			}
			if b := s.text[at+i]; b != want && b != lower(want) {
				return 0, absent
			}
		}
		return encodedBracket, present
	}
	r, size, v := s.rune(at)
	if v == present && !is(r) {
		v = absent
	}
	return size, v
}

// end is the verdict where the text ends.
func (s *scanner) end() verdict {
	if s.final {
		return absent
	}
	return starved
}

// rune decodes one character. A byte that is no UTF-8 counts as a character.
func (s *scanner) rune(at int) (rune, int, verdict) {
	if !s.final && !utf8.FullRuneInString(s.text[at:]) {
		return 0, 0, starved
	}
	r, size := utf8.DecodeRuneInString(s.text[at:])
	return r, size, present
}

// filler reads one character that may be inserted and returns its size.
func (s *scanner) filler(at int) (int, verdict) {
	if at == len(s.text) {
		return 0, s.end()
	}
	s.steps++
	if b := s.text[at]; b < utf8.RuneSelf {
		if asciiClass[b] == classFiller {
			return 1, present
		}
		return 0, absent
	}
	r, size, v := s.rune(at)
	if v == present && !isFiller(r) {
		v = absent
	}
	return size, v
}

// char reads the next letter or digit and says whether fillers came before it.
func (s *scanner) char() (gap bool, c byte, v verdict) {
	for {
		size, v := s.filler(s.pos)
		if v == starved {
			return gap, 0, starved
		}
		if v == absent {
			break
		}
		gap = true
		s.pos, s.units = s.pos+size, s.units+1
		if s.units > maxUnits {
			return gap, 0, absent
		}
	}
	if s.pos == len(s.text) || s.text[s.pos] >= utf8.RuneSelf {
		return gap, 0, absent
	}
	c = asciiClass[s.text[s.pos]]
	if c <= classFiller {
		return gap, 0, absent
	}
	if gap {
		s.gaps |= 1 << s.count
		s.indented = s.indented || s.count == 0
	}
	s.chars[s.count], s.starts[s.count] = c, s.pos
	s.pos, s.units, s.count = s.pos+1, s.units+1, s.count+1
	return gap, c, present
}
