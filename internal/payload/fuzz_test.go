package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/payload"
)

var allShapes = []payload.Shape{
	"", payload.JSON, payload.OpenAIChatRequest, payload.OpenAIChatResponse, payload.OpenAIResponsesRequest,
	payload.OpenAIResponsesResponse, payload.OpenAIEmbeddingsRequest, payload.AnthropicMessagesRequest,
	payload.AnthropicMessagesResponse, payload.GeminiGenerateRequest, payload.GeminiGenerateResponse,
	payload.MCPCallRequest, payload.MCPCallResult, payload.UnknownShape,
}

// seeds are the bodies that fuzzing starts from.
func seeds(f *testing.F) [][]byte {
	var out [][]byte
	for _, fix := range fixtures(f) {
		out = append(out, fix.body)
	}
	for _, text := range grammar {
		out = append(out, []byte(text))
	}
	if len(out) < 50 {
		f.Fatal("no seeds to start from")
	}
	return out
}

// FuzzParse reads any bytes as any shape: nothing panics, what is accepted is
// JSON, and what was read comes back.
func FuzzParse(f *testing.F) {
	for i, body := range seeds(f) {
		f.Add(body, uint8(i))
		f.Add(body, uint8(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, shape uint8) {
		opts := payload.Options{Shape: allShapes[int(shape)%len(allShapes)], Unknown: payload.UnknownEveryLeaf}
		valid := json.Valid(body) && utf8.Valid(body)
		d, err := payload.Parse(body, opts)
		if err != nil {
			if valid && (errors.Is(err, payload.RuleSyntax) || errors.Is(err, payload.RuleUTF8)) {
				t.Fatal(err)
			}
			return
		}
		if !valid {
			t.Fatal("accepted what is not JSON")
		}
		for _, l := range d.Leaves() {
			if !utf8.ValidString(l.Text) || !utf8.ValidString(l.Pointer) || l.Tool != "" && l.Place != payload.PlaceTool {
				t.Fatalf("%+v", l)
			}
		}
		if out, err := d.Splice(nil); err != nil || !bytes.Equal(out, body) {
			t.Fatal("no edit changed something", err)
		}
		if m := d.Manifest(nil); !json.Valid(m.Canonical()) || len(m.Scanned) != len(d.Leaves()) {
			t.Fatal("no manifest")
		}
	})
}

// FuzzSplice edits one leaf and reads the result: that leaf says what was
// asked for, and all others say what they said.
func FuzzSplice(f *testing.F) {
	for i, body := range seeds(f) {
		f.Add(body, uint8(i), uint16(i), uint16(1), uint16(3), `A "b" \c`+"\n")
		f.Add(body, uint8(0), uint16(3*i), uint16(0), uint16(100), "[T]")
	}
	f.Fuzz(func(t *testing.T, body []byte, shape uint8, leaf, start, length uint16, with string) {
		opts := payload.Options{Shape: allShapes[int(shape)%len(allShapes)], Unknown: payload.UnknownEveryLeaf}
		d, err := payload.Parse(body, opts)
		if err != nil || len(d.Leaves()) == 0 {
			return
		}
		at := int(leaf) % len(d.Leaves())
		text := d.Leaves()[at].Text
		from := min(int(start), len(text))
		to := min(from+int(length), len(text))
		edits := []payload.Edit{{Leaf: at, Start: from, End: to, With: with}}
		out, err := d.Splice(edits)
		if err != nil {
			between := utf8.ValidString(text[:from]) && utf8.ValidString(text[from:to])
			if between && utf8.ValidString(with) && !errors.Is(err, payload.RuleEditJoin) {
				t.Fatal(err)
			}
			return
		}
		if shifts, err := d.Rereads(edits); err != nil || len(shifts) > 0 || d.Leaves()[at].Kind == payload.KindKey {
			if err != nil || !json.Valid(out) {
				t.Fatal(err)
			}
			return // another reading was announced, or a key now has another meaning
		}
		opts.Shape = d.Shape()
		again, err := payload.Parse(out, opts)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]payload.Leaf{}, d.Leaves()...)
		want[at].Text = text[:from] + with + text[to:]
		same(t, want, again.Leaves())
	})
}

// same compares texts and places.
func same(t *testing.T, want, got []payload.Leaf) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d leaves, not %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Text != want[i].Text || got[i].Pointer != want[i].Pointer || !strings.HasPrefix(string(got[i].Place), string(want[i].Place)) {
			t.Fatalf("%+v, not %+v", got[i], want[i])
		}
	}
}
