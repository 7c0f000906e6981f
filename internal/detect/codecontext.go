package detect

import "strings"

// nearWord is a context word before a place: which one, and whether it labels what follows.
type nearWord struct {
	id    int
	label bool
}

// nearWords are the context words around a value, looked up once for all rules that fit there.
type nearWords struct {
	from, to int
	before   [maxContextWords]nearWord
	n        int
	after    int
	adjoins  bool // nothing but a space or a bracket is between the value and the word after it
}

// idContext is scan.context for rules that share one dictionary, and that know labels of two words.
func (s *scan) idContext(weights []weight, from, to int) weight {
	s.lookAround(from, to)
	before := nothing
	for i := range s.near.n {
		w := s.near.before[i]
		is := weights[w.id]
		if is == nothing || is == faint {
			continue
		}
		if is == hint && w.label {
			is = noun
		}
		before = is
		break
	}
	if before == against || before == noun || before == hint && !s.near.adjoins {
		return before
	}
	return max(before, weights[s.near.after])
}

// labelTails may stand between a word and the colon that makes it a label: "Patient ID: ...".
var labelTails = words{
	"id": faint, "ids": faint, "number": faint, "no": faint, "num": faint, "nr": faint, "code": faint, "identifier": faint,
	"nummer": faint, "numéro": faint, "número": faint, "numero": faint,
}

// lookAround reads the words around a value, by the rules of scan.context, but for labels of two words.
func (s *scan) lookAround(from, to int) {
	ids := s.d.plan.ids.wordIDs
	if s.near.from != from || s.near.to == 0 {
		s.near = nearWords{from: from}
		stop, label := max(0, from-contextBefore), false
		for i := from; s.near.n < maxContextWords; s.near.n++ {
			start, end := s.wordBefore(i, stop)
			if start == end || start == stop && stop > 0 {
				break
			}
			if s.near.n == 0 {
				label = s.labels(end, from) || strings.TrimRight(s.text[end:from], " ") == "#"
			}
			w := nearWord{label: label}
			label = label && labelTails.find(s.text[start:end]) == faint
			if end-start > shortWord || !isDigit(s.byteBefore(start)) && !isDigit(s.byteAt(end)) {
				w.id = wordID(ids, s.text[start:end])
			}
			s.near.before[s.near.n] = w
			i = start
		}
	}
	if s.near.to != to {
		start, end := s.wordAfter(to, min(len(s.text), to+contextAfter))
		s.near.to, s.near.after, s.near.adjoins = to, wordID(ids, s.text[start:end]), start <= to+2
	}
}

// wordID is the number of a context word, or 0.
func wordID(ids map[string]int, word string) int {
	var buf [maxContextWord]byte
	return ids[string(lowered(word, &buf))]
}
