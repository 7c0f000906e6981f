package token

import (
	"strings"
	"unicode/utf8"
)

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
	before string // the character before text, which decides about glue
	text   string // given out up to at, held back from there on
	at     int
	offset int // of text in the stream
}

// keepWhole is up to which length a chunk stays in memory because a tail of it
// does. The tail of a longer one is copied out.
const keepWhole = 1024

// Stream begins a stream.
func (v *Vocabulary) Stream() *Stream { return &Stream{words: v, places: newPlacer()} }

// Push takes the next chunk, of any length and cut anywhere, and returns what is
// decided now.
func (s *Stream) Push(chunk []byte) []Piece { return s.Append(nil, string(chunk)) }

// Append is Push for many short chunks: it appends to pieces, and needs no memory
// of its own while nothing is held back.
func (s *Stream) Append(pieces []Piece, chunk string) []Piece {
	switch held := s.text[s.at:]; {
	case chunk == "":
		return pieces
	case s.at == 0:
		s.text += chunk
	default:
		s.before, s.offset = s.text[max(0, s.at-utf8.UTFMax):s.at], s.offset+s.at
		s.text, s.at = held+chunk, 0
	}
	pieces = s.decide(pieces, false)
	if len(s.text) > keepWhole {
		// Where last is 0, before still stands before text; else it is not asked for.
		last := max(0, s.at-utf8.UTFMax)
		s.text, s.at, s.offset = strings.Clone(s.text[last:]), s.at-last, s.offset+last
	}
	return pieces
}

// Flush ends the stream and returns the rest. A Push after it begins another
// stream.
func (s *Stream) Flush() []Piece {
	out := s.decide(nil, true)
	*s = *s.words.Stream()
	return out
}

// Held is the text that is held back.
func (s *Stream) Held() string { return s.text[s.at:] }

// decide appends everything up to where more text is needed.
func (s *Stream) decide(out []Piece, final bool) []Piece {
	scan := scanner{words: s.words, text: s.text, before: s.before, final: final}
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
