package stream

import (
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// event is what a frame turned out to be: the deltas in it, and what it ends.
type event struct {
	shape   payload.Shape // by whose rules the rest of it is read; none if nobody's
	kind    string        // its member "type"
	deltas  []delta
	unclear bool // two readers could read it as different events
	all     bool // it ends all channels
	tool    string
	signed  bool // it is signed by the provider: nothing in it may change
}

// delta is the next piece of a channel.
type delta struct {
	to         *channel
	node       payload.Node
	start, end int // the inside of the string, in the frame's data
	escaped    bool
}

// reset makes room for the next event.
func (e *event) reset() { *e = event{deltas: e.deltas[:0]} }

// read tells what the frame in the tree is. The API may be given, else each
// frame is told by its own marks.
func (s *Stream) read() {
	t, e := &s.tree, &s.event
	e.reset()
	if !t.IsObject(payload.Root) {
		return
	}
	e.unclear, e.kind = t.Twice(payload.Root), wordOf(t, payload.Root, "type")
	format := s.format
	if format == FormatSSE || format == FormatNDJSON {
		format = s.tell()
	}
	switch format {
	case FormatChat:
		e.shape = payload.OpenAIChatResponse
		s.chat()
	case FormatResponses:
		e.shape = payload.OpenAIResponsesResponse
		s.responses()
	case FormatAnthropic:
		e.shape = payload.AnthropicMessagesResponse
		s.anthropic()
	case FormatGemini:
		e.shape = payload.GeminiGenerateResponse
		s.gemini()
	case formatOllama:
		e.shape = payload.OllamaChunk
		s.ollama()
	}
	if !isNull(t, payload.Root, "error") || e.kind == "error" {
		e.all = true
	}
}

// formatOllama is NDJSON of Ollama, which nobody has to name.
const formatOllama Format = "ollama"

// tell tells whose event a frame is. The marks are not shared by two of them.
func (s *Stream) tell() Format {
	t := &s.tree
	switch kind := s.event.kind; {
	case strings.HasPrefix(kind, responsesPrefix):
		return FormatResponses
	case anthropicEvents[kind]:
		return FormatAnthropic
	}
	if n, ok := t.Member(payload.Root, "choices"); ok && t.IsArray(n) {
		return FormatChat
	}
	if n, ok := t.Member(payload.Root, "candidates"); ok && t.IsArray(n) {
		return FormatGemini
	}
	if _, ok := t.Member(payload.Root, "done"); ok {
		return formatOllama
	}
	return FormatSSE
}

// delta notes that a member of an object is the next piece of a channel. One
// that is no string is none.
func (s *Stream) delta(n payload.Node, name string, k key, open func(*channel)) {
	if m, ok := s.tree.Member(n, name); ok {
		s.deltaAt(m, k, open)
	}
}

func (s *Stream) deltaAt(n payload.Node, k key, open func(*channel)) {
	if _, ok := s.tree.Text(n); !ok {
		return
	}
	start, end, escaped := s.tree.Inside(n)
	s.event.deltas = append(s.event.deltas, delta{to: s.channel(k, open), node: n, start: start, end: end, escaped: escaped})
}

// ends marks the channels that the frame ends.
func (s *Stream) ends(which func(key) bool) {
	for _, c := range s.channels {
		c.ending = c.ending || which(c.key)
	}
}

// clear says whether an object may be relied on, and remembers where not.
func (s *Stream) clear(n payload.Node) bool {
	if s.tree.Twice(n) {
		s.event.unclear = true
	}
	return !s.event.unclear
}

// wordOf returns a member that is a string.
func wordOf(t *payload.Tree, n payload.Node, name string) string {
	m, ok := t.Member(n, name)
	if !ok {
		return ""
	}
	text, _ := t.Text(m)
	return text
}

// isNull says whether a member is absent or null.
func isNull(t *payload.Tree, n payload.Node, name string) bool {
	m, ok := t.Member(n, name)
	return !ok || t.Raw(m) == "null"
}

// number returns a member that is a small number, and otherwise what it is taken
// to be where it is absent. Any other number makes the event unclear.
func (s *Stream) number(n payload.Node, name string, otherwise int) int {
	m, ok := s.tree.Member(n, name)
	if !ok || s.tree.Raw(m) == "null" {
		return otherwise
	}
	const most = 1 << 20
	v, err := strconv.Atoi(s.tree.Raw(m))
	if err != nil || v < 0 || v > most {
		s.event.unclear = true
		return otherwise
	}
	return v
}
