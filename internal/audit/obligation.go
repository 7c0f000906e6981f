package audit

import "strings"

// What an obligation of an entry is about, where it begins with one of these. The
// rest is a name or an id. Other obligations are what the policy attached.
const (
	// ObligationProceeding names what people came back to: the change id of the entry
	// that opened it.
	ObligationProceeding = "proceeding:"
	// ObligationApprover names who agreed to what the entry says was done.
	ObligationApprover = "approver:"
	// ObligationClass is a class of what was tokenized or asked for.
	ObligationClass = "class:"
	// ObligationDestination is a destination beside the one of the entry.
	ObligationDestination = "destination:"
	// ObligationIntent is the change id of the entry before which nothing happened,
	// and of which the entry says how it went on.
	ObligationIntent = "intent:"
	// ObligationGrant is the change id of the grant that a stream goes by.
	ObligationGrant = "grant:"
	// ObligationRegime is the law whose clock runs for a request of a person.
	ObligationRegime = "regime:"
	// ObligationVersion is a policy version that the entry is about.
	ObligationVersion = "version:"
)

// AboutOne is the first that About returns, empty where there is none.
func (e *Entry) AboutOne(prefix string) string {
	for _, obligation := range e.Obligations {
		if name, is := strings.CutPrefix(obligation, prefix); is {
			return name
		}
	}
	return ""
}

// About returns what the obligations with a prefix name.
func (e *Entry) About(prefix string) []string {
	var named []string
	for _, obligation := range e.Obligations {
		if name, is := strings.CutPrefix(obligation, prefix); is {
			named = append(named, name)
		}
	}
	return named
}
