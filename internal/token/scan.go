package token

import "unicode/utf8"

// Candidate is a place in a text that reads as a token whose check characters
// hold. Whether the token lives, and in this scope, only a store can tell.
type Candidate struct {
	Start, End int   // byte offsets
	Token      Token // as it reads, repaired where Strict is false
	Strict     bool  // the bytes are exactly Token.String()
	Place      Place
}

// Range is a part of a text in byte offsets.
type Range struct {
	Start, End int
}

// Scan finds all candidates of a text, in order, never overlapping: strict
// before tolerant, then the leftmost, then the longest. The text may hold bytes
// that are no UTF-8.
func (v *Vocabulary) Scan(text string) []Candidate {
	s := scanner{words: v, text: text, final: true}
	var out []Candidate
	places := newPlacer()
	for at := 0; ; {
		m, got := s.next(at)
		if got != present {
			return out
		}
		places.advance(text[at:m.start])
		out = append(out, m.candidate(&places, text))
		at = m.end
	}
}

// candidate turns a match into a candidate and moves the places behind it.
func (m match) candidate(places *placer, text string) Candidate {
	place := places.token(m.token, text[m.end-1])
	return Candidate{Start: m.start, End: m.end, Token: m.token, Strict: m.strict, Place: place}
}

// TokenLike finds everything that a scan may take for a token, now or after its
// neighbours were replaced: strict tokens with their exact bounds, tolerant
// readings also inside longer words, and what has only the shape of a token.
// Whoever replaces all of it (and keeps at most strict tokens) gets a text in
// which Scan finds the replacements and what was kept, and nothing else. The
// ranges are in order, never overlap, and cover those of Scan.
func (v *Vocabulary) TokenLike(text string) []Range {
	s := scanner{words: v, text: text, final: true, loose: true}
	var out []Range
	for at := 0; ; {
		m, got := s.next(at)
		if got != present {
			return out
		}
		last := len(out) - 1
		switch overlap := last >= 0 && m.start < out[last].End; {
		case m.strict && overlap:
			out[last].End = m.start
			out = append(out, Range{m.start, m.end})
		case overlap:
			out[last].End = max(out[last].End, m.end)
		default:
			out = append(out, Range{m.start, m.end})
		}
		at = m.end
		if !m.strict {
			at = m.start + 1 // another reading may begin inside
		}
	}
}

// Stands says whether a scan finds a token of this format, as it is, between
// these neighbours. A label token stands everywhere, an opaque one not within a
// word.
func (f Format) Stands(before, after string) bool {
	if f != FormatOpaque {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	return !isWord(last) && !isWord(next)
}

// next finds the next match that begins at or after from. Where it is not
// present, m.start is the place from which on the text is undecided: its end, or
// earlier where more text is needed.
func (s *scanner) next(from int) (m match, v verdict) {
	f := &s.words.filter
	for i := f.skip(s.text, from, s.loose); i < len(s.text); i = f.skip(s.text, i+1, s.loose) {
		if s.glued = false; !f.isBracket(s.text[i]) {
			s.glued = s.wordBefore(i)
			if s.glued && !s.loose || !s.promising(i) {
				continue
			}
		}
		m, v := s.readAt(i)
		switch v {
		case present:
			return m, present
		case starved:
			return match{start: i}, starved
		}
	}
	return match{start: s.wholeRunes()}, absent
}

// readAt reads at a position, except that a strict token is never taken together
// with a backslash before it: strict comes first, and no other tolerant reading
// that begins earlier can reach into a strict one.
func (s *scanner) readAt(i int) (match, verdict) {
	if s.text[i] == '\\' && i+1 < len(s.text) && s.text[i+1] == '[' {
		if m, v := s.read(i + 1); v == starved || v == present && m.strict {
			return m, v
		}
	}
	return s.read(i)
}

// wordBefore says whether a word character stands before i.
func (s *scanner) wordBefore(i int) bool {
	before := s.text[:i]
	if i == 0 {
		before = s.before
	}
	if before == "" {
		return false
	}
	if b := before[len(before)-1]; b < utf8.RuneSelf {
		return asciiClass[b] > classFiller || b == '_'
	}
	r, _ := utf8.DecodeLastRuneInString(before)
	return isWord(r)
}

// wholeRunes is the end of the text without a character that is cut off.
func (s *scanner) wholeRunes() int {
	end := len(s.text)
	if s.final {
		return end
	}
	for i := end - 1; i >= 0 && i >= end-utf8.UTFMax; i-- {
		if utf8.RuneStart(s.text[i]) {
			if utf8.FullRuneInString(s.text[i:]) {
				return end
			}
			return i
		}
	}
	return end
}
