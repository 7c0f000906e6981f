package detect

import (
	"math"
	"strings"
)

func secretRecogniser() recogniser {
	words := make([]string, 0, len(compiledSecrets)+1)
	for _, r := range compiledSecrets {
		words = append(words, r.keyword)
	}
	return recogniser{
		name: "secret", entity: APIKey, on: onLiteral,
		literals: append(words, jwtBegin), find: findSecret,
	}
}

func findSecret(s *scan, at, literal int) {
	if literal == len(compiledSecrets) {
		s.jwt(at)
		return
	}
	r := &compiledSecrets[literal]
	if from := at - len(r.keyword); from > s.seenSecret[0] && from < s.seenSecret[1] {
		return // within a secret that is reported: what looks like a prefix there is chance
	}
	start, end := s.matchSecret(literal, at)
	if end == 0 {
		return
	}
	value := s.text[start:end]
	if r.entropy > 0 && entropy(value) < r.entropy || !strings.Contains(value, r.holds) ||
		!strings.HasSuffix(value, r.ends) || strings.HasSuffix(value, "EXAMPLE") {
		return
	}
	s.seenSecret = [2]int{start, max(end, s.seenSecret[1])}
	score := 0.9
	if r.weak {
		score = 0.7
	}
	s.report(APIKey, "secret/"+r.id, start, end, score)
}

// matchSecret returns where the value begins and ends, or 0, 0.
func (s *scan) matchSecret(rule, at int) (int, int) {
	r := &compiledSecrets[rule]
	start, i := at-len(r.keyword), at
	if r.assign {
		if i = s.assignment(at); i == 0 {
			return 0, 0
		}
		start = i
	} else if s.text[start:at] != r.keyword {
		return 0, 0
	}
	start, ok := s.matchBehind(r.behind, start)
	if !ok || s.gluedBefore(start) || s.byteBefore(start) == '.' && start > 1 && isAlnum(s.text[start-2]) {
		return 0, 0
	}
	for _, p := range r.parts {
		if p.literal != "" {
			if !strings.HasPrefix(s.text[i:], p.literal) {
				return 0, 0
			}
			i += len(p.literal)
			continue
		}
		if p.max == unbounded && s.judgedBefore(rule, i) {
			return 0, 0
		}
		if i = s.runOf(i, p.set, p.min, p.max); i == 0 {
			return 0, 0
		}
		if p.max == unbounded {
			s.judged[rule] = i
		}
	}
	if s.gluedAfter(i) {
		return 0, 0
	}
	return start, i
}

// matchBehind reads parts backwards from i, each as far as its set and its bound go.
func (s *scan) matchBehind(parts []part, i int) (int, bool) {
	for k := len(parts) - 1; k >= 0; k-- {
		p, n := parts[k], 0
		for n < p.max && i > 0 && classOf[s.text[i-1]]&p.set != 0 {
			n++
			i--
		}
		if n < p.min {
			return 0, false
		}
	}
	return i, true
}

// judgedBefore says whether a rule has met the run that i lies in. From every place of an unbounded run the value
// ends at the same byte, so that the first decides for all, and a run is measured once per rule.
func (s *scan) judgedBefore(rule, i int) bool {
	if s.judged == nil {
		s.judged = make([]int, len(compiledSecrets))
	}
	return i < s.judged[rule]
}

// runOf returns the end of the characters of a set that begin at i if there are min to max of them, else 0. A
// full stop at the end belongs to the sentence.
func (s *scan) runOf(i int, set charset, least, most int) int {
	end := i
	for end < len(s.text) && end-i <= most && classOf[s.text[end]]&set != 0 {
		end++
	}
	if end > i && s.text[end-1] == '.' {
		end--
	}
	if end-i < least || end-i > most {
		return 0
	}
	return end
}

// maxAssignment fits `"] = "`, `: !!str '` and the like.
const maxAssignment = 12

// assignment returns where the value begins that is assigned to the name that ends at i, or 0.
func (s *scan) assignment(i int) int {
	assigned := false
	for end := i; end < len(s.text) && end-i < maxAssignment; end++ {
		switch c := s.text[end]; c {
		case '=', ':', '>':
			assigned = true
		case ' ', '\t', '"', '\'', '`', ']', ')', '(':
		default:
			if !assigned {
				return 0
			}
			return end
		}
	}
	return 0
}

// entropy is Shannon's, in bits per character.
func entropy(value string) float64 {
	var counts [256]int
	for i := range len(value) {
		counts[value[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(value))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}
