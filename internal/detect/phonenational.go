package detect

import "strings"

// maxNational is a digit more than the longest national number (12, with its trunk zero) has.
const maxNational = 13

// plainPhone judges groups i to j, what is left of a run, as one number in a national form.
func (s *scan) plainPhone(i, j int) {
	for i <= j && !s.phoneStart(i) {
		i++
	}
	for i <= j && !s.phoneEnd(j) {
		j--
	}
	if i > j || j-i >= maxPhoneGroups || s.run.cut {
		return
	}
	n := 0
	for _, g := range s.run.groups[i : j+1] {
		n += g.len()
	}
	if n > maxNational {
		s.phonePair(i, j)
		return
	}
	if n < minPhone || i == j && n == minPhone {
		return
	}
	c := phone{first: i, last: j, start: s.opening(i), rule: "phone/national"}
	if i == j {
		c.rule, c.bare, c.score = "phone/digits", true, 0.2
		s.reportPhone(c)
		return
	}
	if s.otherNumber(i, j) {
		return
	}
	c.score = s.nationalScore(i, j, n)
	s.reportPhone(c)
}

// phonePair judges what is too long for one number as two with a wide separator between: "030 123456 / 0171 2345678".
func (s *scan) phonePair(i, j int) {
	for k := i; k < j; k++ {
		if sep := s.sep(k); len(sep) > 1 && strings.IndexByte(sep, '/') >= 0 {
			s.plainPhone(i, k)
			s.plainPhone(k+1, j)
			return
		}
	}
}

// otherNumber says whether groups i to j are divided in a way in which phone numbers are not, or in the way
// of a date, a range of years, a table, an address.
func (s *scan) otherNumber(i, j int) bool {
	text := s.text[s.opening(i):s.run.groups[j].end]
	sep, uniform := s.uniform(i, j)
	switch {
	case s.equalDigits(i, j), s.hexTable(i, j), s.dateLike(i, j), s.yearRange(i, j), s.houseNumber(i, j):
		return true
	case strings.Count(text, "(") > 1, !uniform && strings.Contains(text, "."):
		return true
	}
	return uniform && (sep == '.' && j-i < 2 || sep == '/' && j-i > 1)
}

// nationalScore is what the grouping is worth: a trunk zero with three groups or more stands by itself, and so does an
// area code in parentheses; all else needs a context word.
func (s *scan) nationalScore(i, j, digits int) float64 {
	first, inParentheses := s.run.groups[i], s.opening(i) < s.run.groups[i].start
	zero := s.text[first.start] == '0'
	_, uniform := s.uniform(i, j)
	switch {
	case uniform && zero && digits == 10 && j-i == 4:
		return 0.6 // five pairs: France
	case uniform && s.trunkZero(i, j, digits), inParentheses && digits >= 8 && j-i >= 2 && !s.isYear(first):
		return 0.5
	case uniform && j == i+1 && zero && first.len() <= 5 && digits >= 10 && digits <= 11 && s.text[first.start+1] != '0':
		return 0.5 // area code and number, as in most of Europe
	case inParentheses && j == i+1 && first.len() == 3 && digits == nanpDigits && s.text[first.start] >= '2':
		return 0.6 // (415)5550132
	case digits == 11 && first.len() == 1 && s.text[first.start] == '8' && strings.HasSuffix(s.sep(i), "("):
		return 0.5 // Russia's trunk prefix
	case zero && digits >= 9, inParentheses:
		return 0.4
	}
	return 0.25
}

// trunkZero says whether groups i to j are a national number as most of the world writes it.
func (s *scan) trunkZero(i, j, digits int) bool {
	first := s.run.groups[i]
	return j-i >= 2 && digits >= 9 && digits <= 11 && first.len() > 1 && s.text[first.start] == '0' &&
		s.text[first.start+1] != '0' && !s.shaped(i, ssnForms[0].sizes)
}

// extension extends a number over "x123", "ext. 123" and the like.
func (s *scan) extension(end int) int {
	i := end
	for i-end < 2 && (s.byteAt(i) == ' ' || s.byteAt(i) == ',') {
		i++
	}
	from := i
	for i < len(s.text) && i-from <= len("extension") && (isAlpha(s.text[i]) || s.text[i] == '#') {
		i++
	}
	switch strings.ToLower(s.text[from:i]) {
	case "x", "ext", "extn", "extension", "#":
	default:
		return end
	}
	for skip := 0; skip < 2 && (s.byteAt(i) == '.' || s.byteAt(i) == ' ' || s.byteAt(i) == ':'); skip++ {
		i++
	}
	from = i
	for i < len(s.text) && i-from <= maxExtension && isDigit(s.text[i]) {
		i++
	}
	if i == from || i-from > maxExtension || s.gluedAfter(i) {
		return end
	}
	return i
}
