package stream

import "github.com/counterfoil/counterfoil/internal/payload"

// The events of https://docs.anthropic.com/en/docs/build-with-claude/streaming.
const (
	anthropicStart = "content_block_start"
	anthropicDelta = "content_block_delta"
)

var anthropicEvents = names(`message_start message_delta message_stop content_block_start content_block_delta
	content_block_stop ping`)

// bodyNest is how many levels of JSON in strings there may be in what a block
// calls a tool with: in a whole answer that is part of the body, and not yet in
// a string.
const bodyNest = payload.MaxNested + 1

// anthropic reads an event of the messages API. Thinking stays as it is: its
// signature is over its text, and a client must send both back unchanged.
func (s *Stream) anthropic() {
	t, e := &s.tree, &s.event
	index := s.number(payload.Root, "index", 0)
	e.tool = s.tools[index]
	switch e.kind {
	case "message_start":
		s.forget()
	case anthropicStart:
		block, ok := t.Member(payload.Root, "content_block")
		if !ok || !t.IsObject(block) || !s.clear(block) {
			return
		}
		switch wordOf(t, block, "type") {
		case "text":
			s.delta(block, kindText, key{kindText, index, 0}, nil)
		case "thinking", "redacted_thinking":
			e.signed = true
		}
		s.named(index, block)
	case anthropicDelta:
		d, ok := t.Member(payload.Root, "delta")
		if !ok || !t.IsObject(d) || !s.clear(d) {
			return
		}
		switch wordOf(t, d, "type") {
		case "text_delta":
			s.delta(d, kindText, key{kindText, index, 0}, nil)
		case "input_json_delta":
			s.delta(d, "partial_json", key{kindToolCall, index, 0}, func(c *channel) {
				c.isTool(bodyNest)
				c.name = s.tools[index]
			})
		case "thinking_delta", "signature_delta":
			e.signed = true
		}
	case "content_block_stop":
		s.ends(func(k key) bool { return k.a == index })
		delete(s.tools, index)
	case "message_stop":
		e.all = true
	}
}
