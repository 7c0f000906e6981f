package stream

import (
	"cmp"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
)

// whole looks for candidates in the strings of a frame that are no deltas of a
// channel: each is a text of its own, as in a body, if it is known as such.
func (s *Stream) whole(data string) {
	e := &s.event
	if !s.suspicious(data) && e.shape != "" {
		return
	}
	doc, err := payload.ParseEvent([]byte(data), e.shape)
	if err != nil {
		return // it stays as it is: whole texts change nothing about others
	}
	for i, leaf := range doc.Leaves() {
		if leaf.Kind == payload.KindNumber || e.shape == payload.AnthropicMessagesResponse && strings.HasSuffix(leaf.Pointer, "/thinking") {
			continue
		}
		found := s.words.Scan(leaf.Text)
		s.follow(&leaf, found)
		for _, c := range found {
			from, to, levels := doc.Locate(i, c.Start, c.End)
			if s.inDelta(from) {
				break
			}
			s.ask(&leaf, &c, from, to, levels)
		}
	}
}

// ask notes a candidate in a frame.
func (s *Stream) ask(leaf *payload.Leaf, c *token.Candidate, from, to, levels int) {
	tool := leaf.Place == payload.PlaceTool
	p := patch{start: from, end: to, delta: none}
	p.found = found{levels: levels, candidate: candidateOf(
		c, leaf.Text[c.Start:c.End], tool, cmp.Or(leaf.Tool, s.event.tool), leaf.Kind == payload.KindKey,
	)}
	s.patches = append(s.patches, p)
}

// follow says where the candidates of a string stand, in doubt in a URL. A string
// of an event that nobody knows may be the next piece of what stood at the same
// place in the event before. One of a known API, at a place that is not known for
// whole texts, may be a piece of what nobody follows.
func (s *Stream) follow(leaf *payload.Leaf, found []token.Candidate) {
	e := &s.event
	switch {
	case s.faults.trusting, leaf.Kind == payload.KindKey:
	case e.shape != "":
		if !e.knows(leaf.Pointer) {
			doubt(found)
		}
	default:
		places := s.strangers[leaf.Pointer]
		switch {
		case places != nil:
		case len(s.strangers) >= MaxChannels || len(leaf.Pointer) > MaxName:
			doubt(found)
			return
		default:
			places = token.NewPlaces()
			s.strangers[strings.Clone(leaf.Pointer)] = places
		}
		at := 0
		for i := range found {
			c := &found[i]
			places.Text(leaf.Text[at:c.Start])
			if place := places.Token(c.Token, leaf.Text[c.Start:c.End]); place == token.PlaceURL {
				c.Place = place
			}
			at = c.End
		}
		places.Text(leaf.Text[at:])
	}
}

func doubt(found []token.Candidate) {
	for i := range found {
		found[i].Place = token.PlaceURL
	}
}

// knows says whether what stands at a place of the event is known to be whole.
func (e *event) knows(pointer string) bool {
	switch e.shape {
	case payload.OpenAIChatResponse:
		return strings.HasPrefix(pointer, "/error") || strings.Contains(pointer, "/message/") ||
			strings.Contains(pointer, "/annotations/") || strings.Contains(pointer, "/arguments/")
	case payload.OpenAIResponsesResponse:
		return strings.HasPrefix(e.kind, responsesPrefix) && !strings.HasSuffix(e.kind, deltaSuffix) || e.kind == "error"
	case payload.AnthropicMessagesResponse:
		return e.kind != anthropicDelta && anthropicEvents[e.kind] || e.kind == "error" || strings.HasPrefix(pointer, "/delta/citation/")
	case payload.GeminiGenerateResponse:
		return strings.HasPrefix(pointer, "/candidates/") || strings.HasPrefix(pointer, "/promptFeedback/")
	default:
		return strings.HasPrefix(pointer, "/message/tool_calls/") || pointer == "/error"
	}
}

// suspicious says whether there may be candidates outside of the deltas: some
// stand there as they are, or something is spelled with an escape. The deltas are
// in order afterwards.
func (s *Stream) suspicious(data string) bool {
	at := 0
	slices.SortFunc(s.event.deltas, func(a, b delta) int { return cmp.Compare(a.start, b.start) })
	for i := range s.event.deltas {
		d := &s.event.deltas[i]
		if s.holds(data[at:d.start]) {
			return true
		}
		at = d.end
	}
	return s.holds(data[at:])
}

func (s *Stream) holds(text string) bool {
	return strings.IndexByte(text, '\\') >= 0 || len(s.words.Scan(text)) > 0
}

// inDelta says whether a delta holds a place in the frame's data.
func (s *Stream) inDelta(at int) bool {
	deltas := s.event.deltas
	i, exact := slices.BinarySearchFunc(deltas, at, func(d delta, at int) int { return cmp.Compare(d.start, at) })
	return exact || i > 0 && at < deltas[i-1].end
}
