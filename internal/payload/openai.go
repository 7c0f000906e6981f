package payload

// OpenAI chat completions and embeddings,
// https://platform.openai.com/docs/api-reference/chat and .../embeddings.

var (
	// openAIFunction is what a model calls: arguments are JSON in a string, or
	// the input of a custom tool. Everything in it is for the tool.
	openAIFunction = &rule{
		toolKey: true, inTool: true,
		fields: fields{"name": asStructure, "arguments": asArguments, "input": asArguments},
	}
	openAIToolCall = &rule{inTool: true, fields: fieldsOf(
		every(asStructure, "id type index"),
		fields{"function": openAIFunction, "custom": openAIFunction},
	)}
	openAIAnnotation = object(fieldsOf(
		every(asStructure, "type start_index end_index index file_id container_id"),
		every(asText, "url title filename"),
		fields{"url_citation": object(fieldsOf(every(asStructure, "start_index end_index"), every(asText, "url title")))},
	))
	openAILogprobs = object(fields{"content": list(openAILogprob()), "refusal": list(openAILogprob())})
	openAIAudio    = object(fieldsOf(
		every(asStructure, "id expires_at format voice"),
		fields{"data": asMedia, "transcript": asText},
	))
	// openAIPart is a part of a message in chat and in the responses API.
	openAIPart = object(fieldsOf(
		every(asStructure, "type detail file_id cache_control"),
		every(asText, "text refusal filename file_url"),
		every(asMedia, "file_data"),
		fields{
			"image_url":   {deed: deedText, fields: fields{"url": asText, "detail": asStructure}},
			"input_audio": openAIAudio,
			"file":        object(fields{"file_data": asMedia, "file_id": asStructure, "filename": asText}),
			"annotations": list(openAIAnnotation),
			"logprobs":    list(openAILogprob()),
		},
	))
	openAIMessage = &rule{roleKey: true, fields: fieldsOf(
		every(asStructure, "role tool_call_id"),
		every(asText, "refusal reasoning reasoning_content"),
		fields{
			"content":       content(openAIPart),
			"name":          asName,
			"tool_calls":    list(openAIToolCall),
			"function_call": openAIFunction,
			"audio":         openAIAudio,
			"annotations":   list(openAIAnnotation),
		},
	)}
	openAITools = list(object(fieldsOf(
		every(asStructure, "type cache_control"),
		fields{"function": openAIDeclaration, "custom": openAIDeclaration},
	)))
	openAIDeclaration = object(fieldsOf(
		every(asStructure, "name strict"),
		every(asSchema, "parameters format"),
		fields{"description": asText},
	)).by(RoleSystem)
	// answerFormat is the form that an answer is to have; Anthropic spells it alike.
	answerFormat = object(fieldsOf(
		every(asStructure, "type name strict"),
		fields{"description": asText, "schema": asSchema, "json_schema": object(fields{
			"name": asStructure, "strict": asStructure, "description": asText, "schema": asSchema,
		})},
	)).by(RoleSystem)

	chatRequest = object(fieldsOf(
		every(asStructure, `model frequency_penalty presence_penalty logit_bias logprobs top_logprobs max_tokens
			max_completion_tokens modalities n parallel_tool_calls reasoning_effort seed service_tier store stream
			stream_options temperature top_p tool_choice function_call verbosity prompt_cache_retention`),
		every(asText, "user safety_identifier prompt_cache_key"),
		fields{
			"messages":        list(openAIMessage),
			"tools":           openAITools,
			"functions":       list(openAIDeclaration),
			"response_format": answerFormat,
			"stop":            asTexts,
			"prediction":      object(fields{"type": asStructure, "content": content(openAIPart)}).by(RoleAssistant),
			"audio":           openAIAudio,
			"metadata":        asFree,
		},
	))
	chatResponse = object(fieldsOf(
		every(asStructure, "id object created model system_fingerprint service_tier usage"),
		fields{"choices": list(object(fields{
			"index":         asStructure,
			"finish_reason": asStructure,
			"message":       openAIMessage,
			"delta":         openAIMessage,
			"logprobs":      openAILogprobs,
		}))},
	)).by(RoleAssistant)

	embeddingsRequest = object(fieldsOf(
		every(asStructure, "model encoding_format dimensions"),
		every(asText, "user"),
		fields{"input": newTokens()},
	))
)

// newTokens reads a text, a list of texts, of token numbers, or of lists of those.
func newTokens() *rule {
	r := &rule{deed: deedTokens}
	r.items = r
	return r
}

func openAILogprob() *rule {
	r := &rule{}
	r.fields = fields{"token": asText, "bytes": asStructure, "logprob": asStructure, "top_logprobs": list(r)}
	return r
}
