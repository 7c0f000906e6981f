package stream_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/stream"
)

const (
	tok   = "[EMAIL_ADDRESS_3SZCTBH51T]"
	plain = "ann@example.com"
)

// content is a chat delta of a choice.
func content(choice int, text string) string {
	return fmt.Sprintf(`data: {"choices":[{"index":%d,"delta":{"content":"%s"}}]}`, choice, text) + "\n\n"
}

// tail is the frame in which the rest of a channel goes out.
func tail(choice int, text string) string { return content(choice, text) }

// TestDoubt: what cannot be read passes, byte for byte; and where it could have
// been part of any text, nothing is restored behind it.
func TestDoubt(t *testing.T) {
	v := vocabulary(t)
	long := strings.Repeat("x", stream.MaxFrame)
	event := func(name, json string) string { return "event: " + name + "\ndata: " + json + "\n\n" }
	delta := func(text string) string {
		return event("response.output_text.delta", `{"type":"response.output_text.delta","output_index":0,"delta":"`+text+`"}`)
	}
	for name, c := range map[string]struct {
		format stream.Format
		before string
		frame  string
		tail   string // what must stand before the frame
		after  string
		blind  bool
	}{
		"no JSON":            {before: content(0, "a [EM"), frame: "data: hello [EM\n\n", after: content(0, "AIL")},
		"a number":           {before: content(0, "a"), frame: "data: 12\n\n", after: content(0, "")},
		"no data":            {before: content(0, "a [EM"), frame: ": note\n\nid: 1\nretry: 5\n\n", after: content(0, "AIL")},
		"half JSON":          {before: content(0, "a [EM"), frame: `data: {"choices":[` + "\n\n", tail: "[EM", blind: true},
		"a list cut":         {before: content(0, "a [EM"), frame: "data: [1,\n\n", tail: "[EM", blind: true},
		"no UTF-8":           {before: content(0, "a [EM"), frame: "data: {\"a\":\"\xff\"}\n\n", tail: "[EM", blind: true},
		"a key twice":        {before: content(0, "a [EM"), frame: `data: {"choices":[{"index":0,"delta":{"content":"x","content":"y"}}]}` + "\n\n", tail: "[EM", blind: true},
		"choices twice":      {before: content(0, "a"), frame: `data: {"choices":[],"choices":[]}` + "\n\n", blind: true},
		"an index of 1e9":    {before: content(0, "a"), frame: `data: {"choices":[{"index":1e9,"delta":{"content":"x"}}]}` + "\n\n", blind: true},
		"too long":           {before: content(0, "a [EM"), frame: content(0, long), tail: "[EM", blind: true},
		"too long, an event": {before: delta("a [EM"), frame: event("response.output_text.delta", `"`+long+`"`), tail: "[EM", blind: true},
		"an image":           {before: delta("a [EM"), frame: event("response.image_generation_call.partial_image", `"`+long+`"`)},
		"an image is done":   {before: delta("a [EM"), frame: event("response.output_item.done", `"`+long+`"`), tail: "[EM"},
		"a line too long":    {format: stream.FormatNDJSON, before: `{"response":"a","done":false}` + "\n", frame: long + "\n", blind: true},
		"a line that is cut": {format: stream.FormatNDJSON, before: `{"response":"a","done":false}` + "\n", frame: "{\n", blind: true},
	} {
		s := begin(t, v, c.format)
		probe := content(1, tok)
		if c.format == stream.FormatNDJSON {
			probe = `{"thinking":"` + tok + `","done":false}` + "\n"
		}
		got := restore(t, s, c.before+c.frame+probe).Out
		want := strings.NewReplacer(tok, plain).Replace(probe)
		if c.blind {
			want = probe
		}
		at := strings.Index(got, c.frame)
		if at < 0 || !strings.HasPrefix(got[at+len(c.frame):], want) || s.Blind() != c.blind {
			t.Errorf("%s: the frame or what follows is not as it was, blind %v", name, s.Blind())
			continue
		}
		if c.tail != "" && !strings.Contains(got[:at], `"`+c.tail+`"`) {
			t.Errorf("%s: %q is not before it: %q", name, c.tail, got[:at])
		}
		if c.tail == "" && strings.Contains(c.before, "[EM") && strings.Contains(got[:at], "[EM") {
			t.Errorf("%s: the tail did not wait: %q", name, got[:at])
		}
	}
}

