package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Right is one cell of the matrix: what a role gets of a class for a reason, by
// one rule, and what it takes. It says what the policy gives at most; a single
// restoration can be less (another client's scope, a budget that is spent).
type Right struct {
	Role     string   `json:"role"`
	Reason   string   `json:"reason"`
	Class    Class    `json:"class"`
	Entities []string `json:"entities"` // sorted; none is every entity of the class
	Form     Form     `json:"form"`
	// Conditions are those of the rule, those that the reason has beside the
	// fields below, and what deny rules of the same role take away.
	Conditions []string `json:"conditions"`
	Approvals  int      `json:"approvals"`
	MFA        bool     `json:"mfa"`
	Reference  string   `json:"reference"` // the pattern, where one is required; empty where not
	Places     []string `json:"places"`    // "tool NAME" for tools
	Budgets    []string `json:"budgets"`
	Rule       string   `json:"rule"`
}

// Principal is somebody who may have a credential: what an identity provider
// says of them.
type Principal struct {
	Name       string            `json:"name" yaml:"name"`
	Roles      []string          `json:"roles" yaml:"roles"`
	Attributes map[string]string `json:"attributes" yaml:"attributes"`
}

// PrincipalRight is a right of a principal. One who has no right is there once,
// with an empty Right, and so is one whose roles may not be one caller's: their
// credentials are refused, by the rule of separation.yaml in Refused.
type PrincipalRight struct {
	Principal string `json:"principal"`
	Refused   string `json:"refused,omitempty"`
	Right
}

// Matrix says who can restore what for which reason in a tenant: a right for
// each class of each allow rule, by role, reason, class and rule. A right that
// the reason or a deny rule takes away as a whole is not there.
func (p *Policy) Matrix(tenant string) []Right {
	var out []Right
	for _, role := range Roles() {
		out = append(out, p.rights(tenant, role, []string{role})...)
	}
	return out
}

// MatrixOf says which rights of the matrix each of the principals has, in their
// order. A right that asks for an attribute which they do not have is not
// theirs, and deny rules of all of their roles count.
func (p *Policy) MatrixOf(tenant string, principals []Principal) []PrincipalRight {
	var out []PrincipalRight
	for _, one := range principals {
		if rule, ok := p.Separate(one.Roles); !ok {
			out = append(out, PrincipalRight{Principal: one.Name, Refused: rule})
			continue
		}
		had := len(out)
		for _, role := range Roles() {
			if !slices.Contains(one.Roles, role) {
				continue
			}
			for _, r := range p.rights(tenant, role, one.Roles) {
				if r.fits(one.Attributes) {
					out = append(out, PrincipalRight{Principal: one.Name, Right: r})
				}
			}
		}
		if len(out) == had {
			out = append(out, PrincipalRight{Principal: one.Name})
		}
	}
	return out
}

// fits says whether the attributes are those that the right asks for.
func (r Right) fits(attributes map[string]string) bool {
	for _, name := range r.Conditions {
		c, err := parseCondition(name)
		if err == nil && strings.HasPrefix(c.fact, attributePrefix) && !c.holds(&Request{Attributes: attributes}) {
			return false
		}
	}
	return true
}

// rights are those of one role, by reason, class and rule, as they are for
// somebody who has these roles.
func (p *Policy) rights(tenant, role string, roles []string) []Right {
	var out []Right
	for _, code := range slices.Sorted(maps.Keys(p.reasons)) {
		reason, ok := p.reasonOf(tenant, code)
		if !ok {
			continue
		}
		rules := p.rulesFor(bucket{ActionRestore, code})
		for _, class := range reason.Classes {
			for _, id := range slices.Sorted(maps.Keys(rules)) {
				r := rules[id]
				if r.deny || r.role() != role || !r.reachesClass(class) {
					continue
				}
				right, ok := p.right(r, reason, class)
				if ok && p.deny(&right, rules, roles) {
					out = append(out, right)
				}
			}
		}
	}
	return out
}

func (r *rule) role() string { return r.row[slices.Index(columns, "role")] }

func (r *rule) reachesClass(c Class) bool {
	return inColumn(string(c), r.row[slices.Index(columns, "classes")])
}

