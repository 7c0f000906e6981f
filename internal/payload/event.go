package payload

// The events of a stream that are not just a delta, and what a delta has beside
// its text. They wrap what the other shapes know.

var (
	// responsesEvent is an event of
	// https://platform.openai.com/docs/api-reference/responses-streaming.
	responsesEvent = object(fieldsOf(
		every(asStructure, `type item_id output_index content_index summary_index annotation_index sequence_number
			partial_image_index obfuscation param name`),
		every(asText, "text refusal delta transcript message"),
		every(asArguments, "arguments input code"),
		fields{
			"response":          responsesBody,
			"item":              responsesItem,
			"part":              openAIPart,
			"annotation":        openAIAnnotation,
			"logprobs":          list(openAILogprob()),
			"partial_image_b64": asMedia,
			"error":             object(fields{"code": asStructure, "type": asStructure, "message": asText}),
		},
	)).by(RoleAssistant)

	// anthropicEvent is an event of
	// https://docs.anthropic.com/en/docs/build-with-claude/streaming.
	anthropicEvent = object(fieldsOf(
		every(asStructure, "type index usage"),
		fields{
			"message":       anthropicResponse,
			"content_block": anthropicBlock,
			"delta": object(fieldsOf(
				every(asStructure, "type stop_reason container"),
				every(asText, "text thinking stop_sequence"),
				every(asArguments, "partial_json"),
				every(asBinary, "signature"),
			)),
			"error": object(fields{"type": asStructure, "message": asText}),
		},
	)).by(RoleAssistant)

	// ollamaChunk is a line of https://docs.ollama.com/api.
	ollamaChunk = object(fieldsOf(
		every(asStructure, `model created_at done done_reason context total_duration load_duration prompt_eval_count
			prompt_eval_duration eval_count eval_duration`),
		every(asText, "response thinking error"),
		fields{"message": openAIMessage},
	)).by(RoleAssistant)
)

// OllamaChunk is a shape of events only: nobody sends it as a body.
const OllamaChunk Shape = "ollama.chunk"

// ParseEvent reads one event of a stream whole, by the rules of the API whose
// answers have that shape. Without one it is read as a body of its own, whatever
// its shape is.
func ParseEvent(event []byte, shape Shape) (*Document, error) {
	tape, failed := scanBody(string(event), MaxDepth)
	if failed != nil {
		return nil, failed
	}
	var root *rule
	switch shape {
	case "":
		shape = tape.shape()
		root = shapes[shape]
	case OpenAIResponsesResponse:
		root = responsesEvent
	case AnthropicMessagesResponse:
		root = anthropicEvent
	case OllamaChunk:
		root = ollamaChunk
	case OpenAIChatResponse, GeminiGenerateResponse:
		root = shapes[shape]
	default:
		return nil, &Error{Rule: RuleShapeName}
	}
	d := &Document{shape: shape, texts: []level{{text: tape.text}}, maxDepth: MaxDepth}
	w := newWalker(d, tape, MaxLeaves)
	w.apply(root, 0, spot{place: PlaceProse})
	return w.finish()
}
