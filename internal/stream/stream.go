package stream

import (
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
)

// Format is how a stream is framed, and whose events it holds.
type Format string

// The formats. All but the last two are event streams of the WHATWG. In those
// whose API is not named, and in NDJSON, each frame is told by its own marks.
const (
	FormatSSE       Format = ""
	FormatChat      Format = "openai-chat"
	FormatResponses Format = "openai-responses"
	FormatAnthropic Format = "anthropic-messages"
	FormatGemini    Format = "gemini"
	FormatNDJSON    Format = "ndjson"
	FormatText      Format = "text"
)

// Errors of this package.
var (
	ErrFormat = errors.New("stream: unknown format")
	ErrClosed = errors.New("stream: already closed")
)

// Options say how to read a stream.
type Options struct {
	Words  *token.Vocabulary
	Format Format
}

// Candidate is what reads as a token and waits for an answer.
type Candidate struct {
	Token   token.Token
	Strict  bool   // the bytes are exactly Token.String()
	Place   Place  // where it stands, in its text and in the conversation
	Tool    string // with PlaceTool, the tool that is called, "" where nobody said it
	Written string // as it stands in the text
	InKey   bool   // it stands in a key of what a tool is called with
}

// Place is where a candidate stands.
type Place string

// The places. A URL counts as one wherever it is.
const (
	PlaceProse = Place(token.PlaceProse)
	PlaceCode  = Place(token.PlaceCode)
	PlaceURL   = Place(token.PlaceURL)
	PlaceTool  = Place("tool")
)

// Stream restores one stream. It is not safe for concurrent use.
type Stream struct {
	words  *token.Vocabulary
	format Format
	faults faults

	framer  framer
	lines   []line // room
	queue   queue
	closed  bool
	passing bool // the rest of the frame under way passes as it is
	blind   bool // all that comes passes as it is
	ragged  bool // the input ended within a frame
	within  bool // what was drained may end within a frame

	tree     payload.Tree
	event    event
	patches  []patch
	channels []*channel // in the order in which they began
	byKey    map[key]*channel
	ended    map[key]bool
	tools    map[int]string // by item or block: the tool that it calls

	strangers map[string]*token.Places // by pointer: texts of events that nobody knows

	text   *token.Stream // of FormatText
	pieces []token.Piece
}

// faults take guards out, so that tests can see that it is noticed.
type faults struct {
	eager    bool // what is under way at the end of a frame is not waited for
	oneLevel bool // values in JSON in a string are escaped for the frame alone
	certain  bool // of a key that comes twice the first counts
	trusting bool // a string that may be a piece of a text counts as one of its own
}

// New begins a stream.
func New(o Options) (*Stream, error) {
	s := &Stream{words: o.Words, format: o.Format}
	switch o.Format {
	case FormatSSE, FormatChat, FormatResponses, FormatAnthropic, FormatGemini:
	case FormatNDJSON:
		s.framer.lines = true
	case FormatText:
		s.text = o.Words.Stream()
	default:
		return nil, fmt.Errorf("%w: %q", ErrFormat, o.Format)
	}
	s.forget()
	return s, nil
}

// Push takes the next bytes, cut anywhere. What is pending must be drained before
// the next Push, or memory grows with the stream.
func (s *Stream) Push(chunk []byte) error {
	if s.closed {
		return ErrClosed
	}
	text := string(chunk) // one copy, which all frames in it share
	if s.text != nil {
		s.pieces = s.text.Append(s.pieces[:0], text)
		s.plain(s.pieces)
		return nil
	}
	for text != "" {
		if s.blind {
			s.queue.raw(text)
			return nil
		}
		f := &s.framer
		if f.cr && text[0] == '\n' && len(f.buf) == 0 && !s.passing {
			f.cr = false // it belongs to the line end of a frame that is out
			s.queue.raw(text[:1])
			text = text[1:]
			continue
		}
		n, whole := f.end(text)
		s.piece(text[:n], whole)
		text = text[n:]
	}
	return nil
}

// piece takes the next piece of the frame under way.
func (s *Stream) piece(text string, whole bool) {
	f := &s.framer
	switch {
	case s.passing:
		s.queue.raw(text)
		s.passing = !whole
		return
	case len(f.buf)+len(text) > MaxFrame:
		raw := string(f.buf) + text
		f.reset()
		s.flood(raw[:MaxFrame])
		s.queue.raw(raw)
		s.passing = !whole
		return
	case !whole:
		f.buf = append(f.buf, text...)
		return
	case len(f.buf) > 0:
		text = string(append(f.buf, text...))
		f.reset()
	}
	s.frame(text, false)
}

// Close says that the input ended: what was held back is decided. A frame that
// is not whole is read as if it were, since clients do.
func (s *Stream) Close() error {
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	switch {
	case s.text != nil:
		s.plain(s.text.Flush())
	case len(s.framer.buf) > 0:
		rest := string(s.framer.buf)
		s.framer.reset()
		s.frame(rest, true)
		s.ragged = true
	case !s.blind:
		s.endAll()
	}
	return nil
}

// plain queues pieces of a stream that is one text.
func (s *Stream) plain(pieces []token.Piece) {
	for i := range pieces {
		p := &pieces[i]
		if !p.Found {
			s.queue.raw(p.Text)
			continue
		}
		s.queue.ask(p.Text, found{candidate: candidateOf(&p.Candidate, p.Text, false, "", false)})
	}
}

// Pending are the candidates that are decided and not answered, in the order of
// the output. The slice is good until the next Push, Close or Drain.
func (s *Stream) Pending() []Candidate { return s.queue.asked }

// Drain appends to dst all that is decided. There is one answer for each that is
// Pending: what takes its place, or nil where it stays as it was written, as it
// does where answers are missing.
func (s *Stream) Drain(dst []byte, answers []*string) []byte {
	s.within = s.passing || s.blind || s.ragged
	return s.queue.drain(dst, answers)
}

// Note appends a comment, which clients of event streams ignore, if the format has
// comments and what was drained before ends with a whole frame. It may stand before
// what is drained next, or behind what was drained last. It ends at the first line
// end.
func (s *Stream) Note(dst []byte, comment string) []byte {
	if s.text != nil || s.framer.lines || s.within {
		return dst
	}
	dst = append(dst, ": "...)
	dst = append(dst, comment[:lineLength(comment)]...)
	return append(dst, "\n\n"...)
}

// Held is how many bytes are held back because they are not decided.
func (s *Stream) Held() int {
	n := len(s.framer.buf)
	if s.text != nil {
		n += len(s.text.Held())
	}
	for _, c := range s.channels {
		n += len(c.held)
	}
	return n
}

// Blind says whether the stream passes as it is from some frame on, because that
// frame could not be read and might have been of any channel.
func (s *Stream) Blind() bool { return s.blind }
