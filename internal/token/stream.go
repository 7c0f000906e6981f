package token

import "unicode/utf8"

// Piece is a part of a stream that is decided: plain text, or a candidate and
// the bytes it was read from. The texts of all pieces make up the stream.
type Piece struct {
	Text      string
	Found     bool
	Candidate Candidate // where Found; offsets count from the beginning of the stream
}

// Stream scans a text that arrives in chunks. However it is cut, the candidates
// and their places are those of Scan on the whole. It holds back the tail that
// is still undecided, never more than MaxCandidate code points, and never cuts a
// character in two. It is not safe for concurrent use.
type Stream struct {
	words  *Vocabulary
	places placer
	text   string // the held tail, and before it the character that decides about glue
	at     int    // where in text the held tail begins
	offset int    // of text in the stream
}

// Stream begins a stream.
func (v *Vocabulary) Stream() *Stream { return &Stream{words: v, places: newPlacer()} }

// Push takes the next chunk, of any length and cut anywhere, and returns what is
// decided now.
func (s *Stream) Push(chunk []byte) []Piece {
	keep := max(0, s.at-utf8.UTFMax)
	s.text = s.text[keep:] + string(chunk)
	s.at, s.offset = s.at-keep, s.offset+keep
	return s.decide(false)
}

// Flush ends the stream and returns the rest. A Push after it begins another
// stream.
func (s *Stream) Flush() []Piece {
	out := s.decide(true)
	*s = *s.words.Stream()
	return out
}

// Held is the text that is held back.
func (s *Stream) Held() string { return s.text[s.at:] }

// decide returns everything up to where more text is needed.
func (s *Stream) decide(final bool) []Piece {
	scan := scanner{words: s.words, text: s.text, final: final}
	var out []Piece
	for {
		m, got := scan.next(s.at)
		if s.at < m.start {
			out = append(out, Piece{Text: s.text[s.at:m.start]})
			s.places.advance(s.text[s.at:m.start])
			s.at = m.start
		}
		if got != present {
			return out
		}
		c := m.candidate(&s.places, s.text)
		c.Start, c.End = c.Start+s.offset, c.End+s.offset
		out = append(out, Piece{Text: s.text[m.start:m.end], Found: true, Candidate: c})
		s.at = m.end
	}
}
