package stream_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/stream"
	"github.com/counterfoil/counterfoil/internal/token"
)

// said is what a client reads from a stream: the texts of each channel put
// together, and all else. It shares no code with the package.
type said struct {
	texts  map[string]string // by channel
	calls  map[string]string // the same, of what tools are called with
	wholes []string          // the JSON of frames that are no deltas, and of calls that come whole
	ids    map[string]string
	names  map[string]string
}

// dataOf returns the data of the frames.
func dataOf(format stream.Format, input string) (out []string) {
	input = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\ufeff", "").Replace(input)
	if format == stream.FormatNDJSON {
		return strings.Split(strings.TrimSpace(input), "\n")
	}
	for frame := range strings.SplitSeq(input, "\n\n") {
		var data []string
		for line := range strings.SplitSeq(frame, "\n") {
			if value, ok := strings.CutPrefix(line, "data:"); ok {
				data = append(data, strings.TrimPrefix(value, " "))
			}
		}
		if data != nil {
			out = append(out, strings.Join(data, "\n"))
		}
	}
	return out
}

func listen(format stream.Format, output string) *said {
	s := &said{texts: map[string]string{}, calls: map[string]string{}, ids: map[string]string{}, names: map[string]string{}}
	if format == stream.FormatText {
		s.texts[""] = output
		return s
	}
	for _, data := range dataOf(format, output) {
		var v struct {
			Type     string
			Item     int `json:"output_index"`
			Part     int `json:"content_index"`
			Delta    json.RawMessage
			Index    int
			Choices  []choice
			Message  *message
			Response json.RawMessage
			Done     *bool
			Block    struct{ Type, Name string } `json:"content_block"`
			Of       struct{ Type, Name string } `json:"item"`
			Gemini   []struct {
				Content struct{ Parts []map[string]json.RawMessage }
			} `json:"candidates"`
		}
		if json.Unmarshal([]byte(data), &v) != nil {
			s.wholes = append(s.wholes, data)
			continue
		}
		switch {
		case v.Type == "content_block_delta":
			s.block(v.Index, v.Delta, data)
		case strings.HasSuffix(v.Type, ".delta"):
			s.piece(fmt.Sprint(v.Type, v.Item, v.Part), text(v.Delta), strings.Contains(v.Type, "_call"))
		case v.Choices != nil:
			for _, c := range v.Choices {
				s.choice(c)
			}
		case v.Message != nil && v.Done != nil:
			s.choice(choice{Delta: message{Content: v.Message.Content, Thinking: v.Message.Thinking}})
			for _, call := range v.Message.Calls {
				s.wholes = append(s.wholes, `{"name":"`+call.Function.Name+`","arguments":`+string(call.Function.Arguments)+`}`)
			}
		case v.Done != nil:
			s.piece("response", text(v.Response), false)
		case v.Gemini != nil:
			for _, part := range v.Gemini[0].Content.Parts {
				s.piece("text"+string(part["thought"]), text(part["text"]), false)
				if part["functionCall"] != nil {
					s.wholes = append(s.wholes, string(part["functionCall"]))
				}
			}
		default:
			s.wholes = append(s.wholes, data)
		}
	}
	return s
}

type message struct {
	Content   json.RawMessage
	Thinking  string
	Refusal   string
	Reasoning string    `json:"reasoning_content"`
	Call      *function `json:"function_call"`
	Calls     []struct {
		Index            int
		ID               string
		Function, Custom function
	} `json:"tool_calls"`
}

type function struct {
	Name      string
	Arguments json.RawMessage
	Input     string
}

type choice struct {
	Index int
	Delta message
}

func text(raw json.RawMessage) (out string) {
	if raw != nil && json.Unmarshal(raw, &out) != nil {
		var parts []struct{ Text string }
		_ = json.Unmarshal(raw, &parts)
		for _, p := range parts {
			out += p.Text
		}
	}
	return out
}

func (s *said) piece(channel, text string, call bool) {
	if call {
		s.calls[channel] += text
	} else {
		s.texts[channel] += text
	}
}

