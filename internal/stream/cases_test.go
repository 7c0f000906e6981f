package stream_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/stream"
	"github.com/counterfoil/counterfoil/internal/token"
)

// restoreCase is a line of restore_cases.jsonl: what must restore, must stay, or
// may do either, from the tests of other products.
type restoreCase struct {
	ID, Output, Expected, Expect, Stream, Carrier string
	Types, Values                                 []string
}

func cases(t *testing.T) (out []restoreCase) {
	t.Helper()
	b, err := os.ReadFile("../../../shared/data/pii/restore_cases.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this test needs the folder shared/data beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var c restoreCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	if len(out) < 30 {
		t.Fatalf("only %d cases", len(out))
	}
	return out
}

var slots = regexp.MustCompile(`⟦(\d+|foreign)(?::(\w+))?⟧`)

// written puts tokens, changed as the case says, into a text.
func (c restoreCase) written(t *testing.T, text string, tokens []string, foreign string) string {
	t.Helper()
	return slots.ReplaceAllStringFunc(text, func(slot string) string {
		parts := slots.FindStringSubmatch(slot)
		tok := foreign
		if parts[1] != "foreign" {
			var n int
			if _, err := fmt.Sscan(parts[1], &n); err != nil {
				t.Fatal(err)
			}
			tok = tokens[n]
		}
		id := strings.LastIndex(tok, "_")
		switch parts[2] {
		case "":
			return tok
		case "strip_delims":
			return strings.Trim(tok, "[]")
		case "truncate_tail":
			return tok[:len(tok)-4]
		case "drop_id":
			return tok[:id] + "]"
		case "lower":
			return strings.ToLower(tok)
		case "typo1":
			other := "7"
			if tok[id+3] == '7' {
				other = "8"
			}
			return tok[:id+3] + other + tok[id+4:]
		case "inner_space":
			return "[ " + tok[1:len(tok)-1] + " ]"
		}
		t.Fatalf("%s: a change that this test does not know: %s", c.ID, parts[2])
		return ""
	})
}

// pieces cuts a text as the case says.
func (c restoreCase) pieces(text string, tokens []string) []string {
	n := len(text)
	at := strings.Index(text, tokens[0][:len(tokens[0])-4])
	switch {
	case c.Stream == "inside_token" && at >= 0:
		return []string{text[:at+5], text[at+5:]}
	case c.Stream == "three_parts" && at >= 0:
		return []string{text[:at+3], text[at+3 : at+9], text[at+9:]}
	case c.Stream == "end_of_stream" || n == 0:
		return []string{text}
	}
	var out []string
	for _, r := range text {
		out = append(out, string(r))
	}
	return out
}

// carriers put pieces of a text into the frames of an API, with what ends it, and
// read it again.
var carriers = map[string]struct {
	format          stream.Format
	form, end, from string
	call            bool
}{
	"chat":      {stream.FormatChat, contentForm, "data: [DONE]\n\n", "content0", false},
	"arguments": {stream.FormatChat, argumentsForm, "data: [DONE]\n\n", "call0.0", true},
	"responses": {
		stream.FormatResponses, `data: {"type":"response.output_text.delta","output_index":0,"delta":%s}` + "\n\n",
		`data: {"type":"response.output_text.done","output_index":0}` + "\n\n", "response.output_text.delta0 0", false,
	},
	"anthropic": {
		stream.FormatAnthropic, `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}` + "\n\n",
		`data: {"type":"content_block_stop","index":0}` + "\n\n", "block0", false,
	},
	"gemini":   {stream.FormatGemini, `data: {"candidates":[{"content":{"parts":[{"text":%s}]}}]}` + "\n\n", "", "text", false},
	"generate": {stream.FormatNDJSON, `{"response":%s,"done":false}` + "\n", `{"response":"","done":true}` + "\n", "response", false},
}

// TestRestoreCases streams what others have found to go wrong, through every API.
func TestRestoreCases(t *testing.T) {
	source := seed(t.Name())
	for _, c := range cases(t) {
		v := vocabulary(t, c.Types...)
		byToken := map[string]string{}
		var tokens []string
		for i, label := range c.Types {
			tok, err := token.Mint(token.FormatLabel, label, source)
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, tok.String())
			byToken[tok.String()] = c.Values[i]
		}
		foreign, err := token.Mint(token.FormatLabel, c.Types[0], source)
		if err != nil {
			t.Fatal(err)
		}
		text := c.written(t, c.Output, tokens, foreign.String())
		want := c.written(t, c.Expected, tokens, foreign.String())
		answer := func(c stream.Candidate) *string {
			if value, ok := byToken[c.Token.String()]; ok {
				return &value
			}
			return nil
		}
		for name, carrier := range carriers {
			isCall := strings.HasPrefix(c.Carrier, "openai.tool_calls") || c.Carrier == ""
			if carrier.call && !isCall || !carrier.call && c.Carrier != "" && isCall {
				continue
			}
			said, expect := text, want
			if carrier.call && c.Carrier == "" {
				said, expect = quoted(t, text), quoted(t, want)
			}
			if carrier.call && c.Carrier != "" {
				expect = strings.ReplaceAll(want, c.Values[0], strings.Trim(inside(t, c.Values[0]), `"`))
			}
			var in strings.Builder
			for _, piece := range c.pieces(said, tokens) {
				fmt.Fprintf(&in, carrier.form, inside(t, piece))
			}
			in.WriteString(carrier.end)
			out := run(t, begin(t, v, carrier.format), answer, in.String()).Out
			heard := listen(carrier.format, out)
			got := heard.texts[carrier.from] + heard.calls[carrier.from]
			if got != expect && (c.Expect != "policy" || got != said) {
				t.Errorf("%s in %s: %q, not %q", c.ID, name, got, expect)
			}
		}
	}
}

// inside is a text as a string of JSON.
func inside(t *testing.T, text string) string {
	t.Helper()
	list := quoted(t, text)
	return list[1 : len(list)-1]
}

// quoted is a list with a text as its only element.
func quoted(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([]string{text}); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
