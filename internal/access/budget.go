package access

import (
	"fmt"
	"slices"
)

// BudgetPer says whose restorations are counted together.
type BudgetPer string

// Whose restorations are counted together. A restoration that names no end user
// counts for none.
const (
	PerCaller  BudgetPer = "caller"
	PerEndUser BudgetPer = "end_user"
	PerTenant  BudgetPer = "tenant"
)

// BudgetPers returns the closed list.
func BudgetPers() []BudgetPer { return []BudgetPer{PerCaller, PerEndUser, PerTenant} }

// Budget is how many tokens may be restored for a reason in one clock hour.
type Budget struct {
	Per    BudgetPer
	Class  Class // empty is all classes together
	Tokens int
}

const (
	// maxBudgetTokens is more than a caller restores in an hour who asks for the
	// largest request every second.
	maxBudgetTokens = 3600 * maxTokens
	// maxBudgets is every way of counting with every class, and all together.
	maxBudgets = 3 * (classCount + 1)
)

type budgetDoc struct {
	Per    BudgetPer `yaml:"per"`
	Class  *Class    `yaml:"class"`
	Tokens int       `yaml:"tokens"`
}

// budgets checks a list. Two that count the same are refused: one of them would
// say nothing.
func budgets(docs []budgetDoc, classes []Class) ([]Budget, error) {
	if len(docs) > maxBudgets {
		return nil, fmt.Errorf("more than %d", maxBudgets)
	}
	var out []Budget
	for _, doc := range docs {
		if !slices.Contains(BudgetPers(), doc.Per) {
			return nil, fmt.Errorf("unknown per %q", doc.Per)
		}
		if doc.Tokens < 1 || doc.Tokens > maxBudgetTokens {
			return nil, fmt.Errorf("tokens must be 1 to %d", maxBudgetTokens)
		}
		b := Budget{Per: doc.Per, Tokens: doc.Tokens}
		if doc.Class != nil {
			if b.Class = *doc.Class; !slices.Contains(classes, b.Class) {
				return nil, fmt.Errorf("class %q is unknown or not reached", b.Class)
			}
		}
		if slices.ContainsFunc(out, b.countsAs) {
			return nil, fmt.Errorf("per %s is given twice for the same class", b.Per)
		}
		out = append(out, b)
	}
	return out, nil
}

// countsAs says whether the two have the same counter.
func (b Budget) countsAs(other Budget) bool { return b.Per == other.Per && b.Class == other.Class }

// budgetsOf are those that count for a class.
func (r *Reason) budgetsOf(class Class) []Budget {
	var out []Budget
	for _, b := range r.Budgets {
		if b.Class == "" || b.Class == class {
			out = append(out, b)
		}
	}
	return out
}
