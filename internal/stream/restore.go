package stream

import (
	"cmp"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
)

// patch is a part of a frame that may change: a delta, or a candidate in one of
// the strings that are whole.
type patch struct {
	start, end int // in the frame's data
	delta      int // which one, or none
	found      found
}

// done is what OpenAI's streams end with.
const done = "[DONE]"

// frame reads one frame and queues it. last says that the input ends with it.
func (s *Stream) frame(raw string, last bool) {
	f := s.framer.parse(raw, s.lines)
	s.lines = f.lines
	if len(f.lines) == 0 || s.tree.Read(f.data) != nil {
		switch text := strings.TrimLeft(f.data, " \t\r\n"); {
		case strings.TrimRight(text, " \t\r\n") == done || last:
			s.endAll()
		case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
			s.goBlind()
		}
		s.queue.raw(raw)
		return
	}
	s.read()
	if s.event.unclear && !s.faults.certain {
		s.goBlind()
		s.queue.raw(raw)
		return
	}
	s.plan(&f, last)
	s.rewrite(&f)
	s.endings()
	if len(raw) > longFrame {
		s.tree, s.patches, s.pieces, s.lines = payload.Tree{}, nil, nil, nil
		s.event.deltas = nil
	}
}

// flood passes a frame that is too long to be kept. It begins with start. If its
// event line says that it is no delta, it is an image or repeats what is over;
// otherwise nobody knows which channel goes on in it.
func (s *Stream) flood(start string) {
	switch event := s.framer.parse(start, s.lines).event; {
	case !strings.HasPrefix(event, responsesPrefix), strings.HasSuffix(event, deltaSuffix):
		s.goBlind()
	case responsesEnds[event], strings.HasSuffix(event, doneSuffix):
		s.endAll()
	}
}

// goBlind gives up: a frame that cannot be read may have been of any channel, and
// what comes behind it could stand anywhere, in a URL as well.
func (s *Stream) goBlind() {
	s.endAll()
	s.blind = true
}

// plan says in which parts the frame may change, and which channels it ends.
// Those that it ends without a delta give out their tails before it.
func (s *Stream) plan(f *frame, last bool) {
	e := &s.event
	s.patches = s.patches[:0]
	for _, c := range s.channels {
		c.last = none
		c.ending = c.ending || e.all || last
	}
	if !e.signed {
		s.whole(f.data)
	}
	for i := range e.deltas {
		d := &e.deltas[i]
		s.patches = append(s.patches, patch{start: d.start, end: d.end, delta: i})
	}
	slices.SortFunc(s.patches, func(a, b patch) int { return cmp.Compare(a.start, b.start) })
	for i := range s.patches {
		if p := &s.patches[i]; p.delta != none && e.deltas[p.delta].to != nil {
			e.deltas[p.delta].to.last = p.delta
		}
	}
	for _, c := range s.channels {
		if c.ending && c.last == none {
			s.tail(c)
		}
	}
}

// rewrite queues a frame with what takes the place of its patches.
func (s *Stream) rewrite(f *frame) {
	e, q := &s.event, &s.queue
	from := 0
	for i := range s.patches {
		p := &s.patches[i]
		start, end := f.rawOf(p.start, p.end)
		text := f.raw[start:end]
		if p.delta == none {
			q.raw(f.raw[from:start])
			q.ask(text, p.found)
			from = end
			continue
		}
		d := &e.deltas[p.delta]
		if d.to == nil {
			continue
		}
		final := d.to.ending && d.to.last == p.delta
		untouched, upTo := d.to.take(text, d.escaped, final)
		if untouched {
			continue
		}
		q.raw(f.raw[from:start])
		d.to.give(q, text, upTo)
		if from = end; d.to.held != "" {
			d.to.form = formOf(f, &s.tree, d.node)
		}
	}
	q.raw(f.raw[from:])
}

// tail gives out what a channel holds, in a frame of its own.
func (s *Stream) tail(c *channel) {
	if c.root.finish(); c.held == "" {
		return
	}
	s.queue.raw(c.form.before)
	c.give(&s.queue, "", c.root.at)
	s.queue.raw(c.form.after)
}

// endAll ends all channels before the frame that comes.
func (s *Stream) endAll() {
	for _, c := range s.channels {
		c.ending = true
		s.tail(c)
	}
	s.endings()
}

// endings forgets the channels that ended, but for that they did.
func (s *Stream) endings() {
	s.channels = slices.DeleteFunc(s.channels, func(c *channel) bool {
		if c.ending && s.byKey[c.key] == c {
			delete(s.byKey, c.key)
			s.ended[c.key] = true
		}
		return c.ending
	})
}

// channel returns the channel of that name, which may begin here. There is none
// where it ended before, or where there are too many: then its text passes as it
// is.
func (s *Stream) channel(k key, open func(*channel)) *channel {
	if c := s.byKey[k]; c != nil {
		return c
	}
	if s.ended[k] || len(s.channels) >= MaxChannels || len(s.ended) >= MaxEnded {
		return nil
	}
	c := &channel{key: k, stream: s, last: none}
	c.root = reader{of: c, text: s.words.Stream(), levels: 1}
	c.root.begin(0)
	if open != nil {
		open(c)
	}
	s.channels = append(s.channels, c)
	s.byKey[c.key] = c
	return c
}

// forget begins a message: its numbers begin anew.
func (s *Stream) forget() {
	for _, c := range s.channels {
		c.ending = true
	}
	s.byKey, s.ended, s.tools = map[key]*channel{}, map[key]bool{}, map[int]string{}
	s.strangers = map[string]*token.Places{}
}
