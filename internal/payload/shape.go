package payload

import "strings"

// Shape is what kind of body it is.
type Shape string

// The shapes, a closed list.
const (
	OpenAIChatRequest         Shape = "openai.chat.request"
	OpenAIChatResponse        Shape = "openai.chat.response"
	OpenAIResponsesRequest    Shape = "openai.responses.request"
	OpenAIResponsesResponse   Shape = "openai.responses.response"
	OpenAIEmbeddingsRequest   Shape = "openai.embeddings.request"
	AnthropicMessagesRequest  Shape = "anthropic.messages.request"
	AnthropicMessagesResponse Shape = "anthropic.messages.response"
	GeminiGenerateRequest     Shape = "gemini.generate.request"
	GeminiGenerateResponse    Shape = "gemini.generate.response"
	MCPCallRequest            Shape = "mcp.call.request"
	MCPCallResult             Shape = "mcp.call.result"
	JSON                      Shape = "json"    // plain JSON: every leaf. Only a caller names it
	UnknownShape              Shape = "unknown" // none of the above: Options.Unknown decides
)

// shapes has the rule of each shape that is known.
var shapes = map[Shape]*rule{
	OpenAIChatRequest:         chatRequest,
	OpenAIChatResponse:        chatResponse,
	OpenAIResponsesRequest:    responsesBody,
	OpenAIResponsesResponse:   responsesBody,
	OpenAIEmbeddingsRequest:   embeddingsRequest,
	AnthropicMessagesRequest:  anthropicRequest,
	AnthropicMessagesResponse: anthropicResponse,
	GeminiGenerateRequest:     geminiRequest,
	GeminiGenerateResponse:    geminiResponse,
	MCPCallRequest:            mcpCall,
	MCPCallResult:             mcpResult,
	JSON:                      asFree,
	UnknownShape:              asFree,
}

// Detect tells the shape of a body by its structure; what is no JSON is of an
// unknown shape. It looks at marks that the providers' formats do not share.
// Where a body could be either of two, both read it alike, but for the place
// of what neither documents: a caller who knows the shape should name it.
func Detect(body []byte) Shape {
	tape, err := scanBody(string(body), MaxDepth)
	if err != nil {
		return UnknownShape
	}
	return tape.shape()
}

func (t *tape) shape() Shape {
	const root = 0
	if t.nodes[root].kind == nodeArray {
		// The unframed stream of Gemini is a list of its responses.
		if first, ok := t.first(root); ok && t.has(first, "candidates") {
			return GeminiGenerateResponse
		}
		return UnknownShape
	}
	switch {
	case t.has(root, "jsonrpc"):
		return t.mcpShape(root)
	case t.listOf(root, "contents", "parts"):
		return GeminiGenerateRequest
	case t.is(root, "candidates", nodeArray), t.is(root, "promptFeedback", nodeObject), t.is(root, "usageMetadata", nodeObject):
		return GeminiGenerateResponse
	case t.is(root, "choices", nodeArray) &&
		(strings.HasPrefix(t.word(root, "object"), "chat.completion") ||
			t.listOf(root, "choices", "message") || t.listOf(root, "choices", "delta")):
		return OpenAIChatResponse
	case t.word(root, "type") == "message" && t.is(root, "content", nodeArray):
		return AnthropicMessagesResponse
	case t.is(root, "messages", nodeArray):
		return t.messagesShape(root)
	case t.is(root, "output", nodeArray) && (t.word(root, "object") == "response" || t.listOf(root, "output", "type")):
		return OpenAIResponsesResponse
	case t.has(root, "input"):
		return t.inputShape(root)
	case t.has(root, "model") &&
		(t.has(root, "instructions") || t.has(root, "previous_response_id") || t.is(root, "prompt", nodeObject)):
		return OpenAIResponsesRequest
	}
	return UnknownShape
}

func (t *tape) mcpShape(root uint32) Shape {
	switch {
	case t.word(root, "method") == "tools/call":
		return MCPCallRequest
	case t.has(root, "result"), t.is(root, "error", nodeObject):
		return MCPCallResult
	}
	return UnknownShape
}

// inputShape tells a request for embeddings from one for a response.
func (t *tape) inputShape(root uint32) Shape {
	if !t.has(root, "model") {
		return UnknownShape
	}
	input, _ := t.member(root, "input")
	switch t.nodes[input].kind {
	case nodeString:
		embeds := t.has(root, "encoding_format") || t.has(root, "dimensions") ||
			strings.Contains(t.word(root, "model"), "embed")
		if embeds {
			return OpenAIEmbeddingsRequest
		}
		return OpenAIResponsesRequest
	case nodeArray:
		if first, ok := t.first(input); ok && t.nodes[first].kind != nodeObject {
			return OpenAIEmbeddingsRequest
		}
		return OpenAIResponsesRequest
	}
	return UnknownShape
}

// messagesShape tells OpenAI's messages from Anthropic's.
func (t *tape) messagesShape(root uint32) Shape {
	messages, _ := t.member(root, "messages")
	anthropic := false
	for _, name := range []string{"system", "anthropic_version", "stop_sequences", "top_k", "thinking", "mcp_servers"} {
		anthropic = anthropic || t.has(root, name)
	}
	anthropic = anthropic || t.listOf(root, "tools", "input_schema")
	for m := range t.items(messages) {
		switch t.word(m, "role") {
		case "system", "developer", "tool", "function":
			return OpenAIChatRequest
		}
		if t.has(m, "tool_calls") || t.has(m, "function_call") {
			return OpenAIChatRequest
		}
		content, _ := t.member(m, "content")
		for block := range t.items(content) {
			kind := t.word(block, "type")
			if t.has(block, "image_url") || t.has(block, "input_audio") || t.has(block, "file") {
				return OpenAIChatRequest
			}
			anthropic = anthropic || anthropicBlocks[kind]
		}
	}
	if anthropic || strings.Contains(t.word(root, "model"), "claude") {
		return AnthropicMessagesRequest
	}
	return OpenAIChatRequest
}

// anthropicBlocks are types of blocks that only Anthropic's messages have.
var anthropicBlocks = map[string]bool{
	"tool_use": true, "tool_result": true, "thinking": true, "redacted_thinking": true, "image": true,
	"document": true, "server_tool_use": true, "web_search_tool_result": true, "search_result": true,
}
