package payload_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/payload"
)

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		body string
		want payload.Shape
	}{
		{`{"model":"gpt-4o","messages":[{"role":"user","content":"a"}]}`, payload.OpenAIChatRequest},
		{`{"model":"claude-x","messages":[{"role":"user","content":"a"}],"max_tokens":1}`, payload.AnthropicMessagesRequest},
		{`{"model":"claude-x","messages":[{"role":"system","content":"a"}]}`, payload.OpenAIChatRequest},
		{`{"model":"m","system":"s","messages":[]}`, payload.AnthropicMessagesRequest},
		{`{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}`, payload.AnthropicMessagesRequest},
		{`{"model":"m","messages":[],"tools":[{"name":"f","input_schema":{}}]}`, payload.AnthropicMessagesRequest},
		{`{"model":"claude-x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}]}`, payload.OpenAIChatRequest},
		{`{"model":"claude-x","messages":[{"role":"assistant","tool_calls":[]}]}`, payload.OpenAIChatRequest},
		{`{"messages":[]}`, payload.OpenAIChatRequest},
		{`{"m\u0065ssages":[]}`, payload.OpenAIChatRequest},
		{`{"object":"chat.completion.chunk","choices":[]}`, payload.OpenAIChatResponse},
		{`{"choices":[{"message":{"content":"a"}}]}`, payload.OpenAIChatResponse},
		{`{"choices":[{"delta":{}}]}`, payload.OpenAIChatResponse},
		{`{"choices":[{"text":"a"}]}`, payload.UnknownShape},
		{`{"model":"text-embedding-3-small","input":"a"}`, payload.OpenAIEmbeddingsRequest},
		{`{"model":"m","input":["a"]}`, payload.OpenAIEmbeddingsRequest},
		{`{"model":"m","input":[1,2]}`, payload.OpenAIEmbeddingsRequest},
		{`{"model":"m","input":"a","dimensions":3}`, payload.OpenAIEmbeddingsRequest},
		{`{"model":"m","input":"a"}`, payload.OpenAIResponsesRequest},
		{`{"model":"m","input":[{"role":"user","content":"a"}]}`, payload.OpenAIResponsesRequest},
		{`{"model":"m","input":[]}`, payload.OpenAIResponsesRequest},
		{`{"model":"m","input":7}`, payload.UnknownShape},
		{`{"model":"m","prompt":{"id":"p"}}`, payload.OpenAIResponsesRequest},
		{`{"model":"m","prompt":"p"}`, payload.UnknownShape},
		{`{"object":"response","output":[]}`, payload.OpenAIResponsesResponse},
		{`{"input":"a"}`, payload.UnknownShape},
		{`{"type":"message","role":"assistant","content":[]}`, payload.AnthropicMessagesResponse},
		{`{"contents":[{"parts":[]}]}`, payload.GeminiGenerateRequest},
		{`{"contents":["a"]}`, payload.UnknownShape},
		{`{"candidates":[]}`, payload.GeminiGenerateResponse},
		{`{"usageMetadata":{}}`, payload.GeminiGenerateResponse},
		{`[{"candidates":[]}]`, payload.GeminiGenerateResponse},
		{`[]`, payload.UnknownShape},
		{`[1]`, payload.UnknownShape},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}`, payload.MCPCallRequest},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, payload.UnknownShape},
		{`{"jsonrpc":"2.0","id":1,"result":{}}`, payload.MCPCallResult},
		{`{"jsonrpc":"2.0","id":1,"error":{}}`, payload.MCPCallResult},
		{`"messages"`, payload.UnknownShape},
		{`7`, payload.UnknownShape},
		{`{}`, payload.UnknownShape},
		{`{"messages":[}`, payload.UnknownShape},
		{"\xff", payload.UnknownShape},
		{``, payload.UnknownShape},
	} {
		if got := payload.Detect([]byte(c.body)); got != c.want {
			t.Errorf("%s: %s, not %s", c.body, got, c.want)
		}
	}
	for _, f := range fixtures(t) {
		got := payload.Detect(f.body)
		family, _, _ := strings.Cut(f.name, "_")
		if got == payload.UnknownShape && (family == "plain" || family == "unknown") {
			continue
		}
		if !strings.HasPrefix(string(got), family) || strings.HasSuffix(string(got), "request") !=
			(strings.Contains(f.name, "request") || strings.Contains(f.name, "tokens") || f.name == "mcp_call") {
			t.Errorf("%s is %s", f.name, got)
		}
	}
}

// TestToolPlaces: what a tool is called with is in its place whatever the
// format calls it, and also where the format is younger than the tables.
func TestToolPlaces(t *testing.T) {
	for _, c := range []struct {
		shape payload.Shape
		body  string
		tool  string
	}{
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"tool_calls":[{"function":{"arguments":"{\"a\":\"X\"}","name":"f"}}]}}]}`, "f"},
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a":"X"}}}]}}]}`, "f"},
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":\"X"}}]}}]}`, "f"},
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"X","extra":"X"}}]}}]}`, "f"},
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"tool_calls":[{"type":"new","new":{"a":"X"}}]}}]}`, ""},
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"content":[{"type":"tool_use","name":"f","input":{"a":"X"}}]}}]}`, "f"},
		{payload.OpenAIChatResponse, `{"choices":[{"message":{"function_call":{"n\u0061me":"f","arguments":"X"}}}]}`, "f"},
		{payload.AnthropicMessagesResponse, `{"content":[{"type":"tool_use","input":{"a":["X"]},"name":"f"}]}`, "f"},
		{payload.AnthropicMessagesResponse, `{"content":[{"type":"new_tool_use","input":"X","name":"f"}]}`, "f"},
		{payload.GeminiGenerateResponse, `{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"a":"X"},"name":"f"}}]}}]}`, "f"},
		{payload.GeminiGenerateResponse, `{"candidates":[{"content":{"parts":[{"executableCode":{"code":"X"}}]}}]}`, "code_execution"},
		{payload.OpenAIResponsesResponse, `{"output":[{"type":"function_call","arguments":"[\"X\"]","name":"f"}]}`, "f"},
		{payload.OpenAIResponsesResponse, `{"output":[{"type":"custom_tool_call","input":"X","name":"f"}]}`, "f"},
		{payload.OpenAIResponsesResponse, `{"output":[{"type":"local_shell_call","action":{"command":["X"]}}]}`, "local_shell_call"},
		{payload.OpenAIResponsesResponse, `{"output":[{"type":"new_call","arguments":"X","name":"f"}]}`, "f"},
		{payload.MCPCallRequest, `{"params":{"arguments":{"a":{"b":"X"}},"name":"f"}}`, "f"},
		{payload.MCPCallRequest, `{"params":{"arguments":"X"}}`, ""},
	} {
		d := parse(t, []byte(c.body), payload.Options{Shape: c.shape})
		seen := 0
		for _, l := range d.Leaves() {
			if !strings.Contains(l.Text, "X") {
				continue
			}
			seen++
			if l.Place != payload.PlaceTool || l.Tool != c.tool {
				t.Errorf("%s %s: %s %q", c.body, l.Pointer, l.Place, l.Tool)
			}
		}
		if seen == 0 {
			t.Errorf("%s: not found", c.body)
		}
	}
}
