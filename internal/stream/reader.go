package stream

import (
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
)

// reader reads one string that arrives in pieces: as a text, and beside that as
// JSON, where it may be JSON and as long as it is. While it is, what is found in
// the strings inside counts and what is found in the text does not; the text is
// read on, so that it knows what stands before when the string turns out to be
// no JSON after all.
type reader struct {
	of     *channel
	text   *token.Stream
	buf    []byte // characters that text has not seen yet
	ledger ledger // of what text has not decided
	at     int    // the raw offset behind the last character
	json   *jsonText
	plain  bool // it is no JSON
	nest   int  // how many levels of JSON there may be in it
	levels int  // how many strings it is in, itself included
	key    bool // it is a key
}

// begin makes a reader ready for a string that begins at a raw offset.
func (r *reader) begin(at int) {
	r.at, r.ledger = at, ledger{raw: at, runs: r.ledger.runs[:0]}
	r.json, r.plain = nil, r.nest == 0
}

// feed takes the inside of a string of the frame.
func (r *reader) feed(raw string, escaped bool) {
	if r.plain && !escaped {
		r.settle()
		r.ledger.add(len(raw), len(raw))
		r.at += len(raw)
		r.read(r.text.Append(r.of.stream.pieces[:0], raw))
		return
	}
	for at := 0; at < len(raw); {
		c, width := payload.Unit(raw, at)
		r.put(c, width)
		at += width
	}
}

// put takes one character and how many raw bytes spell it.
func (r *reader) put(c rune, raw int) {
	switch {
	case r.json != nil:
		if !r.json.step(c, raw) {
			r.json.settle()
			r.settle()
			r.json, r.plain = nil, true
		}
	case r.plain, isSpace(c):
	case c == '{', c == '[':
		r.json = &jsonText{of: r, at: r.at}
		r.json.step(c, raw)
	default:
		r.plain = true
	}
	r.buf = utf8.AppendRune(r.buf, c)
	r.ledger.add(utf8.RuneLen(c), raw)
	r.at += raw
	const batch = 256 // bytes; so much is kept of a delta, however long it is
	if len(r.buf) >= batch {
		r.pass()
	}
}

// settle gives the text, and those in it, what they have not seen.
func (r *reader) settle() {
	if r.json != nil {
		r.json.settle()
	}
	r.pass()
}

func (r *reader) pass() {
	if len(r.buf) > 0 {
		r.read(r.text.Append(r.of.stream.pieces[:0], string(r.buf)))
		r.buf = r.buf[:0]
	}
}

// finish ends the string: what is held back is decided.
func (r *reader) finish() {
	r.settle()
	if r.json != nil {
		r.json.finish()
	}
	r.read(r.text.Flush())
}

// read takes what the text has decided.
func (r *reader) read(pieces []token.Piece) {
	r.of.stream.pieces = pieces[:0]
	for i := range pieces {
		from := r.ledger.raw
		to := r.ledger.take(len(pieces[i].Text))
		if pieces[i].Found && r.json == nil {
			r.of.find(&pieces[i], from, to, r)
		}
	}
}

// decided is the raw offset up to which nothing can change any more. All that
// was put must be settled.
func (r *reader) decided() int {
	if r.json != nil {
		return min(r.ledger.raw, r.json.decided())
	}
	return r.ledger.raw
}

// isSpace knows the white space of JSON.
func isSpace(c rune) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
