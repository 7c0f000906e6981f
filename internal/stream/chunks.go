package stream

import "github.com/counterfoil/counterfoil/internal/payload"

// gemini reads a chunk of https://ai.google.dev/api/generate-content. A reason to
// finish ends nothing: older models send one with every chunk. Calls of tools
// come whole.
func (s *Stream) gemini() {
	t := &s.tree
	candidates, _ := t.Member(payload.Root, "candidates")
	at := 0
	for candidate := range t.Items(candidates) {
		if !s.clear(candidate) {
			return
		}
		index := s.number(candidate, "index", at)
		at++
		content, ok := t.Member(candidate, "content")
		if !ok || !t.IsObject(content) || !s.clear(content) {
			continue
		}
		parts, _ := t.Member(content, "parts")
		for part := range t.Items(parts) {
			if !t.IsObject(part) || !s.clear(part) {
				continue
			}
			to := key{kindText, index, 0}
			if n, ok := t.Member(part, "thought"); ok && t.Raw(n) == "true" {
				to.kind = "thinking"
			}
			s.delta(part, kindText, to, nil)
		}
	}
}

// ollama reads a line of https://docs.ollama.com/api. Calls of tools come whole.
func (s *Stream) ollama() {
	t := &s.tree
	for _, name := range []string{"response", "thinking"} {
		s.delta(payload.Root, name, key{name, 0, 0}, nil)
	}
	if m, ok := t.Member(payload.Root, "message"); ok && t.IsObject(m) && s.clear(m) {
		for _, name := range []string{kindContent, "thinking"} {
			s.delta(m, name, key{name, 0, 0}, nil)
		}
	}
	if n, ok := t.Member(payload.Root, "done"); ok && t.Raw(n) == "true" {
		s.event.all = true
	}
}
