package payload

// Gemini generateContent, https://ai.google.dev/api/generate-content. Its JSON
// is that of Protocol Buffers, which reads every name in two spellings.

var (
	geminiBlob = object(fieldsOf(
		every(asStructure, "mimeType mime_type"),
		fields{"data": asMedia, "displayName": asText, "display_name": asText},
	))
	geminiFile = object(fieldsOf(
		every(asStructure, "mimeType mime_type"),
		every(asText, "fileUri file_uri displayName display_name"),
	))
	geminiCall = &rule{toolKey: true, inTool: true, fields: fieldsOf(
		every(asStructure, "id name"),
		fields{"args": asArguments},
	)}
	geminiAnswer = &rule{role: RoleTool, fields: fieldsOf(
		every(asStructure, "id name scheduling"),
		fields{"response": asFree},
	)}
	geminiCode = &rule{tool: "code_execution", inTool: true, fields: fields{"language": asStructure, "code": asText}}
	geminiPart = object(fieldsOf(
		every(asText, "text"),
		every(asStructure, "thought videoMetadata video_metadata"),
		every(asBinary, "thoughtSignature thought_signature"),
		every(geminiBlob, "inlineData inline_data"),
		every(geminiFile, "fileData file_data"),
		every(geminiCall, "functionCall function_call"),
		every(geminiAnswer, "functionResponse function_response"),
		every(geminiCode, "executableCode executable_code"),
		every(object(fields{"outcome": asStructure, "output": asText}).by(RoleTool),
			"codeExecutionResult code_execution_result"),
	))
	geminiContent = &rule{deed: deedText, roleKey: true, fields: fields{
		"role":  asStructure,
		"parts": content(geminiPart),
	}}
	geminiDeclarations = list(object(fieldsOf(
		every(asStructure, "name behavior"),
		every(asSchema, `parameters parametersJsonSchema parameters_json_schema
			response responseJsonSchema response_json_schema`),
		fields{"description": asText},
	)))
	geminiConfig = object(fieldsOf(
		every(asStructure, `temperature topP top_p topK top_k candidateCount candidate_count maxOutputTokens
			max_output_tokens responseMimeType response_mime_type presencePenalty presence_penalty frequencyPenalty
			frequency_penalty responseLogprobs response_logprobs logprobs seed responseModalities
			response_modalities thinkingConfig thinking_config mediaResolution media_resolution speechConfig
			speech_config`),
		every(asSchema, "responseSchema response_schema responseJsonSchema response_json_schema"),
		every(asTexts, "stopSequences stop_sequences"),
	))

	geminiRequest = object(fieldsOf(
		every(asStructure, "model cachedContent cached_content safetySettings safety_settings toolConfig tool_config"),
		every(content(geminiContent), "contents"),
		every(geminiContent.by(RoleSystem), "systemInstruction system_instruction"),
		every(geminiConfig, "generationConfig generation_config"),
		fields{"tools": list(object(every(geminiDeclarations, "functionDeclarations function_declarations"))).by(RoleSystem)},
	))
	geminiResponse = newGeminiResponse()
)

// newGeminiResponse makes the rule of one response, and of the list of them
// that an unframed stream is.
func newGeminiResponse() *rule {
	candidate := object(fieldsOf(
		every(asStructure, `index finishReason finish_reason safetyRatings safety_ratings tokenCount token_count
			avgLogprobs avg_logprobs`),
		fields{"content": geminiContent},
	))
	one := object(fieldsOf(
		every(asStructure, `promptFeedback prompt_feedback usageMetadata usage_metadata modelVersion model_version
			responseId response_id createTime create_time`),
		fields{"candidates": list(candidate)},
	))
	return &rule{fields: one.fields, items: one, role: RoleAssistant}
}
