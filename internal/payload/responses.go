package payload

// OpenAI responses, https://platform.openai.com/docs/api-reference/responses.
// A response repeats most of its request, so one rule reads both.

var (
	// responsesCall is an item in which the model calls a tool: a function of
	// the caller by its name, one of OpenAI's by the type of the item.
	responsesCall = &rule{toolKey: true, role: RoleAssistant, fields: fieldsOf(
		every(asStructure, "type id call_id status name server_label approval_request_id container_id"),
		every(asArguments, "arguments input action code queries operation"),
		every(asText.by(RoleTool), "output results outputs error tools"),
		fields{"result": asMedia},
	)}
	responsesOutput = &rule{role: RoleTool, fields: fieldsOf(
		every(asStructure, "type id call_id status"),
		fields{"output": content(openAIPart)},
	)}
	responsesReasoning = &rule{role: RoleAssistant, fields: fieldsOf(
		every(asStructure, "type id status"),
		fields{"summary": content(openAIPart), "content": content(openAIPart), "encrypted_content": asBinary},
	)}
	responsesItem = &rule{
		roleKey: true,
		fields: fieldsOf(
			every(asStructure, "type id status role phase"),
			fields{"content": content(openAIPart)},
		),
		byType: map[string]*rule{
			"function_call":           responsesCall,
			"custom_tool_call":        responsesCall,
			"mcp_call":                responsesCall,
			"mcp_list_tools":          responsesCall,
			"mcp_approval_request":    responsesCall,
			"web_search_call":         responsesCall,
			"file_search_call":        responsesCall,
			"computer_call":           responsesCall,
			"code_interpreter_call":   responsesCall,
			"image_generation_call":   responsesCall,
			"local_shell_call":        responsesCall,
			"shell_call":              responsesCall,
			"apply_patch_call":        responsesCall,
			"function_call_output":    responsesOutput,
			"custom_tool_call_output": responsesOutput,
			"computer_call_output":    responsesOutput,
			"local_shell_call_output": responsesOutput,
			"shell_call_output":       responsesOutput,
			"reasoning":               responsesReasoning,
		},
	}
	responsesBody = object(fieldsOf(
		every(asStructure, `id object model status created_at completed_at background conversation include
			incomplete_details max_output_tokens max_tool_calls parallel_tool_calls previous_response_id reasoning
			service_tier store stream stream_options temperature tool_choice top_logprobs top_p truncation usage
			prompt_cache_retention`),
		every(asText, "user safety_identifier prompt_cache_key"),
		fields{
			"input":        content(responsesItem).by(RoleUser),
			"output":       list(responsesItem).by(RoleAssistant),
			"output_text":  asText.by(RoleAssistant),
			"instructions": content(responsesItem).by(RoleSystem),
			"metadata":     asFree,
			"prompt":       object(fields{"id": asStructure, "version": asStructure, "variables": asFree}),
			"text":         object(fields{"format": answerFormat, "verbosity": asStructure}),
			"error":        object(fields{"code": asStructure, "message": asText}),
			"tools": list(object(fieldsOf(
				every(asStructure, "type name strict server_label vector_store_ids search_context_size"),
				every(asSchema, "parameters format"),
				fields{"description": asText},
			)).by(RoleSystem)),
		},
	))
)
