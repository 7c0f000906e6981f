package access

import (
	"fmt"
	"slices"
)

// Operation is one, other than a restoration, that may need approvals. The list
// is closed.
type Operation string

// The operations.
const (
	OpErase         Operation = "erase"
	OpHoldRelease   Operation = "hold_release"
	OpPolicyPromote Operation = "policy_promotion"
	OpTrim          Operation = "trim"
	OpTenantClose   Operation = "tenant_close"
)

// Operations returns the closed list.
func Operations() []Operation {
	return []Operation{OpErase, OpHoldRelease, OpPolicyPromote, OpTrim, OpTenantClose}
}

// OperationRule says when an operation needs approvals, and how many. Over and
// Restricted are for OpErase only, which needs them where more than Over values
// go or, with Restricted, a value of that class.
type OperationRule struct {
	Approvals  int
	Over       int
	Restricted bool
}

// maxOver is more values than any person has.
const maxOver = 10_000_000

// Operation returns what an operation needs. One that is not known needs more
// approvals than anybody can give.
func (p *Policy) Operation(op Operation) OperationRule {
	rule, ok := p.operations[op]
	if !ok {
		return OperationRule{Approvals: maxApprovals}
	}
	return rule
}

type operationsFile struct {
	Version    int                        `yaml:"version"`
	Operations map[Operation]operationDoc `yaml:"operations"`
}

type operationDoc struct {
	Approvals  *int  `yaml:"approvals"`
	Over       *int  `yaml:"over"`
	Restricted *bool `yaml:"restricted"`
}

func (f operationsFile) check() (map[Operation]OperationRule, error) {
	if f.Version != fileVersion {
		return nil, fmt.Errorf("version must be %d", fileVersion)
	}
	if len(f.Operations) != len(Operations()) {
		return nil, fmt.Errorf("each of %v must be given", Operations())
	}
	out := make(map[Operation]OperationRule, len(f.Operations))
	for op, doc := range f.Operations {
		if !slices.Contains(Operations(), op) {
			return nil, fmt.Errorf("unknown operation %q", op)
		}
		rule, err := doc.rule(op)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		out[op] = rule
	}
	return out, nil
}

func (d operationDoc) rule(op Operation) (OperationRule, error) {
	var out OperationRule
	if d.Approvals == nil || *d.Approvals < 0 || *d.Approvals > maxApprovals {
		return out, fmt.Errorf("approvals must be 0 to %d", maxApprovals)
	}
	out.Approvals = *d.Approvals
	if op != OpErase {
		if d.Over != nil || d.Restricted != nil {
			return out, fmt.Errorf("over and restricted are for %s only", OpErase)
		}
		return out, nil
	}
	if d.Over == nil || d.Restricted == nil || *d.Over < 0 || *d.Over > maxOver {
		return out, fmt.Errorf("over (0 to %d) and restricted are required", maxOver)
	}
	out.Over, out.Restricted = *d.Over, *d.Restricted
	return out, nil
}
