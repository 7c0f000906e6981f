package detect

import "strings"

// Plates with their parts divided ("B AB 1234", "34 ABC 1234") are read by a recogniser of their own: the digits are so few
// that a form for each number of letters and digits would be compared at every small number of a text.

const (
	// maxDistrict and maxSeries are the most letters of a German plate before its number (FZV, annexes 1 and 2).
	maxDistrict = 3
	maxSeries   = 2
	// maxTurkishSeries is the most letters between the digits of a Turkish one.
	maxTurkishSeries = 3
)

func germanPlateRecogniser() recogniser {
	return recogniser{name: "de-plate", entity: "DE_KFZ", on: onNumber, find: findGermanPlates}
}

func turkishPlateRecogniser() recogniser {
	return recogniser{name: "tr-plate", entity: "TR_LICENSE_PLATE", on: onNumber, find: findTurkishPlates}
}

func findGermanPlates(s *scan, _, _ int) {
	for _, g := range s.run.groups {
		if g.len() > 4 || s.text[g.start] == '0' || !plateSeparator(s.byteBefore(g.start)) {
			continue
		}
		series := s.lettersBefore(g.start-1, maxSeries)
		if series == g.start-1 || !plateSeparator(s.byteBefore(series)) {
			continue
		}
		from := s.lettersBefore(series-1, maxDistrict)
		one, two := s.text[series-1], s.text[g.start-1]
		if from == series-1 || one == ' ' && two == '-' || s.text[from] == 'I' || s.text[from] == 'Q' {
			continue
		}
		to := g.end
		if c := upper(s.byteAt(to)); c == 'H' || c == 'E' {
			to++ // historic, electric
		}
		scores := europePlate
		if one == '-' && two == ' ' {
			scores = idScores{bare: 0.45, lone: 0.6, hint: 0.7, noun: 0.95} // as the law writes it
		}
		if g.len() == 1 {
			scores.lone = scores.bare // "USB C 3"
		}
		s.plate("DE_KFZ", "de-plate", plateWords, scores, from, to, s.text[series:g.start-1])
	}
}

func findTurkishPlates(s *scan, _, _ int) {
	for _, g := range s.run.groups {
		if g.len() != 2 || !plateSeparator(s.byteAt(g.end)) || !turkishPlate(s.text[g.start:g.end]) {
			continue
		}
		series := s.lettersAfter(g.end+1, maxTurkishSeries)
		if series == g.end+1 || s.byteAt(series) != s.text[g.end] || strings.ContainsAny(s.text[g.end+1:series], "QWXqwx") {
			continue // not in the Turkish alphabet: "10 X 20" are measures
		}
		to := series + 1
		for to < len(s.text) && to-series <= 5 && isDigit(s.text[to]) {
			to++
		}
		if n := to - series - 1; n >= 2 && n <= 4 {
			s.plate("TR_LICENSE_PLATE", "tr-plate", plakaWords, idScores{bare: 0.3, lone: 0.6, hint: 0.65, noun: 0.96}, g.start, to, s.text[g.end+1:series])
		}
	}
}

// plate reports a plate by what stands around it, if it stands by itself and its letters are all capitals or all small.
// Small ones, and letters that are words, need to be named or alone: "set to 1" and "IT IS 12" are sentences.
func (s *scan) plate(entity, rule string, set words, scores idScores, from, to int, series string) {
	uppers, lowers := letterCases(s.text[from:to])
	if !s.apart(from, to, ' ', false) || uppers && lowers {
		return
	}
	word := plateWord(series)
	score, because := scores.bare, "/bare"
	switch is := s.context(set, from, to); {
	case is == noun && (!word || !lowers):
		score, because = scores.noun, "/named"
	case is == hint && !word && !lowers:
		score, because = scores.hint, "/hint"
	case is == against:
		return
	case s.lone(from, to) && !word:
		score, because = scores.lone, "/lone"
	}
	s.report(entity, rule+because, from, to, score)
}

// plateWord says whether the letters in the middle are a word of English or German that stands before numbers.
func plateWord(series string) bool {
	switch strings.ToLower(series) {
	case "a", "i", "u":
		return isLower(series[0])
	case "am", "an", "as", "at", "be", "by", "do", "du", "er", "es", "go", "he", "if", "im", "in", "is", "it", "me", "my", "no", "of",
		"on", "or", "pm", "so", "to", "um", "up", "us", "vs", "we", "zu", "and", "are", "for", "the", "und", "ist", "was":
		return true
	}
	return false
}

func plateSeparator(c byte) bool { return c == ' ' || c == '-' }

// lettersBefore is where the letters that end at end begin, Ä, Ö and Ü among them; end if there are none, or more than most.
func (s *scan) lettersBefore(end, most int) int {
	i := end
	for n := 0; i > 0; n++ {
		width := 0
		switch {
		case isAlpha(s.text[i-1]):
			width = 1
		case i > 1 && umlaut(s.text[i-2:i]):
			width = 2
		}
		if width == 0 {
			break
		}
		if n == most {
			return end
		}
		i -= width
	}
	return i
}

func umlaut(letter string) bool {
	switch letter {
	case "Ä", "Ö", "Ü", "ä", "ö", "ü":
		return true
	}
	return false
}

// lettersAfter is where the letters that begin at start end; start if there are none, or more than most.
func (s *scan) lettersAfter(start, most int) int {
	i := start
	for i < len(s.text) && i-start <= most && isAlpha(s.text[i]) {
		i++
	}
	if i-start > most {
		return start
	}
	return i
}

// letterCases says which letters a text has.
func letterCases(text string) (uppers, lowers bool) {
	for i := range len(text) {
		uppers = uppers || isUpper(text[i])
		lowers = lowers || isLower(text[i])
	}
	return uppers, lowers
}
