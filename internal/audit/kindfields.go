package audit

import (
	"math/bits"
	"slices"
	"strings"
)

// KindRule says what an entry of a kind holds besides what every entry holds:
// which fields it must and may have, and which words stand in those that have a
// closed list. Validate judges each field by itself; CheckKind judges whether they
// are those of the kind.
//
// Must is about the first entry of a change that says that something was done. A
// denial has what was known when it was denied. Of the linked entries after the
// first, the counted fields are empty and the divided lists may be (see Link).
type KindRule struct {
	Kind      Kind
	Must, May []string
	// Decisions are those that it may have; NoDecision where it may have none.
	Decisions []Decision
	// Codes is the closed list of its codes, empty where codes are names that a
	// caller gave. That of a denial is of RefusalCodes, and may say after a colon
	// what it was about.
	Codes []string
	// Obligations are the words of its obligations; one that ends with a colon is
	// followed by a name.
	Obligations []string
	// Counts and Results are the names in them, empty where they are not closed.
	Counts, Results []string
}

// NoDecision stands in a KindRule for an entry without one.
const NoDecision Decision = ""

// Fields that have a meaning of their own to the rules of kinds.
const (
	fieldActor       = "actor"
	fieldCode        = "code"
	fieldCounts      = "counts"
	fieldDecision    = "decision"
	fieldObligations = "obligations"
	fieldResults     = "results"
)

var (
	// everyEntry are the fields of every entry; seq, parts and prev go with them
	// where it is linked, as complete and validatePosition say.
	everyEntry = []string{"change_id", "channel", "environment", "kind", "policy_version", "replica", "tenant", timeField, "v"}
	linkFields = []string{"parts", "prev", "seq"}
	// counted stand in the first of linked entries alone; the lists of cut are
	// divided among them.
	counted = []string{fieldCounts, "entities", fieldResults}
	cut     = []string{"key_ids", "scope_refs", "subject_refs", "tokens"}
	// called are the fields that say who called and how that was decided.
	called = []string{
		fieldActor, "agent", clientField, fieldDecision, "end_user_assurance", "on_behalf_of", "replay_of", "request_id", "rule_ids", "session",
	}
)

// countDenials is how many further denials like it an entry stands for.
const countDenials = "denials"

// RefusalCodes returns the closed list with which the code of a denial begins.
func RefusalCodes() []string { return slices.Clone(refusalCodes) }

var refusalCodes = []string{
	"conflict", "denied", "exhausted", "held", "internal", "invalid", "not_found", "unauthenticated", "unavailable",
}

// KindFields returns the rules of all kinds, in the order of Kinds. Lists of fields
// and words are sorted, and no field stands in Must and in May.
func KindFields() []KindRule {
	rules := make([]KindRule, len(kindTable))
	for i, r := range kindTable {
		check := kindChecks[r.Kind]
		r.Must = namesOf(check.required &^ everyMask)
		r.May = namesOf(check.may &^ (check.required | maskOf(linkFields)))
		r.Decisions = slices.Clone(r.Decisions)
		r.Codes, r.Obligations = sorted(r.Codes), sorted(r.Obligations)
		r.Counts, r.Results = sorted(r.Counts), sorted(r.Results)
		rules[i] = r
	}
	return rules
}

func sorted(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}

func namesOf(mask uint64) (names []string) {
	for i := range fields {
		if mask&(1<<i) != 0 {
			names = append(names, fields[i].name)
		}
	}
	return names
}

// CommonFields returns the fields of every entry, those that linked ones have
// besides, those that stand in the first of them alone, and the lists that are cut.
func CommonFields() (every, linked, first, lists []string) {
	return slices.Clone(everyEntry), slices.Clone(linkFields), slices.Clone(counted), slices.Clone(cut)
}

// CheckKind tells whether a valid entry has the fields that its kind must have and
// no other, and the words of the closed lists. The error names the field and the
// rule, never the value. It does not tell whether the entries around it fit.
func CheckKind(e *Entry) error {
	k, known := kindChecks[e.Kind]
	if !known {
		return schemaError("kind", "is not in the list")
	}
	var have uint64
	for i := range fields {
		if !fields[i].empty(e) {
			have |= 1 << i
		}
	}
	if missing := k.must(e) &^ have; missing != 0 {
		return schemaError(firstField(missing), "is missing in an entry of its kind")
	}
	may := k.may
	if e.Seq > 0 {
		may &^= countedMask
	}
	if extra := have &^ may; extra != 0 {
		return schemaError(firstField(extra), "has no place in an entry of its kind")
	}
	return k.words(e)
}

// A kindCheck is a rule made ready: sets of fields are bits by their place in the
// table of fields.
type kindCheck struct {
	KindRule
	required, may uint64
}

var (
	kindChecks  = compileKinds()
	everyMask   = maskOf(everyEntry)
	countedMask = maskOf(counted)
	cutMask     = maskOf(cut)
)

func compileKinds() map[Kind]*kindCheck {
	checks := make(map[Kind]*kindCheck, len(kindTable))
	for _, r := range kindTable {
		required := maskOf(r.Must) | maskOf(everyEntry)
		checks[r.Kind] = &kindCheck{KindRule: r, required: required, may: required | maskOf(r.May) | maskOf(linkFields)}
	}
	return checks
}

func maskOf(names []string) (mask uint64) {
	for _, name := range names {
		i, known := fieldIndex[name]
		if !known {
			panic("audit: a rule of a kind names a field that there is not")
		}
		mask |= 1 << i
	}
	return mask
}

func firstField(mask uint64) string { return fields[bits.TrailingZeros64(mask)].name }

// must are the fields that the entry may not lack.
func (k *kindCheck) must(e *Entry) uint64 {
	switch {
	case e.Decision == Deny:
		return everyMask
	case e.Seq > 0:
		return k.required &^ (countedMask | cutMask)
	case e.Parts > 0:
		return k.required &^ cutMask
	default:
		return k.required
	}
}

func (k *kindCheck) words(e *Entry) error {
	if !slices.Contains(k.Decisions, e.Decision) {
		return schemaError(fieldDecision, "is none of those of its kind")
	}
	if e.Decision == Deny && e.Seq == 0 && e.Code == "" && len(e.Results) == 0 {
		return schemaError(fieldCode, "is missing in a denial that has no results")
	}
	if e.Code != "" && !k.hasCode(e) {
		return schemaError(fieldCode, "is none of those of its kind")
	}
	for _, o := range e.Obligations {
		if !k.hasObligation(o) {
			return schemaError(fieldObligations, "an item is none of those of its kind")
		}
	}
	for name := range e.Counts {
		if !in(k.Counts, name) && (e.Decision != Deny || name != countDenials) {
			return schemaError(fieldCounts, "a name is none of those of its kind")
		}
	}
	for name := range e.Results {
		if !in(k.Results, name) {
			return schemaError(fieldResults, "a name is none of those of its kind")
		}
	}
	return nil
}

// in tells whether a closed list has a word. An empty one is not closed.
func in(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }

func (k *kindCheck) hasCode(e *Entry) bool {
	if e.Decision != Deny {
		return in(k.Codes, e.Code)
	}
	code, _, _ := strings.Cut(e.Code, ":")
	return slices.Contains(refusalCodes, code)
}

func (k *kindCheck) hasObligation(o string) bool {
	if at := strings.IndexByte(o, ':'); at >= 0 {
		return at+1 < len(o) && slices.Contains(k.Obligations, o[:at+1])
	}
	return slices.Contains(k.Obligations, o)
}
