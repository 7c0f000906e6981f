package vault

import (
	"context"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/payload"
)

// blocked refuses a request that holds what may not pass: with the types and
// the places, never the values. The refusal is an entry.
func (j *tokenizeJob) blocked(ctx context.Context) error {
	var violations []Violation
	entry := j.entry
	entry.Entities = make(map[string]int)
	for i := range j.found {
		f := &j.found[i]
		if f.kept != nil || f.action != access.ActBlock {
			continue
		}
		entry.Entities[f.entity.Name]++
		if len(violations) < maxViolations {
			violations = append(violations, j.violation(f))
		}
	}
	if len(violations) == 0 {
		return nil
	}
	entry.Results = map[string]int{"blocked": sum(entry.Entities)}
	entry.Decision = audit.Deny
	return j.s.deny(ctx, j.call.Caller.Tenant, entry, &Error{
		Code: CodeInvalid, Detail: "the request holds what may not be sent there", Violations: violations,
	})
}

// violation says where something stands that may not pass. The place of a key
// does not show the key.
func (j *tokenizeJob) violation(f *finding) Violation {
	rule := f.entity.Name + " is blocked for this destination"
	if len(j.parts) == 0 {
		return Violation{Field: "/values/" + strconv.Itoa(f.start), Rule: rule}
	}
	p := &j.parts[f.part]
	field := j.field()
	if j.doc != nil {
		field += j.coverage.Scanned[f.part].Pointer
	}
	switch p.kind {
	case payload.KindKey:
		return Violation{Field: field, Rule: f.entity.Name + " is blocked in the name of a member"}
	case payload.KindNumber:
		return Violation{Field: field, Rule: f.entity.Name + " is blocked as a number"}
	}
	start := utf8.RuneCountInString(p.text[:f.start])
	rule = fmt.Sprintf("%s, code points %d to %d", rule, start, start+utf8.RuneCountInString(f.value))
	if by := j.explained(f); by != "" {
		rule += ", found by " + by
	}
	return Violation{Field: field, Rule: rule}
}

// maxViolations bounds an error body; the entry counts all.
const maxViolations = 100
