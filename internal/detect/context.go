package detect

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// words is a set of context words in lower case. The weight says what a word near a candidate means.
type words map[string]weight

type weight int8

const (
	against weight = iota - 1 // "order", "version": the number is something else
	nothing
	faint // "number": counts if no other word does
	hint  // "call", "office"
	noun  // "phone", "ssn": names the entity
)

const (
	// contextBefore and contextAfter bound the window in bytes; five words of a usual sentence fit the first,
	// a label as in "-Office" or "(mobile)" the second.
	contextBefore = 64
	contextAfter  = 16
	// maxContextWords bounds how many words back a word still says something about a number.
	maxContextWords = 6
	// maxContextWord is longer than every word of the sets: fourteen letters of Thai take 42 bytes.
	maxContextWord = 48
	// shortWord: up to this length letters beside a digit are rather a piece of a code ("0xcc90") than a word.
	shortWord = 3
)

// context is the weight of the nearest known word before start; if there is none, or it is a hint only, also of the
// word after end. A hint that labels the candidate ("Desk: 555...") names it like a noun. Only whole words
// count; "phone_number", "phoneNumber" are two words each.
func (s *scan) context(set words, start, end int) weight {
	before := s.contextBefore(set, start)
	if before == against || before == noun {
		return before
	}
	from, to := s.wordAfter(end, min(len(s.text), end+contextAfter))
	after := set.find(s.text[from:to])
	if before == hint && from > end+2 {
		return before
	}
	return max(before, after)
}

func (s *scan) contextBefore(set words, start int) weight {
	stop := max(0, start-contextBefore)
	found := nothing
	for i, n := start, 0; n < maxContextWords; n++ {
		from, to := s.wordBefore(i, stop)
		if from == to || from == stop && stop > 0 {
			break
		}
		w := set.find(s.text[from:to])
		if to-from <= shortWord && (isDigit(s.byteBefore(from)) || isDigit(s.byteAt(to))) {
			w = nothing
		}
		switch w {
		case nothing:
		case faint:
			found = faint
		case hint:
			if n == 0 && s.labels(to, start) {
				return noun
			}
			return hint
		default:
			return w
		}
		i = from
	}
	return found
}

// labels says whether what stands between a word and a candidate makes the word its label.
func (s *scan) labels(from, to int) bool {
	between := s.text[from:to]
	return strings.ContainsAny(between, ":=") && strings.Trim(between, ":= \t\"'`(") == ""
}

// adjoining is the weight of the word that ends right at i, as in "SSN078-05-1123".
func (s *scan) adjoining(set words, i int) weight {
	from, to := s.wordBefore(i, max(0, i-maxContextWord))
	if to != i {
		return nothing // the word ends elsewhere
	}
	return set.find(s.text[from:to])
}

// wordBefore is the last word that ends at or before i and begins at or after stop.
func (s *scan) wordBefore(i, stop int) (int, int) {
	for i > stop && !isWordByte(s.text[i-1]) {
		i--
	}
	to := i
	for i > stop && isWordByte(s.text[i-1]) {
		i--
		// A capital after a small letter begins a word of its own, unless only one letter
		// stands before it: an iPhone is no phone.
		if i-1 > stop && isUpper(s.text[i]) && isLower(s.text[i-1]) && isWordByte(s.text[i-2]) {
			break
		}
	}
	return i, to
}

// wordAfter is the first word that begins at or after i; a word that reaches stop is cut there.
func (s *scan) wordAfter(i, stop int) (int, int) {
	for i < stop && !isWordByte(s.text[i]) {
		i++
	}
	from := i
	for i < stop && isWordByte(s.text[i]) {
		i++
	}
	return from, i
}

func (w words) find(word string) weight {
	var buf [maxContextWord]byte
	return w[string(lowered(word, &buf))]
}

// lowered is a word as the sets have it, or nothing if it is too long for them.
func lowered(word string, buf *[maxContextWord]byte) []byte {
	if len(word) > maxContextWord {
		return nil
	}
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf {
			return []byte(strings.ToLower(strings.TrimFunc(word, notLetter)))
		}
		buf[i] = lower(word[i])
	}
	return buf[:len(word)]
}

// notLetter is for typographic quotes and dashes, whose bytes wordBefore cannot tell from letters.
func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// isWordByte takes every byte of a non-ASCII character for part of a word.
func isWordByte(c byte) bool {
	return isLower(c) || isUpper(c) || c >= utf8.RuneSelf
}

func isUpper(c byte) bool { return c-'A' <= 'Z'-'A' }
func isLower(c byte) bool { return c-'a' <= 'z'-'a' }
func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) }
