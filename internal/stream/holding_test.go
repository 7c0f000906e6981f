package stream_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/stream"
	"github.com/counterfoil/counterfoil/internal/token"
)

// push gives a stream one more frame and returns what comes out.
func push(t *testing.T, s *stream.Stream, frame string) string {
	t.Helper()
	if err := s.Push([]byte(frame)); err != nil {
		t.Fatal(err)
	}
	var answers []*string
	for _, c := range s.Pending() {
		answers = append(answers, answer(c))
	}
	return string(s.Drain(nil, answers))
}

// TestGivesAtOnce: what is decided goes out with its frame, and what waits is no
// more than could be a token.
func TestGivesAtOnce(t *testing.T) {
	s := begin(t, vocabulary(t), "")
	for _, c := range []struct{ text, out string }{
		{"Hello, ", "Hello, "}, {"I am [PER", "I am "}, {"SON_5JQ7", ""}, {"BRW43B", ""},
		{"], an", `Ann \"Q\" O'Neil\n<b>&amp;</b> \\, an`}, {"d [1", "d [1"}, {"]", "]"}, {"", ""},
	} {
		if diff := cmp.Diff(content(0, c.out), push(t, s, content(0, c.text))); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
	s = begin(t, vocabulary(t), "")
	argument := func(text string) string { return fmt.Sprintf(argumentsForm, strconv.Quote(text)) }
	for _, c := range []struct{ text, out string }{
		{`{"`, `{"`}, {`to`, ``}, {`": "`, `to": "`}, {`x\`, `x`}, {`u0041`, `\u0041`}, {`\u005`, ``}, {`bX",`, `\u005bX",`}, {`"b":{`, `"b":{`},
	} {
		if diff := cmp.Diff(argument(c.out), push(t, s, argument(c.text))); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

// TestHeld: of each channel at most the longest candidate waits, whatever stands
// there, however it is spelled.
func TestHeld(t *testing.T) {
	v := vocabulary(t)
	a := newAuthor(t.Name())
	most := 0
	for range many() / 4 {
		s := begin(t, v, "")
		for range 20 {
			push(t, s, a.deltas(contentForm, a.text()))
			if held := s.Held(); held > token.MaxCandidate*len(`\ud83d\ude00`) {
				t.Fatalf("%d bytes held", held)
			} else if held > most {
				most = held
			}
		}
	}
	if most < 20 {
		t.Errorf("never more than %d bytes held", most)
	}
	// Each level of strings spells a backslash with two, or with six bytes.
	spelled := strings.Repeat(`\u200b`, 90)
	text := `["[PERSON` + spelled
	for range 3 {
		inner, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		text = `[` + strings.ReplaceAll(string(inner[:len(inner)-1]), `\\`, `\u005c`)
	}
	s := begin(t, v, "")
	push(t, s, fmt.Sprintf(argumentsForm, strconv.Quote(text)))
	if held := s.Held(); held > stream.MaxHeld {
		t.Errorf("%d bytes held", held)
	}
}

// TestFramesWhole: no frame that goes out breaks a token in two that comes out
// restored, and each is valid.
func TestFramesWhole(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.format == stream.FormatText {
			continue
		}
		got := restore(t, begin(t, vocabulary(t), f.format), f.input).Out
		if !utf8.ValidString(got) {
			t.Errorf("%s: no UTF-8", f.name)
		}
		for _, data := range dataOf(f.format, got) {
			if strings.HasPrefix(data, "{") && !json.Valid([]byte(data)) {
				t.Errorf("%s: no JSON: %s", f.name, data)
			}
		}
	}
}

// TestTails: the frame in which the rest of a text goes out says which text it is,
// and nothing twice.
func TestTails(t *testing.T) {
	v := vocabulary(t)
	for name, c := range map[string]struct{ in, tail, end string }{
		"chat": {
			`data: {"id":"c","x":{"y":1},"created":12,"choices":[{"index":2,"delta":{"role":"assistant","content":"[EM","refusal":"12"},"logprobs":{"content":[]},"finish_reason":null}],"usage":{"n":1}}` + "\n\n",
			`data: {"id":"c","created":12,"choices":[{"index":2,"delta":{"role":"assistant","content":"[EM"},"finish_reason":null}]}` + "\n\n",
			"data: [DONE]\n\n",
		},
		"chat, call": {
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"id":"call_1","type":"function","function":{"name":"f","arguments":"[\"[EM"}}]}}]}` + "\n\n",
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"type":"function","function":{"arguments":"[EM"}}]}}]}` + "\n\n",
			`data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n",
		},
		"responses": {
			"id: 4\r\nevent: response.output_text.delta\r\n" + `data: {"type":"response.output_text.delta","item_id":"m","output_index":1,"content_index":2,"delta":"[EM","sequence_number":7,"logprobs":[{"token":"[EM"}]}` + "\r\n\r\n",
			"event: response.output_text.delta\r\n" + `data: {"type":"response.output_text.delta","item_id":"m","output_index":1,"content_index":2,"delta":"[EM","sequence_number":7}` + "\r\n\r\n",
			`data: {"type":"response.output_text.done","output_index":1,"content_index":2,"text":""}` + "\n\n",
		},
		"anthropic": {
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"[EM"}}` + "\n\n",
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"[EM"}}` + "\n\n",
			`data: {"type":"content_block_stop","index":1}` + "\n\n",
		},
		"anthropic, where it starts": {
			"event: content_block_start\n" + `data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":"[EM"}}` + "\n\n",
			"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"[EM"}}` + "\n\n",
			`data: {"type":"error","error":{"message":"busy"}}` + "\n\n",
		},
		"gemini": {
			`data: {"candidates":[{"content":{"parts":[{"text":"a, "},{"text":"[EM","thought":true}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"n":1}}` + "\n\n",
			`data: {"candidates":[{"content":{"parts":[{"text":"[EM","thought":true}],"role":"model"}}]}` + "\n\n",
			"",
		},
	} {
		s := begin(t, v, "")
		head := push(t, s, c.in)
		if want := strings.Replace(c.in, "[EM", "", 1); head != want {
			t.Errorf("%s: %s", name, cmp.Diff(want, head))
		}
		out := push(t, s, c.end)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.tail+c.end, out+string(s.Drain(nil, nil))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestMemory: what a stream keeps does not grow with it, nor with its greatest
// frames.
func TestMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps memory of its own")
	}
	v := vocabulary(t)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := begin(t, v, "")
	big := strings.Repeat("[\\\"\u00e9 "+tok+" ", stream.MaxFrame/50)
	for i := range 5 {
		push(t, s, content(i, big))
		push(t, s, content(i, "x [PER"))
		push(t, s, fmt.Sprintf(`data: {"choices":[{"index":%d,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"[\"%s"}}]}}]}`, i, strings.ReplaceAll(big, `\"`, `\\\"`))+"\n\n")
	}
	const most = 10 * 64 << 10
	if kept := int64(heap()) - int64(before); kept > most+stream.MaxFrame {
		t.Errorf("%d bytes kept", kept)
	}
	runtime.KeepAlive(s)

	// A text of which something is always held, spelled with escapes.
	before = heap()
	s = begin(t, v, "")
	push(t, s, content(0, "P"))
	for range 2_000 {
		push(t, s, content(0, strings.Repeat(`\n\u00e9`, 20)+" P"))
	}
	if kept := int64(heap()) - int64(before); kept > 64<<10 {
		t.Errorf("%d bytes kept of one text", kept)
	}
	runtime.KeepAlive(s)
}
