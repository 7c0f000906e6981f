package detect

import "strings"

// codes runs the forms that can match at the words which the groups of the run are part of. A word is looked at
// where its first digit is; the digits after it in the same word are passed over.
func (s *scan) codes() {
	x := s.d.plan.ids
	if x == nil {
		return
	}
	s.active = "identifier"
	for i := range s.run.groups {
		at := s.run.groups[i].start
		if at < s.seenCode {
			continue
		}
		start, end := at, s.run.groups[i].end
		for start > 0 && at-start <= maxCode && isAlpha(s.text[start-1]) {
			start--
		}
		for end < len(s.text) && isAlnum(s.text[end]) {
			end++
		}
		s.seenCode = end
		if end-start > maxCode {
			continue
		}
		kind := 0
		if start < at {
			kind = 1
		}
		if b := x.by[kind][end-start]; b != nil {
			s.codesAt(b, start, end)
		}
	}
}

// codesAt tries the forms of a bucket that what stands beside the word allows.
func (s *scan) codesAt(b *idBucket, start, end int) {
	s.codesOf(b.whole, start)
	if end < len(s.text) {
		s.codesOf(b.after[separatorKind[s.text[end]]][characterKind[s.byteAt(end+1)]], start)
	}
	if start == 0 {
		return
	}
	n := 0
	for n <= maxNeighbour && start-2-n >= 0 && isAlnum(s.text[start-2-n]) {
		n++
	}
	if n <= maxNeighbour {
		s.codesOf(b.before[separatorKind[s.text[start-1]]][n], start)
	}
}

func (s *scan) codesOf(patterns []idPattern, start int) {
	for i := range patterns {
		s.code(&patterns[i], start)
	}
}

// code tries one pattern whose anchor begins at start.
func (s *scan) code(p *idPattern, start int) {
	from := start - p.before
	to := from + len(p.shape)
	if from < 0 || to > len(s.text) || to < len(s.text) && isAlnum(s.text[to]) || from > 0 && isAlnum(s.text[from-1]) {
		return
	}
	sep, small, ok := p.fit(s.text, from)
	if !ok || small && p.rule.capitals || !s.apart(from, to, sep, p.digits) || !s.checked(p, from, to) {
		return
	}
	score, evidence := s.scoreCode(p, from, to, small && !p.rule.anyCase)
	if score >= p.rule.least {
		s.report(p.rule.entity, p.rule.because[evidence], from, to, score)
	}
}

// scoreCode weighs what stands around a value. What names something else takes nothing from a value that is named, too:
// the nearest word decides.
func (s *scan) scoreCode(p *idPattern, from, to int, small bool) (float64, int) {
	switch s.idContext(p.rule.weights, from, to) {
	case noun:
		return p.scores.noun, byNoun
	case hint:
		return p.scores.hint, byHint
	case against:
		return p.scores.bare - idAgainst, byBare
	}
	switch {
	case s.lone(from, to):
		return p.scores.lone, byLone
	case small:
		return min(p.scores.bare, idSmall), byBare
	}
	return p.scores.bare, byBare
}

// checked runs the check of a pattern's rule on the letters and digits of a value.
func (s *scan) checked(p *idPattern, from, to int) bool {
	if p.rule.check == nil {
		return true
	}
	var buf [maxCode]byte
	value := buf[:0]
	plain := true
	for i := from; i < to; i++ {
		c := s.text[i]
		if !isAlnum(c) {
			plain = false
			continue
		}
		if isLower(c) && !p.rule.exact {
			c -= 'a' - 'A'
			plain = false
		}
		value = append(value, c)
	}
	if plain {
		return p.rule.check(s.text[from:to])
	}
	return p.rule.check(string(value))
}

// apart says whether a value stands by itself: not a part of a word, a path or a sum, and for digits neither an amount
// nor, where spaces divide it, a part of a row of numbers.
func (s *scan) apart(from, to int, sep byte, digits bool) bool {
	if s.gluedBefore(from) || s.gluedAfter(to) || s.continues(from) || s.continuesAfter(to) {
		return false
	}
	if sep == ' ' && isDigit(s.text[from]) && s.byteBefore(from) == ' ' && isDigit(s.byteBefore(from-1)) {
		return false
	}
	if sep == ' ' && isDigit(s.text[to-1]) && s.byteAt(to) == ' ' && isDigit(s.byteAt(to+1)) {
		return false
	}
	return !digits || s.byteAt(to) != '%' && !s.currencyBefore(from)
}

// lonePunctuation may stand around a value that is all there is in a text.
const lonePunctuation = " \t\r\n\"'`.,;"

// lone says whether a value is all there is in the text.
func (s *scan) lone(from, to int) bool {
	if s.trimmed == [2]int{} {
		rest := strings.TrimLeft(s.text, lonePunctuation)
		s.trimmed[0] = len(s.text) - len(rest)
		s.trimmed[1] = s.trimmed[0] + len(strings.TrimRight(rest, lonePunctuation))
	}
	return s.trimmed == [2]int{from, to}
}
