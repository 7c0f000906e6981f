package detect

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const (
	minPhone = 6  // Greenland, Andorra
	maxPhone = 15 // ITU-T E.164
	// maxPhoneGroups is what "+33 (0) 1 23 45 67 89" has.
	maxPhoneGroups = 8
	// maxPhoneChecks bounds the calls of the phone library in one text: each costs 10 to 20 µs, a thousand times
	// a byte of the pass, so all of them 20 ms. From then on candidates count as valid, and none is lost.
	maxPhoneChecks = 1024
	maxExtension   = 7
)

func phoneRecogniser() recogniser {
	return recogniser{name: "phone", entity: PhoneNumber, on: onNumber, find: findPhone}
}

// findPhone first takes what looks like a phone number by itself (a leading plus, the North American grouping), then
// what is left of the run as a whole, which needs a context word. Pieces of longer sequences are never tried.
func findPhone(s *scan, _, _ int) {
	if s.run.digits < minPhone {
		return
	}
	n := len(s.run.groups)
	rest := 0
	for i := 0; i < n; i++ {
		c, ok := s.international(i)
		if !ok {
			c, ok = s.northAmerican(i)
		}
		if !ok {
			continue
		}
		s.plainPhone(rest, i-1)
		s.reportPhone(c)
		i = c.last
		rest = i + 1
	}
	s.plainPhone(rest, n-1)
}

// phone is a candidate: groups first to last of the run, and what the shape alone is worth.
type phone struct {
	first, last int
	start       int // with a leading '+' or '('
	rule        string
	score       float64
	bare        bool // no separator: a hint is not enough
	certain     bool // context words against it do not matter
}

// international reads a number with a leading plus, or with 00 for it. The longest reading that the library holds
// for possible wins.
func (s *scan) international(i int) (phone, bool) {
	g := s.run.groups[i]
	c := phone{first: i, start: g.start, rule: "phone/international", certain: true}
	skip := 0
	switch {
	case s.byteBefore(g.start) == '+':
		c.start--
		if s.byteBefore(c.start) == '(' && i+1 < len(s.run.groups) && s.sep(i)[0] == ')' {
			c.start--
		}
		if before := s.byteBefore(c.start); isAlnum(before) || before == '+' || before == '.' {
			return c, false
		}
	case strings.HasPrefix(s.text[g.start:g.end], "00") && g.len() >= 4 && s.phoneStart(i):
		skip, c.certain = 2, false
		c.start = s.opening(i)
	default:
		return c, false
	}
	if skip > 0 && s.context(phoneWords, c.start, s.run.end) <= nothing {
		return c, false // tables are full of 00: do not even ask the library
	}
	last, digits := i, 0
	for j := i; j < len(s.run.groups) && j-i < maxPhoneGroups; j++ {
		if digits += s.run.groups[j].len(); digits-skip > maxPhone {
			break
		}
		last = j
	}
	for tries := 0; last >= i && tries < 3; last-- {
		if !s.phoneEnd(last) {
			continue
		}
		tries++
		c.last = last
		if v := s.checkPhone("+" + string(s.digitsOf(nil, i, last))[skip:]); v != invalid {
			c.score = internationalScore(v, last > i, skip > 0)
			return c, true
		}
	}
	return c, false
}

// internationalScore: the plus and a valid number are enough, a possible number needs separators or a context word,
// and 00 needs a context word always.
func internationalScore(v phoneValidity, grouped, zeros bool) float64 {
	switch {
	case zeros && v == valid && grouped:
		return 0.45
	case zeros:
		return 0.2
	case v == valid && grouped:
		return 0.95
	case v == valid:
		return 0.85
	case grouped:
		return 0.7
	}
	return 0.4
}

