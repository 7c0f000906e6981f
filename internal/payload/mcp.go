package payload

// Model Context Protocol over JSON-RPC 2.0: tools/call and its result, and
// resources in results, https://modelcontextprotocol.io/specification.

var (
	mcpAnnotations = every(asStructure, "annotations")
	mcpResource    = object(fieldsOf(
		every(asStructure, "mimeType"),
		every(asText, "uri name title description text"),
		fields{"blob": asMedia}, mcpAnnotations,
	))
	mcpBlock = object(fieldsOf(
		every(asStructure, "type mimeType size"),
		every(asText, "text uri name title description"),
		fields{"data": asMedia, "resource": mcpResource}, mcpAnnotations,
	))
	mcpCall = &rule{role: RoleAssistant, fields: fieldsOf(
		every(asStructure, "jsonrpc id method"),
		fields{"params": {toolKey: true, fields: fields{"name": asStructure, "arguments": asArguments}}},
	)}
	mcpResult = &rule{role: RoleTool, fields: fieldsOf(
		every(asStructure, "jsonrpc id"),
		fields{
			"result": object(fields{
				"content":           content(mcpBlock),
				"contents":          list(mcpResource),
				"structuredContent": asFree,
				"isError":           asStructure,
			}),
			"error": object(fields{"code": asStructure, "message": asText, "data": asFree}),
		},
	)}
)
