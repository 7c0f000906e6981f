package access

import (
	"regexp"
	"slices"
	"strconv"
)

// Reason is one code of the catalogue: why somebody wants a value back, and
// what that demands of everyone who uses it.
type Reason struct {
	Code, Description string
	GDPR, HIPAA       string // the legal basis under each
	Reference         Reference
	Classes           []Class
	Entities          []string // nil is every entity
	Places            []Place
	Tools             []string // with PlaceTool
	MFA               bool
	MaxTokens         int // per request
	ReachesHeld       bool
	ReachesRestricted bool

	approvals [classCount]int
}

// Reference says which reference to a ticket, matter or incident a reason takes.
type Reference struct {
	Required bool
	Pattern  string // matched as a whole

	pattern *regexp.Regexp
}

// Approvals is how many people other than the requester must agree.
func (r Reason) Approvals(c Class) int {
	rank, ok := c.rank()
	if !ok {
		return maxApprovals
	}
	return r.approvals[rank]
}

// Obligations is what an allow for this reason comes with, sorted, for the
// audit entry: "max_tokens:N", and "mfa" and "reference" where demanded.
// Approvals depend on the class and are a field of the Decision.
func (r Reason) Obligations() []string {
	out := []string{"max_tokens:" + strconv.Itoa(r.MaxTokens)}
	if r.MFA {
		out = append(out, "mfa")
	}
	if r.Reference.Required {
		out = append(out, "reference")
	}
	return out
}

// clone gives away nothing that the policy still uses.
func (r Reason) clone() Reason {
	r.Classes = slices.Clone(r.Classes)
	r.Entities = slices.Clone(r.Entities)
	r.Places = slices.Clone(r.Places)
	r.Tools = slices.Clone(r.Tools)
	return r
}

func (r *Reason) reachesEntity(name string) bool {
	return r.Entities == nil || slices.Contains(r.Entities, name)
}

func (r *Reason) reachesPlace(place Place, tool string) bool {
	if !slices.Contains(r.Places, place) {
		return false
	}
	return place != PlaceTool || slices.Contains(r.Tools, tool)
}

// ReasonError says what is wrong with the reason of a request. It never holds
// the value.
type ReasonError struct {
	Field string // a JSON pointer: "/reason/code" or "/reason/reference"
	Rule  string // "required", "unknown", "max_length" or "pattern"
}

func (e *ReasonError) Error() string {
	return "access: " + e.Field + ": " + e.Rule
}

// maxReferenceLength keeps a reference a number of a ticket and not a text.
const maxReferenceLength = 64

// CheckReason says whether the code exists and the reference is one that it
// takes. The error, if any, is a *ReasonError.
func (p *Policy) CheckReason(code, reference string) error {
	const field = "/reason/reference"
	if code == "" {
		return &ReasonError{Field: "/reason/code", Rule: "required"}
	}
	reason, ok := p.reasons[code]
	if !ok {
		return &ReasonError{Field: "/reason/code", Rule: "unknown"}
	}
	switch {
	case reference == "" && reason.Reference.Required:
		return &ReasonError{Field: field, Rule: "required"}
	case reference == "":
		return nil
	case len(reference) > maxReferenceLength:
		return &ReasonError{Field: field, Rule: "max_length"}
	case !reason.Reference.pattern.MatchString(reference):
		return &ReasonError{Field: field, Rule: "pattern"}
	}
	return nil
}
