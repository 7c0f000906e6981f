package entryrow

import (
	"cmp"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Field is what a term of an entry says.
type Field string

// The fields by which entries are searched. The tables have the same list.
const (
	FieldActor       Field = "actor"
	FieldApprover    Field = "approver" // who agreed to what was done, and who decided
	FieldClass       Field = "class"    // of what was tokenized or asked for
	FieldClient      Field = "client"
	FieldDecision    Field = "decision"
	FieldDestination Field = "destination"
	FieldEndUser     Field = "enduser"
	FieldEntity      Field = "entity"
	FieldKind        Field = "kind"
	FieldPolicy      Field = "policy"
	FieldReason      Field = "reason"
	FieldReference   Field = "reference"
	FieldRequest     Field = "request"
	FieldScope       Field = "scope"
	FieldSubject     Field = "subject"
	FieldToken       Field = "token"
)

// Term is one thing that an entry can be found by.
type Term struct {
	Field Field
	Value string
}

// Compare orders terms by field and value, bytewise.
func (t Term) Compare(u Term) int {
	return cmp.Or(cmp.Compare(t.Field, u.Field), cmp.Compare(t.Value, u.Value))
}

// prefixed are the obligations that are terms, by what they begin with.
var prefixed = []struct {
	prefix string
	field  Field
}{
	{audit.ObligationApprover, FieldApprover},
	{audit.ObligationClass, FieldClass},
	{audit.ObligationDestination, FieldDestination},
}

// TermsOf lists the terms of an entry in a fixed order, each once: the same
// list is written by a commit and expected by Row.Check.
func TermsOf(e *audit.Entry) []Term {
	terms := []Term{
		{FieldActor, e.Actor}, {FieldClient, e.Client.ClientID}, {FieldDecision, string(e.Decision)},
		{FieldDestination, e.Destination}, {FieldEndUser, e.OnBehalfOf}, {FieldKind, string(e.Kind)},
		{FieldPolicy, e.PolicyVersion}, {FieldReason, e.Reason}, {FieldReference, e.Reference}, {FieldRequest, e.RequestID},
	}
	if e.Kind == audit.KindApprovalDecide {
		terms = append(terms, Term{FieldApprover, e.Actor})
	}
	for entity := range e.Entities {
		terms = append(terms, Term{FieldEntity, entity})
	}
	for _, obligation := range e.Obligations {
		for _, p := range prefixed {
			if value, is := strings.CutPrefix(obligation, p.prefix); is {
				terms = append(terms, Term{p.field, value})
			}
		}
	}
	for _, list := range []struct {
		field  Field
		values []string
	}{{FieldScope, e.ScopeRefs}, {FieldSubject, e.SubjectRefs}, {FieldToken, e.Tokens}} {
		for _, value := range list.values {
			terms = append(terms, Term{list.field, value})
		}
	}
	terms = slices.DeleteFunc(terms, func(t Term) bool { return t.Value == "" })
	slices.SortFunc(terms, Term.Compare)
	return slices.Compact(terms)
}

// A Wish is a field that a query selects by: an entry has any of the values.
type Wish struct {
	Field  Field
	Values []string // at least one, each once
}

// Wanted lists what a query selects by, the rarest field first, so that the walk
// along it is short. An entry has to fulfil every wish.
func Wanted(q vault.EntryQuery) []Wish {
	all := []Wish{
		{FieldRequest, one(q.RequestID)}, {FieldToken, one(q.Token)}, {FieldReference, one(q.Reference)},
		{FieldSubject, each(q.Subjects)}, {FieldScope, each(q.Scopes)}, {FieldEndUser, one(q.EndUser)},
		{FieldApprover, one(q.Approver)}, {FieldActor, one(q.Actor)}, {FieldReason, one(q.Reason)},
		{FieldEntity, one(q.Entity)}, {FieldClass, one(q.Class)}, {FieldDestination, one(q.Destination)},
		{FieldClient, one(q.Client)}, {FieldKind, one(q.Kind)}, {FieldDecision, one(string(q.Decision))},
		{FieldPolicy, one(q.PolicyVersion)},
	}
	return slices.DeleteFunc(all, func(w Wish) bool { return len(w.Values) == 0 })
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func each(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}
