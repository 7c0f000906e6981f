package payload_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// TestTree looks at members as a reader of frames does.
func TestTree(t *testing.T) {
	var tree payload.Tree
	for range 2 { // its memory serves again
		if err := tree.Read(` {"a":[1,"x\u0079"],"b":{"c":null},"long":1e400} `); err != nil {
			t.Fatal(err)
		}
		a, _ := tree.Member(payload.Root, "a")
		var got []string
		for i := range tree.Items(a) {
			got = append(got, tree.Raw(i))
			if text, ok := tree.Text(i); ok {
				got = append(got, text)
			}
		}
		for k := range tree.Members(payload.Root) {
			key, _ := tree.Text(k)
			got = append(got, key, tree.Raw(k+1))
		}
		want := []string{"1", `"x\u0079"`, "xy", "a", `[1,"x\u0079"]`, "b", `{"c":null}`, "long", "1e400"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if !tree.IsArray(a) || tree.IsObject(a) || tree.IsScalar(a) || !tree.IsObject(payload.Root) || !tree.IsScalar(a+1) {
			t.Error("kinds")
		}
		if _, ok := tree.Member(payload.Root, "c"); ok {
			t.Error("found what is not a member")
		}
		for _, bad := range []string{"", `{"a":1}{`, "\xff", `{"a":1,}`, strings.Repeat("[", payload.MaxDepth+1)} {
			if tree.Read(bad) == nil {
				t.Errorf("%q was read", bad)
			}
		}
	}
}

// TestTreeTwice: a key that comes twice is seen, also spelled with an escape and
// among many; without it no two are alike.
func TestTreeTwice(t *testing.T) {
	many := func(last string) string {
		keys := []string{}
		for i := range 40 {
			keys = append(keys, `"k`+strings.Repeat("x", i)+`":0`)
		}
		return "{" + strings.Join(append(keys, last), ",") + "}"
	}
	var tree payload.Tree
	for text, want := range map[string]bool{
		`{"a":1,"b":2,"A":3}`: false, `{"a":1,"b":2,"\u0061":3}`: true, `{}`: false, `["a","a"]`: false,
		many(`"z":1`): false, many(`"k":1`): true, many(`"kxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx":1`): true,
	} {
		if err := tree.Read(text); err != nil {
			t.Fatal(err)
		}
		if tree.Twice(payload.Root) != want {
			t.Errorf("%s: not %v", text, want)
		}
	}
}

// TestLocate: putting a text, escaped as often as is said, where Locate says,
// is what Splice does.
func TestLocate(t *testing.T) {
	const token, value = "[PERSON_7K3QX9M2ZU]", "Ann \"A\"\n\\ <&> \U0001f600\u0001"
	inner, err := json.Marshal(map[string]any{"to": "é " + token + " \U0001f600", "deep": `{"a":["` + token + `"]}`, token: 1})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"plain": "\U0001f600\\ " + token, "arguments": string(inner)})
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, body, payload.Options{Shape: payload.JSON})
	edits := editsOf(d, token, value)
	if len(edits) != 4 {
		t.Fatalf("%d tokens found", len(edits))
	}
	for _, e := range edits {
		want, err := d.Splice([]payload.Edit{e})
		if err != nil {
			t.Fatal(err)
		}
		from, to, levels := d.Locate(e.Leaf, e.Start, e.End)
		got := payload.AppendEscaped(append([]byte{}, body[:from]...), value, levels)
		if diff := cmp.Diff(string(want), string(append(got, body[to:]...))); diff != "" {
			t.Error(diff)
		}
		if levels > 1 {
			twin := payload.AppendEscaped(append([]byte{}, body[:from]...), value, levels-1)
			if string(append(twin, body[to:]...)) == string(want) {
				t.Error("one escape less makes no difference")
			}
		}
	}
}

// TestParseEvent: events are read by the rules of what they wrap.
func TestParseEvent(t *testing.T) {
	for name, c := range map[string]struct {
		shape payload.Shape
		event string
		want  []string // pointer, place and tool of what is searched
	}{
		"responses item": {
			payload.OpenAIResponsesResponse,
			`{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"fc_1","name":"mail","arguments":"{\"to\":\"x\"}"}}`,
			[]string{"/item/arguments/to tool mail", "/item/arguments/to tool mail"},
		},
		"responses whole": {
			payload.OpenAIResponsesResponse,
			`{"type":"response.completed","response":{"id":"r","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hello"}]}]}}`,
			[]string{"/response/output/0/content/0/text prose "},
		},
		"responses text": {
			payload.OpenAIResponsesResponse, `{"type":"response.output_text.done","item_id":"m","text":"{\"a\":1}"}`,
			[]string{"/text prose "},
		},
		"anthropic tool": {
			payload.AnthropicMessagesResponse,
			`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"mail","input":{"to":"x"}}}`,
			[]string{"/content_block/input/to tool mail", "/content_block/input/to tool mail"},
		},
		"anthropic error": {
			payload.AnthropicMessagesResponse, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`,
			[]string{"/error/message prose "},
		},
		"chat": {
			payload.OpenAIChatResponse, `{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}],"more":"y"}`,
			[]string{"/choices/0/delta/content prose ", "/more prose ", "/more prose "},
		},
		"ollama": {
			payload.OllamaChunk, `{"model":"m","message":{"role":"assistant","content":"x","tool_calls":[{"function":{"name":"mail","arguments":{"to":"y"}}}]},"done":false}`,
			[]string{"/message/content prose ", "/message/tool_calls/0/function/arguments/to tool mail", "/message/tool_calls/0/function/arguments/to tool mail"},
		},
		"whole": {
			"", `{"type":"message","role":"assistant","content":[{"type":"tool_use","id":"t","name":"mail","input":{"to":"x"}}]}`,
			[]string{"/content/0/input/to tool mail", "/content/0/input/to tool mail"},
		},
		"free": {"", `{"a":"b"}`, []string{"/a prose ", "/a prose "}},
	} {
		d, err := payload.ParseEvent([]byte(c.event), c.shape)
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, l := range d.Leaves() {
			got = append(got, l.Pointer+" "+string(l.Place)+" "+l.Tool)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := payload.ParseEvent([]byte(`{}`), payload.MCPCallResult); err == nil {
		t.Error("no events of that shape are known")
	}
	if _, err := payload.ParseEvent([]byte(`{"type":1,"type":2}`), payload.AnthropicMessagesResponse); err == nil {
		t.Error("a key twice")
	}
}
