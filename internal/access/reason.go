package access

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Reason is one code of the catalogue: why somebody wants a value back, and
// what that demands of everyone who uses it.
type Reason struct {
	Code, Description string
	GDPR, HIPAA       string // the legal basis under each
	Reference         Reference
	Form              Form // the fullest that is given for it, whatever a rule says
	Classes           []Class
	Entities          []string // nil is every entity
	Places            []Place
	Tools             []string // with PlaceTool
	MFA               bool
	ACR               []string       // one of which the credential must say; none is any
	Hours             *Hours         // nil is any hour
	Networks          []netip.Prefix // none is any network
	Environments      []string       // none is any environment
	MaxTokens         int            // per request
	Budgets           []Budget       // per clock hour
	Notify            bool
	Review            time.Duration // every use is reviewed, so long after at most; 0 is no review
	Consent           string        // the purpose that the people concerned must have consented to; "" is none
	ReachesHeld       bool
	ReachesRestricted bool

	approvals   [classCount]int
	obligations []string // as Obligations gives them; shared by copies and never given away
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
// audit entry: "max_tokens:N", and "consent:PURPOSE", "mfa", "notify",
// "reference" and "review_hours:N" where demanded. Approvals and budgets depend
// on the class and are fields of the Decision.
func (r Reason) Obligations() []string {
	var out []string
	if r.Consent != "" {
		out = append(out, "consent:"+r.Consent)
	}
	out = append(out, "max_tokens:"+strconv.Itoa(r.MaxTokens))
	if r.MFA {
		out = append(out, "mfa")
	}
	if r.Notify {
		out = append(out, "notify")
	}
	if r.Reference.Required {
		out = append(out, "reference")
	}
	if r.Review > 0 {
		out = append(out, "review_hours:"+strconv.Itoa(int(r.Review/time.Hour)))
	}
	return out
}

// clone gives away nothing that the policy still uses.
func (r Reason) clone() Reason {
	r.Classes = slices.Clone(r.Classes)
	r.Entities = slices.Clone(r.Entities)
	r.Places = slices.Clone(r.Places)
	r.Tools = slices.Clone(r.Tools)
	r.ACR = slices.Clone(r.ACR)
	r.Networks = slices.Clone(r.Networks)
	r.Environments = slices.Clone(r.Environments)
	r.Budgets = slices.Clone(r.Budgets)
	if r.Hours != nil {
		hours := r.Hours.clone()
		r.Hours = &hours
	}
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

// inNetwork says whether the address is in one of the networks. One that came
// in as IPv6 with an IPv4 address inside is that IPv4 address.
func (r *Reason) inNetwork(address netip.Addr) bool {
	address = address.Unmap()
	return slices.ContainsFunc(r.Networks, func(n netip.Prefix) bool { return n.Contains(address) })
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

// CheckReason is CheckReasonOf for a tenant without an overlay.
func (p *Policy) CheckReason(code, reference string) error {
	return p.CheckReasonOf("", code, reference)
}

// CheckReasonOf says whether the tenant has the code and the reference is one
// that it takes there. The error, if any, is a *ReasonError.
func (p *Policy) CheckReasonOf(tenant, code, reference string) error {
	const field = "/reason/reference"
	if code == "" {
		return &ReasonError{Field: "/reason/code", Rule: "required"}
	}
	reason, ok := p.reasonOf(tenant, code)
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
