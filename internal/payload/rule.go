package payload

import "strings"

// deed is what a rule does with a string.
type deed uint8

const (
	deedFree      deed = iota // free JSON: a text, or JSON in a string
	deedText                  // a text, also where it looks like JSON
	deedStructure             // skipped where it is an identifier, else a text
	deedName                  // a person's name in a message, structure in one of a tool
	deedSchema                // skipped where it is a container, else a text
	deedMedia                 // skipped where it is base64, else a text
	deedBinary                // the same, for what no one looks at or listens to
	deedTokens                // a text; beside it, lists of token numbers are structure
)

// rule says how to read the value at a place of a known shape. An object with
// fields is part of the API's own envelope: its keys are known, and it has none
// twice. Members that the fields do not name are free JSON, and so is every
// object without fields and every array without items.
type rule struct {
	deed    deed
	fields  fields           // of an object
	byType  map[string]*rule // of an object whose member "type" is one of these, instead
	items   *rule            // of the elements of an array
	role    string           // whose words it and all below it are
	roleKey bool             // the member "role" says whose, where it is a known one
	tool    string           // the tool that all below it is meant for
	toolKey bool             // the member "name" says which tool, else its "type"
	inTool  bool             // it and all below it are arguments of a tool
}

type fields map[string]*rule

// Rules that need no more than their deed.
var (
	asFree      = &rule{}
	asText      = &rule{deed: deedText}
	asStructure = &rule{deed: deedStructure}
	asName      = &rule{deed: deedName}
	asSchema    = &rule{deed: deedSchema}
	asMedia     = &rule{deed: deedMedia}
	asBinary    = &rule{deed: deedBinary}
	asTexts     = &rule{deed: deedText, items: asText}
	asArguments = &rule{inTool: true} // an object, or JSON in a string
)

func object(f fields) *rule { return &rule{fields: f} }

func list(items *rule) *rule { return &rule{items: items} }

// content is a text, a list of parts, or one part.
func content(part *rule) *rule {
	out := *part
	out.deed, out.items = deedText, part
	return &out
}

// by gives everything at and below a rule to somebody.
func (r *rule) by(role string) *rule {
	out := *r
	out.role = role
	return &out
}

// fieldsOf makes one list of several, and of names that share a rule.
func fieldsOf(parts ...fields) fields {
	all := fields{}
	for _, part := range parts {
		for name, r := range part {
			all[name] = r
		}
	}
	return all
}

// every gives a rule to each of the names that stand in a line.
func every(r *rule, names string) fields {
	out := fields{}
	for _, name := range strings.Fields(names) {
		out[name] = r
	}
	return out
}
