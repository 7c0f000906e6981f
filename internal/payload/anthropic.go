package payload

// Anthropic messages, https://docs.anthropic.com/en/api/messages.

var (
	anthropicBlock   = newAnthropicBlock()
	anthropicContent = content(anthropicBlock)

	anthropicRequest = object(fieldsOf(
		every(asStructure, `model max_tokens stream temperature top_k top_p thinking tool_choice service_tier
			anthropic_version anthropic_beta container`),
		fields{
			"system":         anthropicContent.by(RoleSystem),
			"messages":       list(&rule{roleKey: true, fields: fields{"role": asStructure, "content": anthropicContent}}),
			"stop_sequences": asTexts,
			"metadata":       object(fields{"user_id": asText}),
			"output_config":  object(fields{"effort": asStructure, "format": answerFormat}),
			"output_format":  answerFormat,
			"tools": list(object(fieldsOf(
				every(asStructure, "type name cache_control max_uses strict"),
				fields{"description": asText, "input_schema": asSchema},
			)).by(RoleSystem)),
		},
	))
	anthropicResponse = &rule{role: RoleAssistant, roleKey: true, fields: fieldsOf(
		every(asStructure, "id type role model stop_reason usage container"),
		fields{"stop_sequence": asText, "content": anthropicContent},
	)}
)

// newAnthropicBlock makes the rule of a content block. Blocks of all types
// share it: no member means two things in two of them. A tool's result holds
// blocks again.
func newAnthropicBlock() *rule {
	block := &rule{toolKey: true}
	citation := object(fieldsOf(
		every(asStructure, `type document_index start_char_index end_char_index start_page_number end_page_number
			start_block_index end_block_index search_result_index file_id`),
		every(asText, "cited_text document_title title url source"),
		every(asBinary, "encrypted_index"),
	))
	source := object(fieldsOf(
		every(asStructure, "type media_type file_id"),
		fields{"data": asMedia, "url": asText, "content": content(block)},
	))
	// The data of a text document is its text, also where it looks like base64.
	source.byType = map[string]*rule{
		"text": object(fields{"type": asStructure, "media_type": asStructure, "data": asText}),
	}
	block.fields = fieldsOf(
		every(asStructure, "type id tool_use_id name is_error cache_control caller server_name"),
		every(asText, "text thinking title context url page_age"),
		every(asBinary, "signature data encrypted_content"),
		fields{
			"input":     asArguments,
			"source":    source,
			"citations": {items: citation, fields: fields{"enabled": asStructure}},
		},
	)
	block.fields["content"] = content(block).by(RoleTool)
	return block
}
