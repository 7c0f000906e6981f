package stream

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// The texts of a chat completion, and what is called in it,
// https://platform.openai.com/docs/api-reference/chat-streaming, with the members
// that others have added: reasoning_content (DeepSeek), reasoning (OpenRouter),
// thinking (Ollama).
const (
	kindContent      = "content"
	kindText         = "text"
	kindTranscript   = "transcript"
	kindToolCall     = "tool_calls"
	kindFunctionCall = "function_call"
)

// chat reads a chunk of a chat completion, or of a completion.
func (s *Stream) chat() {
	t := &s.tree
	choices, _ := t.Member(payload.Root, "choices")
	at := 0
	for choice := range t.Items(choices) {
		if !s.clear(choice) {
			return
		}
		index := s.number(choice, "index", at)
		at++
		s.delta(choice, kindText, key{kindText, index, 0}, nil)
		if d, ok := t.Member(choice, "delta"); ok && t.IsObject(d) && s.clear(d) {
			s.message(d, index)
		}
		// Some providers send an empty reason until there is one.
		if wordOf(t, choice, "finish_reason") != "" {
			s.ends(func(k key) bool { return k.a == index })
		}
	}
}

// message reads the delta of a choice.
func (s *Stream) message(d payload.Node, choice int) {
	t := &s.tree
	for k := range t.Members(d) {
		switch name, _ := t.Text(k); name {
		case kindContent, "refusal", "reasoning_content", "reasoning", "thinking":
			s.deltaAt(k+1, key{fixed[name], choice, 0}, nil)
			s.parts(k+1, choice)
		case "audio":
			if t.IsObject(k+1) && s.clear(k+1) {
				s.delta(k+1, kindTranscript, key{kindTranscript, choice, 0}, nil)
			}
		case kindFunctionCall:
			s.call(k+1, key{kindFunctionCall, choice, 0}, "")
		case kindToolCall:
			at := 0
			for call := range t.Items(k + 1) {
				if !s.clear(call) {
					return
				}
				to := key{kindToolCall, choice, s.number(call, "index", at)}
				at++
				for _, member := range []string{"function", "custom"} {
					if f, ok := t.Member(call, member); ok {
						s.call(f, to, wordOf(t, call, "id"))
					}
				}
			}
		}
	}
}

// fixed are the names of texts as constants: those in a frame would hold on to it.
var fixed = map[string]string{
	kindContent: kindContent, "refusal": "refusal", "reasoning_content": "reasoning_content",
	"reasoning": "reasoning", "thinking": "thinking",
}

// parts reads content that is a list: its texts are one after the other.
func (s *Stream) parts(content payload.Node, choice int) {
	t := &s.tree
	for part := range t.Items(content) {
		if t.IsObject(part) && s.clear(part) {
			s.delta(part, kindText, key{kindContent, choice, 0}, nil)
		}
	}
}

// call reads a piece of what a tool is called with. Some providers give several
// calls one number: another id is another call.
func (s *Stream) call(f payload.Node, to key, id string) {
	t := &s.tree
	if !t.IsObject(f) || !s.clear(f) {
		return
	}
	if open := s.byKey[to]; open != nil && id != "" && open.id != "" && open.id != id {
		open.ending = true
		delete(s.byKey, to) // what comes under this number is for another
	}
	name := wordOf(t, f, "name")
	c := s.channel(to, func(c *channel) { c.isTool(payload.MaxNested) })
	if c == nil {
		return
	}
	if id != "" && len(id) <= MaxName {
		c.id = strings.Clone(id)
	}
	c.call(name)
	for _, member := range []string{"arguments", "input"} {
		s.delta(f, member, to, nil)
	}
}

// isTool makes a new channel one of what a tool is called with.
func (c *channel) isTool(nest int) {
	c.tool = true
	c.root.nest = nest
	c.root.begin(0)
}

// call names the tool. One that gets two names is none that a policy could mean.
func (c *channel) call(name string) {
	switch {
	case name == "" || name == c.name:
	case c.name == "" && !c.unnamed && c.root.at == 0 && len(name) <= MaxName:
		c.name = strings.Clone(name)
	default:
		c.name, c.unnamed = "", true
	}
}
