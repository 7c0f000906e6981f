package entryrow

import (
	"cmp"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Field is what a term of an entry says.
type Field string

// The fields by which entries are searched. The tables have the same list.
const (
	FieldActor    Field = "actor"
	FieldDecision Field = "decision"
	FieldEntity   Field = "entity"
	FieldKind     Field = "kind"
	FieldReason   Field = "reason"
	FieldRequest  Field = "request"
	FieldToken    Field = "token"
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

// TermsOf lists the terms of an entry in a fixed order, each once: the same
// list is written by a commit and expected by Row.Check.
func TermsOf(e *audit.Entry) []Term {
	terms := []Term{
		{FieldActor, e.Actor}, {FieldDecision, string(e.Decision)}, {FieldKind, string(e.Kind)},
		{FieldReason, e.Reason}, {FieldRequest, e.RequestID},
	}
	for entity := range e.Entities {
		terms = append(terms, Term{FieldEntity, entity})
	}
	for _, id := range e.Tokens {
		terms = append(terms, Term{FieldToken, id})
	}
	terms = slices.DeleteFunc(terms, func(t Term) bool { return t.Value == "" })
	slices.SortFunc(terms, Term.Compare)
	return slices.Compact(terms)
}

// Wanted lists the terms that a query asks for, the rarest field first, so
// that the walk along it is short.
func Wanted(q vault.EntryQuery) []Term {
	terms := []Term{
		{FieldRequest, q.RequestID}, {FieldToken, q.Token}, {FieldActor, q.Actor}, {FieldReason, q.Reason},
		{FieldEntity, q.Entity}, {FieldKind, q.Kind}, {FieldDecision, string(q.Decision)},
	}
	return slices.DeleteFunc(terms, func(t Term) bool { return t.Value == "" })
}
