package names

// tokenSpan is a span of tokens.
type tokenSpan struct {
	from, to int
	class    Class
}

// spanEnd is the end of the span whose first tag is at k.
func spanEnd(tagged []tag, k int) int {
	end := k + 1
	for end < len(tagged) && tagged[end] == inside(tagged[k].class()) {
		end++
	}
	return end
}

// spanAt reads the span whose first tag is at k, and sets right, in the tags too, what the labelled texts teach wrongly. An
// empty span is no finding.
func spanAt(tokens []token, tagged []tag, k int) tokenSpan {
	s := tokenSpan{k, spanEnd(tagged, k), tagged[k].class()}
	if s.class == Organization && countries(tokens[s.from:s.to]) {
		s.class = Location
	}
	switch s.class {
	case Person:
		s.withoutOffice(tokens)
		s.withParticles(tokens, tagged)
	case Location:
		if s.ofPeople(tokens) {
			tagged[s.from] = outside
			s.to = s.from
			return s
		}
		s.wholePlace(tokens, tagged)
	}
	s.tag(tagged, k)
	return s
}

// tag writes the span down; what was cut off before it, from first on, is outside.
func (s *tokenSpan) tag(tagged []tag, first int) {
	for i := first; i < s.from; i++ {
		tagged[i] = outside
	}
	tagged[s.from] = begin(s.class)
	for i := s.from + 1; i < s.to; i++ {
		tagged[i] = inside(s.class)
	}
}

// countries says whether the tokens are countries: the labelled texts call them organisations where they play football.
func countries(tokens []token) bool {
	for i := range tokens {
		if t := &tokens[i]; t.lists&country == 0 && t.place == noPlace || t.shape == lowerShape {
			return false
		}
	}
	return true
}

// ofPeople says whether the span is a people, not a place: "the Israeli side".
func (s *tokenSpan) ofPeople(tokens []token) bool {
	t := &tokens[s.from]
	return s.to-s.from == 1 && t.lists&(people|country) == people && t.shape != upperShape
}

// withoutOffice takes "President" and "Dr." off.
func (s *tokenSpan) withoutOffice(tokens []token) {
	for s.from+1 < s.to && tokens[s.from].role&office != 0 && tokens[s.from+1].kind == wordToken {
		s.from++
	}
}

// maxParticles is how many particles stand in a row: "van der".
const maxParticles = 2

// withParticles goes on over "van der" to the name behind it.
func (s *tokenSpan) withParticles(tokens []token, tagged []tag) {
	for {
		k := s.to
		for k < len(tokens) && k < s.to+maxParticles && tokens[k].role&joiner != 0 && tokens[k].shape == lowerShape {
			k++
		}
		if k == s.to || k == len(tokens) || !likeName(&tokens[k]) || tagged[k] != outside && !tagged[k].ofPerson() {
			return
		}
		s.to = k + 1
		for s.to < len(tokens) && tagged[s.to] == inside(Person) {
			s.to++
		}
	}
}

// wholePlace takes in all words of a place of several words that is on a list.
func (s *tokenSpan) wholePlace(tokens []token, tagged []tag) {
	for s.from > 0 && tokens[s.from].place == placeGoesOn && tagged[s.from-1] == outside {
		s.from--
	}
	for s.to < len(tokens) && tokens[s.to].place == placeGoesOn && tagged[s.to] == outside {
		s.to++
	}
}
