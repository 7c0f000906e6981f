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
)

// ParseEvent reads one event of a stream whole, by the rules of the API whose
// answers have that shape. Of any other shape it is free JSON.
func ParseEvent(event []byte, shape Shape) (*Document, error) {
	tape, failed := scanBody(string(event), MaxDepth)
	if failed != nil {
		return nil, failed
	}
	root := asFree
	switch shape {
	case OpenAIChatResponse, GeminiGenerateResponse:
		root = shapes[shape]
	case OpenAIResponsesResponse:
		root = responsesEvent
	case AnthropicMessagesResponse:
		root = anthropicEvent
	}
	d := &Document{shape: shape, texts: []level{{text: tape.text}}, maxDepth: MaxDepth}
	w := newWalker(d, tape, MaxLeaves)
	w.apply(root, 0, spot{place: PlaceProse})
	return w.finish()
}
