package stream

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// How the types of events are spelled.
const (
	responsesPrefix = "response."
	deltaSuffix     = ".delta" // a piece of a text
	doneSuffix      = ".done"  // all of it
)

// responsesEnds end the answer.
var responsesEnds = names("response.completed response.failed response.incomplete")

// responsesTexts are the pieces of a text,
// https://platform.openai.com/docs/api-reference/responses-streaming. All others
// are of what a tool is called with: arguments, input, code, and whatever comes.
var responsesTexts = names(`response.output_text.delta response.refusal.delta response.reasoning_text.delta
	response.reasoning_summary_text.delta response.reasoning_summary.delta response.reasoning.delta
	response.audio.transcript.delta response.audio_transcript.delta response.output_audio_transcript.delta`)

// responsesSounds are pieces of what is no text.
var responsesSounds = names("response.audio.delta response.output_audio.delta")

// responses reads an event of the responses API.
func (s *Stream) responses() {
	t, e := &s.tree, &s.event
	kind := e.kind
	item := s.number(payload.Root, "output_index", 0)
	part := s.number(payload.Root, "content_index", s.number(payload.Root, "summary_index", 0))
	e.tool = s.tools[item]
	switch {
	case responsesSounds[kind]:
	case strings.HasSuffix(kind, deltaSuffix):
		s.delta(payload.Root, "delta", key{kind, item, part}, func(c *channel) {
			c.key.kind = strings.Clone(kind)
			if !responsesTexts[kind] {
				c.isTool(payload.MaxNested)
				c.name = s.tools[item]
			}
		})
	case kind == "response.output_item.added":
		if n, ok := t.Member(payload.Root, "item"); ok && t.IsObject(n) && s.clear(n) {
			s.named(item, n)
		}
	case responsesEnds[kind]:
		e.all = true
	case strings.HasSuffix(kind, doneSuffix):
		_, inContent := t.Member(payload.Root, "content_index")
		_, inSummary := t.Member(payload.Root, "summary_index")
		s.ends(func(k key) bool { return k.a == item && (k.b == part || !inContent && !inSummary) })
		if kind == "response.output_item.done" {
			delete(s.tools, item)
		}
	}
}

// named remembers the tool that an item or a block calls: by its name, or by its
// type where it is one of the API's own.
func (s *Stream) named(at int, n payload.Node) {
	name := wordOf(&s.tree, n, "name")
	if name == "" {
		name = wordOf(&s.tree, n, "type")
	}
	if len(name) > MaxName || len(s.tools) >= MaxChannels && s.tools[at] == "" {
		name = "" // a tool that nobody knows
	}
	if name == "" {
		delete(s.tools, at)
		return
	}
	s.tools[at] = strings.Clone(name)
}