// right is what an allow rule and its reason give together, if anything.
func (p *Policy) right(r *rule, reason *Reason, class Class) (Right, bool) {
	entities, some := p.entitiesOf(r, reason, class)
	if !some {
		return Right{}, false
	}
	out := Right{
		Role: r.role(), Reason: reason.Code, Class: class, Entities: entities, Form: r.form,
		Approvals: reason.Approvals(class), MFA: reason.MFA, Rule: r.id,
		Conditions: []string{}, Places: []string{}, Budgets: []string{},
	}
	if reason.Form.rank() < r.form.rank() {
		out.Form = reason.Form
	}
	if reason.Reference.Required {
		out.Reference = reason.Reference.Pattern
	}
	for _, c := range r.conditions {
		if c.lacks == lacksMFA {
			out.MFA = true
			continue
		}
		out.Conditions = append(out.Conditions, c.name)
	}
	out.Conditions = append(out.Conditions, reason.conditions()...)
	for _, place := range reason.Places {
		if place != PlaceTool {
			out.Places = append(out.Places, string(place))
		}
	}
	for _, tool := range reason.Tools {
		out.Places = append(out.Places, string(PlaceTool)+" "+tool)
	}
	for _, b := range reason.budgetsOf(class) {
		out.Budgets = append(out.Budgets, b.String())
	}
	return out, true
}

// String says what is counted: "20 restricted an hour per caller".
func (b Budget) String() string {
	what := strings.TrimSpace(fmt.Sprintf("%d %s", b.Tokens, b.Class))
	return what + " an hour per " + string(b.Per)
}

// conditions is what a reason demands of the caller, the moment and the people
// concerned, in words.
func (r *Reason) conditions() []string {
	var out []string
	if len(r.ACR) > 0 {
		out = append(out, "acr "+strings.Join(r.ACR, " or "))
	}
	if r.Hours != nil {
		out = append(out, "hours "+r.Hours.String())
	}
	if len(r.Networks) > 0 {
		out = append(out, "network "+strings.ReplaceAll(networksOf(r).text, ", ", " or "))
	}
	if len(r.Environments) > 0 {
		out = append(out, "environment "+strings.Join(r.Environments, " or "))
	}
	if r.Consent != "" {
		out = append(out, "consent to "+r.Consent)
	}
	return out
}

// entitiesOf are the entities that rule and reason reach in a class, nil for
// all of them. An entity of a stricter class is never in this one.
func (p *Policy) entitiesOf(r *rule, reason *Reason, class Class) ([]string, bool) {
	if r.entities == nil && reason.Entities == nil {
		return nil, true
	}
	rank, _ := class.rank() // a class of a reason has one
	var out []string
	for _, e := range p.Entities() {
		own, _ := e.Class.rank()
		if own <= rank && reason.reachesEntity(e.Name) && r.reachesEntity(e.Name) {
			out = append(out, e.Name)
		}
	}
	return out, len(out) > 0
}

func (r *rule) reachesEntity(name string) bool {
	return r.entities == nil || slices.Contains(r.entities, name)
}

// deny takes from a right what deny rules of these roles take, and says whether
// anything is left.
func (p *Policy) deny(right *Right, rules map[string]*rule, roles []string) bool {
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		r := rules[id]
		if !r.deny || !slices.Contains(roles, r.role()) || !r.reachesClass(right.Class) {
			continue
		}
		left := []string{}
		for _, name := range right.Entities {
			if !r.reachesEntity(name) {
				left = append(left, name)
			}
		}
		all := right.Entities == nil
		if !all && len(left) == len(right.Entities) {
			continue // it is about other entities
		}
		switch {
		case len(r.conditions) > 0, all && r.entities != nil:
			right.Conditions = append(right.Conditions, r.exception())
		case all || len(left) == 0:
			return false
		default:
			right.Entities = left
		}
	}
	return true
}

// exception says in words what a deny rule takes away.
func (r *rule) exception() string {
	out := "but not"
	if r.entities != nil {
		out += " " + strings.Join(r.entities, " or ")
	}
	var names []string
	for _, c := range r.conditions {
		names = append(names, c.name)
	}
	if len(names) > 0 {
		out += " with " + strings.Join(names, " and ")
	}
	return out + " (" + r.id + ")"
}
