package access

import (
	"errors"
	"fmt"
)

// ErrPrincipals is wrapped by every error of ReadPrincipals.
var ErrPrincipals = errors.New("access: the list of principals is refused")

const (
	// maxPrincipals are the people and machines of a large organisation.
	maxPrincipals     = 100_000
	maxPrincipalName  = 256
	maxPrincipalRoles = 100
	// MaxPrincipalsBytes is a list of the most of them, with a few roles each.
	MaxPrincipalsBytes = 32 << 20
)

// ReadPrincipals reads a list as YAML or JSON: principals, each with a name,
// roles and attributes. Roles that the policy does not know are those of other
// services; an unknown attribute is a slip, since it could be meant for one
// that a rule asks for.
func ReadPrincipals(text []byte) ([]Principal, error) {
	var doc struct {
		Principals []Principal `yaml:"principals"`
	}
	if len(text) > MaxPrincipalsBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrPrincipals, MaxPrincipalsBytes)
	}
	if err := decodeYAML(text, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrincipals, err)
	}
	if len(doc.Principals) == 0 || len(doc.Principals) > maxPrincipals {
		return nil, fmt.Errorf("%w: there must be 1 to %d principals", ErrPrincipals, maxPrincipals)
	}
	seen := map[string]bool{}
	for i, one := range doc.Principals {
		if one.Name == "" || len(one.Name) > maxPrincipalName || len(one.Roles) > maxPrincipalRoles {
			return nil, fmt.Errorf("%w: principal %d: a name of at most %d bytes and at most %d roles are wanted", ErrPrincipals, i+1, maxPrincipalName, maxPrincipalRoles)
		}
		if seen[one.Name] {
			return nil, fmt.Errorf("%w: principal %d: the name is there twice", ErrPrincipals, i+1)
		}
		seen[one.Name] = true
		for name, value := range one.Attributes {
			if _, err := attributeCondition("", name+"="+value); err != nil {
				return nil, fmt.Errorf("%w: principal %d: an attribute that no rule can ask for", ErrPrincipals, i+1)
			}
		}
	}
	return doc.Principals, nil
}
