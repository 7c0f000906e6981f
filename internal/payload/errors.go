package payload

import "fmt"

// Rule is what a body, an option or an edit broke. It is an error itself, so
// that errors.Is(err, RuleDepth) asks for it.
type Rule string

// The rules.
const (
	RuleSize         Rule = "size"           // more than MaxBytes
	RuleUTF8         Rule = "utf8"           // not UTF-8
	RuleSyntax       Rule = "syntax"         // not one JSON text of RFC 8259
	RuleDepth        Rule = "depth"          // nested deeper than allowed
	RuleLeaves       Rule = "leaves"         // more leaves and skips than allowed
	RulePointers     Rule = "pointers"       // more than MaxPointerBytes
	RuleDuplicate    Rule = "duplicate_key"  // in an object that the shape knows
	RuleUnknownShape Rule = "unknown_shape"  // and the policy refuses those
	RuleShapeName    Rule = "shape_name"     // no shape has the name that was given
	RulePolicyName   Rule = "policy_name"    // no policy has the name that was given
	RuleEditLeaf     Rule = "edit_leaf"      // no such leaf
	RuleEditRange    Rule = "edit_range"     // outside its text, or inside a character
	RuleEditOverlap  Rule = "edit_overlap"   // two edits want the same bytes
	RuleEditUTF8     Rule = "edit_utf8"      // the new text is not UTF-8
	RuleEditJoin     Rule = "edit_surrogate" // nothing would stand between two halves of a character
)

// Error implements error.
func (r Rule) Error() string { return "payload: " + string(r) }

// Error says where which rule was broken. It never holds what stood there: the
// pointer names only members that the shape knows, and is empty elsewhere.
type Error struct {
	Pointer string
	Rule    Rule
	At      int // the offset in the body or, of a rule about edits, the index of the edit
}

// Error implements error.
func (e *Error) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("%v at %d", e.Rule, e.At)
	}
	return fmt.Sprintf("%v at %q", e.Rule, e.Pointer)
}

// Unwrap gives the rule.
func (e *Error) Unwrap() error { return e.Rule }
