package stream

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/token"
)

// key names a channel: which text of an answer it is.
type key struct {
	kind string
	a, b int // choice, item or block; the tool call or the part in it
}

// channel is one text of an answer, which arrives in the strings of many frames.
// Offsets in it count the raw bytes of all of them.
type channel struct {
	key    key
	stream *Stream

	tool    bool   // it is what a tool is called with
	name    string // of that tool
	unnamed bool   // it was named twice
	id      string // of that call

	root  reader
	found []found
	held  string // what is not given out
	base  int    // where held begins
	form  form   // of the frame for a tail

	ending bool // the frame under way ends it
	last   int  // its last delta in the frame under way
}

// found is a candidate that was read and not given out.
type found struct {
	from, to  int // raw bytes of the channel, or bytes of a frame
	candidate Candidate
	levels    int // of strings, to escape what takes its place
}

// find notes a candidate of a reader.
func (c *channel) find(p *token.Piece, from, to int, r *reader) {
	c.found = append(c.found, found{
		from: from, to: to, levels: r.levels,
		candidate: candidateOf(&p.Candidate, p.Text, c.tool, c.name, r.key),
	})
}

// candidateOf joins where a token stands in its text with where the text stands.
func candidateOf(c *token.Candidate, written string, tool bool, name string, inKey bool) Candidate {
	out := Candidate{Token: c.Token, Strict: c.Strict, Place: Place(c.Place), Written: written, InKey: inKey}
	if tool && c.Place != token.PlaceURL {
		out.Place, out.Tool = PlaceTool, name
	}
	return out
}

// take reads a delta and says whether it may pass as it is. Otherwise give must
// follow, before anything else.
func (c *channel) take(raw string, escaped, final bool) (untouched bool, upTo int) {
	was := c.root.at
	c.root.feed(raw, escaped)
	c.root.settle()
	upTo = c.decided()
	if final {
		c.root.finish()
		upTo = c.root.at
	}
	untouched = c.held == "" && len(c.found) == 0 && upTo == c.root.at && upTo == was+len(raw)
	if untouched {
		c.base = upTo
		return true, upTo
	}
	return false, upTo
}

// decided is up to where the channel may be given out.
func (c *channel) decided() int {
	upTo := c.root.decided()
	if c.stream.faults.eager {
		upTo = c.root.at
	}
	if c.root.at-upTo > MaxHeld {
		upTo = c.root.at
	}
	for i := range c.found {
		if f := &c.found[i]; f.from < upTo && upTo < f.to {
			upTo = f.from
		}
	}
	return upTo
}

// give gives out what is held and what was read, up to an offset.
func (c *channel) give(q *queue, raw string, upTo int) {
	text, at := c.held+raw, c.base
	rest := c.found[:0]
	for _, f := range c.found {
		switch {
		case f.from >= upTo:
			rest = append(rest, f)
		case f.from >= at: // what begins before was given out as it was
			q.raw(text[at-c.base : f.from-c.base])
			q.ask(text[f.from-c.base:f.to-c.base], f)
			at = f.to
		}
	}
	q.raw(text[at-c.base : upTo-c.base])
	if len(rest) == 0 && cap(rest) > usualRoom {
		rest = nil
	}
	c.found, c.held, c.base = rest, strings.Clone(text[upTo-c.base:]), upTo
}
