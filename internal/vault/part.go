package vault

import (
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/payload"
)

// part is one string that is searched: the text of a request, or a leaf of its
// payload.
type part struct {
	text    string
	pointer string
	kind    payload.Kind // text, where there is no payload
	answer  bool         // an assistant or a tool wrote it
	tool    bool         // it is what a tool is called with
	toolOf  string
}

// readParts lists the strings of a request. Without a payload it is the text.
// What becomes of a body of unknown shape is the policy's to say.
func readParts(text *string, body []byte, shape string, unknown access.UnknownShape) (*payload.Document, []part, error) {
	if text != nil {
		return nil, []part{{text: *text, kind: payload.KindText}}, nil
	}
	if body == nil {
		return nil, nil, nil
	}
	if len(body) > MaxPayloadBytes {
		return nil, nil, tooLarge("/payload", "payload_bytes", MaxPayloadBytes)
	}
	doc, err := payload.Parse(body, payload.Options{Shape: payload.Shape(shape), Unknown: payload.Unknown(unknown)})
	if err != nil {
		return nil, nil, payloadRefused(err)
	}
	leaves := doc.Leaves()
	parts := make([]part, len(leaves))
	for i, leaf := range leaves {
		parts[i] = part{
			text: leaf.Text, pointer: leaf.Pointer, kind: leaf.Kind,
			answer: leaf.Role == payload.RoleAssistant || leaf.Role == payload.RoleTool,
			tool:   leaf.Place == payload.PlaceTool, toolOf: leaf.Tool,
		}
		if len(leaf.Text) > MaxTextBytes {
			return nil, nil, tooLarge("/payload", "text_bytes", MaxTextBytes)
		}
	}
	return doc, parts, nil
}

// payloadRefused tells which rule a body breaks and where; the error of the
// payload package holds nothing of the body.
func payloadRefused(err error) error {
	var broken *payload.Error
	if !errors.As(err, &broken) {
		return fmt.Errorf("vault: payload: %w", err)
	}
	if broken.Rule == payload.RuleShapeName {
		return Invalid("/shape", "is not in the list of shapes").Because(err)
	}
	refusal := Invalid("/payload"+broken.Pointer, fmt.Sprintf("breaks the rule %s, at byte %d of the payload", broken.Rule, broken.At)).Because(err)
	switch broken.Rule {
	case payload.RuleSize, payload.RuleLeaves, payload.RuleDepth, payload.RulePointers:
		refusal.Limit = "payload_" + string(broken.Rule)
	}
	return refusal
}

// placeOf joins where a token stands in its string with where the string
// stands in the body. A URL counts as one wherever it is.
func (p *part) placeOf(inText access.Place) (access.Place, string) {
	if p.tool && inText != access.PlaceURL {
		return access.PlaceTool, p.toolOf
	}
	return inText, ""
}

// editsOf turns what is replaced in each part into edits of the body.
func editsOf(byPart [][]splice) []payload.Edit {
	var edits []payload.Edit
	for leaf, parts := range byPart {
		for _, p := range parts {
			edits = append(edits, payload.Edit{Leaf: leaf, Start: p.start, End: p.end, With: p.with})
		}
	}
	return edits
}
