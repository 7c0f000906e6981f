package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// shortfall is what a request lacks to meet the conditions of a rule.
type shortfall uint8

// From the least to the most severe: of several that a request lacks for one
// rule the most severe is told, and of several rules the one that lacks least.
const (
	lacksBinding shortfall = 1 << iota
	lacksSecondPerson
	lacksMFA
	lacksHours
	lacksNetwork
	lacksAttribute
)

// lacksContext is what the best case of the same caller grants. It is less than
// anything else, so that it never changes which other one is told.
const lacksContext = lacksBinding | lacksSecondPerson

// condition is one name of the "when" column. Conditions are compared by name.
type condition struct {
	name  string
	lacks shortfall // what is missing when it does not hold
	holds func(*Request) bool
	// fact is set for conditions on what a caller or the installation is
	// (attr:, env:), where two values of the same name exclude each other.
	fact, value string
}

// plainConditions are the conditions without a parameter.
var plainConditions = []condition{
	{name: "same_client", lacks: lacksBinding, holds: func(r *Request) bool { return r.SameClient }},
	{name: "same_end_user", lacks: lacksBinding, holds: func(r *Request) bool { return r.EndUser == EndUserSame }},
	{name: "end_user_unbound", lacks: lacksBinding, holds: func(r *Request) bool { return r.EndUser == EndUserUnbound }},
	{name: "end_user_absent", lacks: lacksBinding, holds: func(r *Request) bool { return r.EndUser == EndUserAbsent }},
	{name: "end_user_other", lacks: lacksBinding, holds: func(r *Request) bool { return r.EndUser == EndUserOther }},
	{name: "end_user_not_other", lacks: lacksBinding, holds: func(r *Request) bool {
		return r.EndUser == EndUserSame || r.EndUser == EndUserUnbound || r.EndUser == EndUserAbsent
	}},
	{name: secondPerson, lacks: lacksSecondPerson, holds: func(r *Request) bool { return r.SecondPerson }},
	{name: "mfa", lacks: lacksMFA, holds: func(r *Request) bool { return r.MFA }},
}

const (
	attributePrefix   = "attr:"
	environmentPrefix = "env:"
	// secondPerson is for an allow of hold_release only: nothing else was placed
	// by somebody who may be another.
	secondPerson = "second_person"
	// always is the column text of a rule without conditions.
	always = "-"
)

// knownAttributes are the attributes that a rule may ask for. A new one is
// added here when package authn can supply it.
var knownAttributes = []string{"team", "on_call"}

// knownEnvironments are the environments that a rule may ask for.
var knownEnvironments = []string{"development", "staging", "production"}

// attributeValue is narrow enough to hold no separator of the policy file.
var attributeValue = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)

// parseCondition reads one name of the closed registry.
func parseCondition(name string) (condition, error) {
	for _, c := range plainConditions {
		if c.name == name {
			return c, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, attributePrefix); ok {
		return attributeCondition(name, rest)
	}
	if env, ok := strings.CutPrefix(name, environmentPrefix); ok {
		if !slices.Contains(knownEnvironments, env) {
			return condition{}, fmt.Errorf("unknown environment %q", env)
		}
		return environmentCondition(env), nil
	}
	return condition{}, fmt.Errorf("unknown condition %q", name)
}

func environmentCondition(env string) condition {
	return condition{
		name: environmentPrefix + env, lacks: lacksAttribute, fact: environmentPrefix, value: env,
		holds: func(r *Request) bool { return r.Environment == env },
	}
}

func attributeCondition(name, rest string) (condition, error) {
	attribute, value, ok := strings.Cut(rest, "=")
	if !ok || !slices.Contains(knownAttributes, attribute) {
		return condition{}, fmt.Errorf("unknown attribute in condition %q", name)
	}
	if !attributeValue.MatchString(value) {
		return condition{}, fmt.Errorf("malformed attribute value in condition %q", name)
	}
	return condition{
		name: name, lacks: lacksAttribute, fact: attributePrefix + attribute, value: value,
		// The value is never empty, so an absent attribute cannot equal it.
		holds: func(r *Request) bool { return r.Attributes[attribute] == value },
	}, nil
}

// parseConditions reads the "when" column. Conditions that exclude each other
// are refused: such a rule could never apply.
func parseConditions(text string) ([]condition, error) {
	if text == always {
		return nil, nil
	}
	var out []condition
	seen := map[string]bool{}
	for name := range strings.SplitSeq(text, "&") {
		c, err := parseCondition(name)
		if err != nil {
			return nil, err
		}
		group := c.name
		switch {
		case c.fact != "":
			group = c.fact
		case strings.Contains(c.name, "end_user"):
			group = "end_user"
		}
		if seen[group] {
			return nil, fmt.Errorf("condition %q repeats or excludes another", name)
		}
		seen[group] = true
		out = append(out, c)
	}
	return out, nil
}

// missing says what the request lacks. In the best case the context is granted.
func missing(conditions []condition, r *Request, best bool) shortfall {
	var lacks shortfall
	for _, c := range conditions {
		if best && c.lacks&lacksContext != 0 {
			continue
		}
		if !c.holds(r) {
			lacks |= c.lacks
		}
	}
	return lacks
}

// asksSecondPerson says whether any of the conditions is second_person.
func asksSecondPerson(conditions []condition) bool {
	return slices.ContainsFunc(conditions, func(c condition) bool { return c.lacks == lacksSecondPerson })
}

// bound says whether any of the conditions is about the binding of the scope.
func bound(conditions []condition) bool {
	for _, c := range conditions {
		if c.lacks == lacksBinding {
			return true
		}
	}
	return false
}
