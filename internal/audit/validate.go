package audit

import (
	"strconv"
	"time"
)

// MaxParts is the number of linked entries of one change: what four full lists
// of MaxListed items need when every item has the greatest length, and a
// little more. It bounds what Link may allocate.
const MaxParts = 1 << 12

// Validate checks an entry as its author hands it in: closed kinds and
// decisions, the charset and length of every string, the size of every list
// and map. V, Time, Seq, Parts and Prev may still be unset. An error names the
// field and the rule, never the value.
//
// An entry that passes may still be too large for one leaf; Link divides it.
func (e Entry) Validate() error {
	return e.validate(MaxListed)
}

// complete checks what only an entry that is about to be hashed must have.
func (e *Entry) complete() error {
	switch {
	case e.V != Version:
		return schemaError("v", "must be "+strconv.Itoa(Version))
	case e.Time.IsZero():
		return schemaError(timeField, "is missing")
	case (e.Seq == 0) != (e.Prev == ""):
		return schemaError("prev", "must be set from the second linked entry on and only there")
	}
	return nil
}

func (e *Entry) validate(listed int) error {
	if err := e.validateWhole(); err != nil {
		return err
	}
	for i := range fields {
		if err := fields[i].validate(e, listed); err != nil {
			return err
		}
	}
	for _, p := range clientParts {
		if s := *p.str(&e.Client); s != "" && !p.rule.allows(s) {
			return schemaError(clientField+"."+p.name, p.rule.text)
		}
	}
	return nil
}

// validateWhole checks what no string, list or map can say of itself.
func (e *Entry) validateWhole() error {
	for _, required := range []struct{ name, value string }{
		{"tenant", e.Tenant}, {"change_id", e.ChangeID}, {"kind", string(e.Kind)},
	} {
		if required.value == "" {
			return schemaError(required.name, "is missing")
		}
	}
	if !knownKinds[e.Kind] {
		return schemaError("kind", "is not in the list")
	}
	switch e.Decision {
	case "", Allow, Deny, Partial:
	default:
		return schemaError("decision", "must be allow, deny, partial or empty")
	}
	if e.V != 0 && e.V != Version {
		return schemaError("v", "must be "+strconv.Itoa(Version))
	}
	if err := e.validatePosition(); err != nil {
		return err
	}
	return validateTime(e.Time)
}

func (e *Entry) validatePosition() error {
	switch {
	// A single entry has parts 0: with 1 allowed too there would be two leaves
	// for one meaning.
	case e.Parts < 0 || e.Parts == 1 || e.Parts > MaxParts:
		return schemaError("parts", "must be 0 or 2 to "+strconv.Itoa(MaxParts))
	case e.Seq < 0 || e.Seq > 0 && e.Seq >= e.Parts:
		return schemaError("seq", "must be below parts")
	}
	return nil
}

// The first and last year that an entry may carry: RFC 3339 has four digits
// for a year, and nothing was logged before Unix time began.
const (
	firstYear = 1970
	lastYear  = 9999
)

func validateTime(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	switch u := t.UTC(); {
	case u.Nanosecond()%1000 != 0:
		return schemaError(timeField, "must be whole microseconds")
	case u.Year() < firstYear || u.Year() > lastYear:
		return schemaError(timeField, "must be in the years 1970 to 9999")
	}
	return nil
}

func (f *field) validate(e *Entry, listed int) error {
	switch {
	case f.str != nil:
		if s := *f.str(e); s != "" && !f.rule.allows(s) {
			return schemaError(f.name, f.rule.text)
		}
	case f.list != nil:
		list := *f.list(e)
		if len(list) > listed {
			return schemaError(f.name, "has more than "+strconv.Itoa(listed)+" items")
		}
		for _, s := range list {
			if !f.rule.allows(s) {
				return schemaError(f.name, "an item "+f.rule.text)
			}
		}
	case f.counts != nil:
		m := *f.counts(e)
		if len(m) > MaxMap {
			return schemaError(f.name, "has more than "+strconv.Itoa(MaxMap)+" names")
		}
		for s, n := range m {
			if !f.rule.allows(s) {
				return schemaError(f.name, "a name "+f.rule.text)
			}
			if n < 0 || int64(n) > MaxCount {
				return schemaError(f.name, "a count must be 0 to 2^53-1")
			}
		}
	}
	return nil
}