// northAmerican reads 3-3-4, with an optional 1 or 001 before it.
func (s *scan) northAmerican(i int) (phone, bool) {
	c := phone{first: i, start: s.opening(i), rule: "phone/north-american"}
	area := i
	if !s.threeThreeFour(area) {
		// A country code without plus, or the prefix for calls abroad. Codes that are not of North
		// America count if they are divided from the rest like the rest itself.
		g := s.run.groups[i]
		if area++; g.len() > 3 || !s.threeThreeFour(area) || !s.north(g) && s.sep(i) != s.sep(area) {
			return c, false
		}
	}
	gs := s.run.groups[area : area+3]
	c.last = area + 2
	glued := s.afterWord(i)
	if !glued && !s.phoneStart(i) || !s.phoneEnd(c.last) {
		return c, false
	}
	one, two := s.sep(area), s.sep(area+1)
	if !northAmericanSeparators(one, two) || area > i && (one == ".") != (s.sep(i) == ".") {
		return c, false
	}
	plain := one == " " && two == " "
	a, e := s.text[gs[0].start], s.text[gs[1].start]
	if c.score = 0.65; a >= '2' && e >= '2' {
		c.score = 0.7
	}
	switch {
	case plain && a == '0':
		c.score = 0.5 // the rest of the world has a trunk zero
	case plain, glued:
		c.score -= 0.25
	}
	// Validity is asked for only where it can tip the scale.
	if plain || glued || s.context(phoneWords, c.start, s.run.groups[c.last].end) == against {
		if s.checkPhone("+1"+string(s.digitsOf(nil, area, c.last))) == valid {
			c.score += 0.15
		}
	}
	return c, true
}

// northAmericanSeparators says whether area code, exchange and line are divided in a usual way. Dots come in
// pairs: "625 191.0625" is two fractions.
func northAmericanSeparators(one, two string) bool {
	switch one {
	case ".":
		return two == "."
	case " ", "-", "/", ") ", ")", ")-", " - ", ") - ":
		return two == " " || two == "-" || two == "." && one[0] == ')' || two == " - "
	}
	return false
}

// north says whether a group is North America's country code, with or without a prefix for calls abroad.
func (s *scan) north(g group) bool {
	switch s.text[g.start:g.end] {
	case "1", "001", "01", "011":
		return true
	}
	return false
}

func (s *scan) threeThreeFour(i int) bool {
	return i+2 < len(s.run.groups) &&
		s.run.groups[i].len() == 3 && s.run.groups[i+1].len() == 3 && s.run.groups[i+2].len() == 4
}

func (s *scan) reportPhone(c phone) {
	end := s.run.groups[c.last].end
	switch w := s.context(phoneWords, c.start, end); {
	case w == noun:
		c.score += 0.45
	case w == hint && !c.bare:
		c.score += 0.3
	case w == faint && !c.bare:
		c.score += 0.15
	case w == hint && s.dialable(s.run.groups[c.first]):
		c.score += 0.35
	case w == against && !c.certain:
		c.score -= 0.3
	}
	if c.score > 0 {
		s.report(PhoneNumber, c.rule, c.start, s.extension(end), min(c.score, 1))
	}
}

// dialable says whether digits without separators are of a form that is dialled: ten of North America, or eleven
// with its country code, or with a trunk zero.
func (s *scan) dialable(g group) bool {
	start, n := g.start, g.len()
	if n == 11 && s.text[start] == '1' {
		start, n = start+1, 10
	}
	if s.text[start] == '0' {
		return n == 10 || n == 11
	}
	return n == 10 && s.text[start] >= '2' && s.text[start+3] >= '2'
}

type phoneValidity int

const (
	invalid phoneValidity = iota
	possible
	valid
)

// checkPhone asks the library about a number in international form.
func (s *scan) checkPhone(number string) phoneValidity {
	if s.phoneChecks++; s.phoneChecks > maxPhoneChecks {
		return valid
	}
	n, err := phonenumbers.Parse(number, "")
	switch {
	case err != nil:
		return invalid
	case phonenumbers.IsValidNumber(n):
		return valid
	case phonenumbers.IsPossibleNumber(n):
		return possible
	}
	return invalid
}
