package detect

import (
	"unicode"
	"unicode/utf8"
)

// gluedBefore says whether the character before i continues a word or number. Scripts that put no space between
// words (Chinese, Japanese, Thai, ...) do not glue.
func (s *scan) gluedBefore(i int) bool {
	if i == 0 {
		return false
	}
	c := s.text[i-1]
	if c < utf8.RuneSelf {
		return isAlnum(c) || c == '_'
	}
	r, _ := utf8.DecodeLastRuneInString(s.text[:i])
	return glues(r)
}

// gluedAfter is gluedBefore for the character at i.
func (s *scan) gluedAfter(i int) bool {
	if i >= len(s.text) {
		return false
	}
	c := s.text[i]
	if c < utf8.RuneSelf {
		return isAlnum(c) || c == '_'
	}
	r, _ := utf8.DecodeRuneInString(s.text[i:])
	return glues(r)
}

func glues(r rune) bool {
	return unicode.IsLetter(r) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// alone says whether groups i to j stand by themselves: not a part of a word, a fraction, or a longer
// sequence of the same make.
func (s *scan) alone(i, j int) bool { return s.beginsAlone(i) && s.endsAlone(j) }

// beginsAlone is alone for what stands before group i.
func (s *scan) beginsAlone(i int) bool {
	if i > 0 {
		before := s.sep(i - 1)
		return before[len(before)-1] == ' ' || before[len(before)-1] == '('
	}
	start := s.run.groups[0].start
	return !s.gluedBefore(start) && !s.continues(start)
}

// endsAlone is alone for what stands after group j.
func (s *scan) endsAlone(j int) bool {
	if j+1 < len(s.run.groups) {
		after := s.sep(j)
		return after[0] == ' ' || after[0] == ')' || after[0] == '/' || len(after) > 1
	}
	end := s.run.groups[j].end
	return !s.gluedAfter(end) && !s.continuesAfter(end)
}

// continues says whether a '.', '-', '/' or '+' before i ties the number to something: a fraction, a UUID or minus
// sign, a path, a sum. A comma does not: it divides the columns of a table.
func (s *scan) continues(i int) bool {
	switch s.byteBefore(i) {
	case '.':
		return i > 1 && isDigit(s.text[i-2])
	case '/':
		return i > 1 && (isAlnum(s.text[i-2]) || s.text[i-2] == '/')
	case '-', '+':
		return true
	}
	return false
}

func (s *scan) continuesAfter(i int) bool {
	switch s.byteAt(i) {
	case '.':
		return isDigit(s.byteAt(i + 1))
	case '-':
		return isAlnum(s.byteAt(i + 1))
	}
	return false
}

// inTable says whether groups i to j are part of a longer sequence of numbers, of which one in ten pieces passes Luhn
// by chance: groups of four go on with the same separator, or other long numbers stand beside a single one. A neighbour
// that may be a card itself is none.
func (s *scan) inTable(i, j int) bool {
	last, sep, least := len(s.run.groups)-1, " ", 5
	if j > i {
		sep, least = s.sep(i), 4
	}
	like := func(k int) bool { return s.run.groups[k].len() >= least && s.run.groups[k].len() < minCard }
	before := i > 0 && like(i-1) && s.sep(i-1) == sep && (i == 1 || s.sep(i-2) == sep)
	after := j < last && like(j+1) && s.sep(j) == sep && (j+1 == last || s.sep(j+1) == sep)
	return before || after
}

// hexTable says whether groups i to j, all of one width, are the decimal ones among hexadecimal numbers of that
// width, as in "6f 20 69 73" and "81E2 2687 8269".
func (s *scan) hexTable(i, j int) bool {
	n := s.run.groups[i].len()
	for _, g := range s.run.groups[i : j+1] {
		if g.len() != n {
			return false
		}
	}
	first, last := s.run.groups[i].start, s.run.groups[j].end
	return s.byteBefore(first) == ' ' && s.hexWord(first-1-n, n) || s.byteAt(last) == ' ' && s.hexWord(last+1, n)
}

// hexWord says whether a word of n hexadecimal digits, of which one is a letter, begins at i. Of the longer
// ones one must be a digit, for "face" is a word of English.
func (s *scan) hexWord(i, n int) bool {
	if i < 0 || i+n > len(s.text) || s.gluedBefore(i) || s.gluedAfter(i+n) {
		return false
	}
	letters := 0
	for k := i; k < i+n; k++ {
		if !isHex(s.text[k]) {
			return false
		}
		if !isDigit(s.text[k]) {
			letters++
		}
	}
	return letters > 0 && (n <= 2 || letters < n)
}

// byteBefore and byteAt are 0 outside the text.
func (s *scan) byteBefore(i int) byte {
	if i <= 0 {
		return 0
	}
	return s.text[i-1]
}

func (s *scan) byteAt(i int) byte {
	if i >= len(s.text) {
		return 0
	}
	return s.text[i]
}