// TestDoubtAnyCut: so it is however the input is cut, also within frames that
// are too long.
func TestDoubtAnyCut(t *testing.T) {
	v := vocabulary(t)
	long := strings.Repeat("x", stream.MaxFrame-20)
	for _, frame := range []string{content(0, long), content(0, long[:len(long)-60])} {
		in := content(0, "a [EM") + frame + content(0, "AIL") + content(1, tok)
		want := restore(t, begin(t, v, ""), in)
		r := random(t.Name())
		for range 30 {
			cuts := []int{r.IntN(100), 100 + r.IntN(len(in)-300), len(in) - 200 + r.IntN(150)}
			if diff := cmp.Diff(want.Asked, restore(t, begin(t, v, ""), in, cuts...).Asked); diff != "" {
				t.Errorf("cut at %v: %s", cuts, diff)
			}
			if restore(t, begin(t, v, ""), in, cuts...).Out != want.Out {
				t.Errorf("cut at %v: other bytes", cuts)
			}
		}
	}
}

// TestDoubtTwin: were the first of two keys taken, a value would come to stand in a
// link that a client sees who takes the last.
func TestDoubtTwin(t *testing.T) {
	v := vocabulary(t)
	in := `data: {"choices":[{"index":0,"delta":{"content":"x","content":"https://x.example/?q="}}]}` + "\n\n" + content(0, tok)
	if got := restore(t, begin(t, v, ""), in).Out; got != in {
		t.Errorf("something was changed: %q", got)
	}
	if got := restore(t, begin(t, v, "").Without(stream.Certain), in).Out; !strings.Contains(got, plain) {
		t.Error("the guard makes no difference")
	}
}

// TestChannels: more of them than the limit pass as they are, and one does not
// go on after its end.
func TestChannels(t *testing.T) {
	v := vocabulary(t)
	var in, want strings.Builder
	for i := range stream.MaxChannels + 1 {
		in.WriteString(content(i, tok+" [EM"))
	}
	for i := range stream.MaxChannels {
		want.WriteString(content(i, plain+" "))
	}
	want.WriteString(content(stream.MaxChannels, tok+" [EM"))
	for i := range stream.MaxChannels {
		want.WriteString(tail(i, "[EM"))
	}
	if diff := cmp.Diff(want.String(), restore(t, begin(t, v, ""), in.String()).Out); diff != "" {
		t.Error(diff)
	}
	end := `data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n"
	in.Reset()
	in.WriteString(content(0, tok+" [EM") + end + content(0, "AIL"+tok) + content(1, tok))
	expect := content(0, plain+" ") + tail(0, "[EM") + end + content(0, "AIL"+tok) + content(1, plain)
	if diff := cmp.Diff(expect, restore(t, begin(t, v, ""), in.String()).Out); diff != "" {
		t.Error(diff)
	}
	block := func(i int, text string) string {
		return fmt.Sprintf(`data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":"%s"}}`, i, text) + "\n\n"
	}
	stop := `data: {"type":"content_block_stop","index":0}` + "\n\n"
	start := `data: {"type":"message_start","message":{}}` + "\n\n"
	got := restore(t, begin(t, v, ""), block(0, tok)+stop+block(0, tok)+start+block(0, tok)).Out
	if diff := cmp.Diff(block(0, plain)+stop+block(0, tok)+start+block(0, plain), got); diff != "" {
		t.Errorf("a message begins anew: %s", diff)
	}
}