func (s *said) choice(c choice) {
	d := c.Delta
	at := func(kind string) string { return fmt.Sprint(kind, c.Index) }
	s.piece(at("content"), text(d.Content), false)
	s.piece(at("refusal"), d.Refusal, false)
	s.piece(at("reasoning"), d.Reasoning, false)
	s.piece(at("thinking"), d.Thinking, false)
	if d.Call != nil {
		s.piece(at("function"), text(d.Call.Arguments), true)
	}
	for _, call := range d.Calls {
		key := fmt.Sprintf("call%d.%d", c.Index, call.Index)
		if call.ID != "" {
			s.ids[key] = call.ID
		}
		s.piece(key+s.ids[key], text(call.Function.Arguments)+call.Custom.Input, true)
	}
}

func (s *said) block(index int, raw json.RawMessage, data string) {
	var d struct {
		Type, Text, Thinking string
		JSON                 string `json:"partial_json"`
	}
	_ = json.Unmarshal(raw, &d)
	switch d.Type {
	case "text_delta":
		s.piece(fmt.Sprint("block", index), d.Text, false)
	case "input_json_delta":
		s.piece(fmt.Sprint("block", index), d.JSON, true)
	case "thinking_delta":
		s.piece(fmt.Sprint("thinking (stays)", index), d.Thinking, false)
	default:
		s.wholes = append(s.wholes, data)
	}
}

// restored is what must come of a text that is whole.
func restored(v *token.Vocabulary, text string, tool bool) string {
	var b strings.Builder
	at := 0
	for _, c := range v.Scan(text) {
		b.WriteString(text[at:c.Start])
		place := stream.Place(c.Place)
		if tool && place != stream.PlaceURL {
			place = stream.PlaceTool
		}
		if value := answer(stream.Candidate{Token: c.Token, Place: place}); value != nil {
			b.WriteString(*value)
		} else {
			b.WriteString(text[c.Start:c.End])
		}
		at = c.End
	}
	return b.String() + text[at:]
}

// restoredJSON is what must come of a JSON text that is whole.
func restoredJSON(t *testing.T, v *token.Vocabulary, d *payload.Document) string {
	t.Helper()
	var edits []payload.Edit
	for i, leaf := range d.Leaves() {
		for _, c := range v.Scan(leaf.Text) {
			if value := answer(stream.Candidate{Token: c.Token, Place: stream.Place(c.Place)}); value != nil {
				edits = append(edits, payload.Edit{Leaf: i, Start: c.Start, End: c.End, With: *value})
			}
		}
	}
	out, err := d.Splice(edits)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// expected is what a client must read from the restored stream.
func expected(t *testing.T, v *token.Vocabulary, format stream.Format, in *said) *said {
	t.Helper()
	out := &said{texts: map[string]string{}, calls: map[string]string{}}
	for channel, text := range in.texts {
		if out.texts[channel] = text; !strings.Contains(channel, "stays") {
			out.texts[channel] = restored(v, text, false)
		}
	}
	for channel, args := range in.calls {
		out.calls[channel] = restoredCall(t, v, args)
	}
	for _, whole := range in.wholes {
		shape := map[stream.Format]payload.Shape{
			stream.FormatResponses: payload.OpenAIResponsesResponse, stream.FormatAnthropic: payload.AnthropicMessagesResponse,
		}[format]
		if d, err := payload.ParseEvent([]byte(whole), shape); err == nil {
			whole = restoredJSON(t, v, d)
		}
		out.wholes = append(out.wholes, whole)
	}
	return out
}

// restoredCall is what must come of arguments. Those that were cut off are read
// as what they would have been.
func restoredCall(t *testing.T, v *token.Vocabulary, args string) string {
	t.Helper()
	for _, missing := range []string{"", `"}`, `}`} {
		d, err := payload.Parse([]byte(args+missing), payload.Options{Shape: payload.JSON})
		if err == nil {
			return strings.TrimSuffix(restoredJSON(t, v, d), missing)
		}
	}
	return restored(v, args, true)
}