// TestTools: which tool is called is known from the first delta, and one that is
// named twice is nobody's.
func TestTools(t *testing.T) {
	v := vocabulary(t)
	call := func(id, name, args string) string {
		return fmt.Sprintf(`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"%s","function":{"name":"%s","arguments":"%s"}}]}}]}`, id, name, args) + "\n\n"
	}
	for name, c := range map[string]struct{ in, tool string }{
		"once":            {call("a", "mail", "") + call("", "", "["+`\"`+tok), "mail"},
		"with each delta": {call("a", "mail", `[\"`) + call("a", "mail", tok), "mail"},
		"in pieces":       {call("a", "send_", ``) + call("", "mail", "") + call("", "mail", `[\"`+tok), ""},
		"changed":         {call("a", "mail", `[\"`) + call("a", "post", tok), ""},
		"too late":        {call("a", "", `[\"`) + call("a", "mail", tok), ""},
		"another call":    {call("a", "mail", `[\"`) + call("b", "post", `[\"`+tok), "post"},
		"a long name":     {call("a", strings.Repeat("m", stream.MaxName+1), `[\"`+tok), ""},
	} {
		asked := restore(t, begin(t, v, ""), c.in).Asked
		if len(asked) != 1 || asked[0].Tool != c.tool || asked[0].Place != stream.PlaceTool {
			t.Errorf("%s: %+v", name, asked)
		}
	}
}

// TestAPI: errors, notes and answers that do not fit.
func TestAPI(t *testing.T) {
	v := vocabulary(t)
	if _, err := stream.New(stream.Options{Words: v, Format: "xml"}); !errors.Is(err, stream.ErrFormat) {
		t.Error(err)
	}
	s := begin(t, v, stream.FormatChat)
	if got := string(s.Note(nil, "counterfoil: expired\n\ndata: 1")); got != ": counterfoil: expired\n\n" {
		t.Errorf("%q", got)
	}
	if err := s.Push([]byte(content(0, tok+tok+" [EM") + "data: {")); err != nil {
		t.Fatal(err)
	}
	bad := "\xff"
	if got := string(s.Drain(nil, []*string{&bad})); got != content(0, tok+tok+" ") {
		t.Errorf("%q", got)
	}
	if got := s.Held(); got != len("[EM"+"data: {") {
		t.Errorf("%d bytes held", got)
	}
	if len(s.Note(nil, "x")) == 0 {
		t.Error("no note between frames")
	}
	if err := errors.Join(s.Close()); err != nil {
		t.Fatal(err)
	}
	if got := string(s.Drain(nil, nil)); got != tail(0, "[EM")+"data: {" {
		t.Errorf("%q", got)
	}
	if len(s.Note(nil, "x")) != 0 {
		t.Error("a note within a frame")
	}
	if !errors.Is(s.Close(), stream.ErrClosed) || !errors.Is(s.Push(nil), stream.ErrClosed) {
		t.Error("it goes on after Close")
	}
	s = begin(t, v, "")
	image := "event: response.image_generation_call.partial_image\ndata: \"" + strings.Repeat("x", stream.MaxFrame)
	for _, c := range []struct {
		push  string
		notes bool // before it, where what was there goes out
	}{{content(0, "a"), true}, {image, true}, {"x\"\n\n", false}, {content(0, "b"), true}, {"data: {\n\n", true}, {"x\n\n", false}} {
		if err := s.Push([]byte(c.push)); err != nil {
			t.Fatal(err)
		}
		if got := len(s.Note(nil, "x")) > 0; got != c.notes {
			t.Errorf("a note before %.40q: %v", c.push, got)
		}
		s.Drain(nil, nil)
	}
	for _, f := range []stream.Format{stream.FormatText, stream.FormatNDJSON} {
		if len(begin(t, v, f).Note(nil, "x")) != 0 {
			t.Errorf("%s has no comments", f)
		}
	}
}

// TestStrangers: a string that may be a piece of a text that nobody follows is in
// doubt a URL. Without that a value would come to stand in a link that was cut.
func TestStrangers(t *testing.T) {
	v := vocabulary(t)
	data := func(json string) string { return "data: " + json + "\n\n" }
	for name, c := range map[string]struct {
		format stream.Format
		in     string
		place  stream.Place // of the only candidate
		tool   string
	}{
		"events of nobody": {"", data(`{"kind":"d","t":"https://x.example/?q="}`) + data(`{"kind":"d","t":"`+tok+`"}`), "url", ""},
		"at another place": {"", data(`{"kind":"d","t":"https://x.example/?q="}`) + data(`{"kind":"d","u":"`+tok+`"}`), "prose", ""},
		"the link ended":   {"", data(`{"t":"https://x.example/?q= "}`) + data(`{"t":"`+tok+`"}`), "prose", ""},
		"lines of nobody":  {stream.FormatNDJSON, `{"t":"https://x.example/?q="}` + "\n" + `{"t":"` + tok + `"}` + "\n", "url", ""},
		"a line":           {stream.FormatNDJSON, `{"t":"` + tok + `"}` + "\n", "prose", ""},
		"chat, unknown":    {"", data(`{"choices":[{"index":0,"delta":{"words":"` + tok + `"}}]}`), "url", ""},
		"chat, whole":      {"", data(`{"choices":[{"index":0,"message":{"content":"` + tok + `"}}]}`), "prose", ""},
		"chat, call":       {"", data(`{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":\"` + tok + `\"}"}}]}}]}`), "tool", "f"},
		"chat, call whole": {"", data(`{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":{"a":"` + tok + `"}}}]}}]}`), "tool", "f"},
		"marked line":      {stream.FormatNDJSON, "\ufeff" + `{"response":"` + tok + `","done":false}` + "\n", "prose", ""},
		"chat, wrong name": {stream.FormatChat, data(`{"type":"response.output_text.delta","delta":"` + tok + `"}`), "url", ""},
		"chat, error":      {"", data(`{"choices":[],"error":{"message":"` + tok + `"}}`), "prose", ""},
		"anthropic, new":   {"", data(`{"type":"content_block_delta","delta":{"type":"new_delta","new":"` + tok + `"}}`), "url", ""},
		"anthropic, cited": {"", data(`{"type":"content_block_delta","delta":{"type":"citations_delta","citation":{"cited_text":"` + tok + `"}}}`), "prose", ""},
		"anthropic, start": {"", data(`{"type":"content_block_start","content_block":{"type":"tool_use","name":"f","input":{"a":"` + tok + `"}}}`), "tool", "f"},
		"anthropic, text":  {"", data(`{"type":"content_block_start","content_block":{"type":"text","text":"https://x.example/"}}`) + data(`{"type":"content_block_delta","delta":{"type":"text_delta","text":"`+tok+`"}}`), "url", ""},
		"responses, new":   {"", data(`{"type":"response.new_call.delta","output_index":7,"delta":"` + tok + `"}`), "tool", ""},
		"responses, other": {"", data(`{"type":"response.new_call.delta","delta":{"x":"` + tok + `"}}`), "url", ""},
		"responses, sound": {"", data(`{"type":"response.audio.delta","delta":"` + tok + `"}`), "url", ""},
		"responses, done":  {"", data(`{"type":"response.new.done","x":"` + tok + `"}`), "prose", ""},
		"responses, call": {"", data(`{"type":"response.output_item.added","output_index":1,"item":{"type":"code_interpreter_call"}}`) +
			data(`{"type":"response.code_interpreter_call_code.done","output_index":1,"code":"`+tok+`"}`), "tool", "code_interpreter_call"},
		"gemini":          {"", data(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"` + tok + `"}}}]}}]}`), "tool", "f"},
		"gemini, unknown": {"", data(`{"candidates":[],"new":"` + tok + `"}`), "url", ""},
		"ollama, unknown": {stream.FormatNDJSON, `{"new":"` + tok + `","done":false}` + "\n", "url", ""},
	} {
		asked := restore(t, begin(t, v, c.format), c.in).Asked
		if len(asked) != 1 || asked[0].Place != c.place || asked[0].Tool != c.tool {
			t.Errorf("%s: %+v", name, asked)
		}
		if trusted := restore(t, begin(t, v, c.format).Without(stream.Trusting), c.in).Asked; c.place == "url" && name != "anthropic, text" && trusted[0].Place == c.place {
			t.Errorf("%s: the doubt makes no difference", name)
		}
	}
}
