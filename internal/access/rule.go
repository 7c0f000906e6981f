package access

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// rule is one line of policy.csv, checked.
type rule struct {
	id         string
	deny       bool
	action     Action
	reason     string
	form       Form
	entities   []string // nil where the column is * or -
	conditions []condition
	row        []string // the columns as the matcher reads them, without the leading "p"
}

// columns of policy.csv after the leading "p". model.conf must define the same.
var columns = []string{"id", "eft", "role", "action", "reason", "classes", "entities", "when", "form"}

const (
	// none stands in a column that does not apply.
	none = "-"
	// everyEntity stands for all entities of the catalogue. There is no such
	// word for roles, reasons or classes: those are always spelt out.
	everyEntity = "*"
	effectAllow = "allow"
	effectDeny  = "deny"
)

// ruleID is narrow, since ids go into audit entries.
var ruleID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// vocabulary is what the columns of a rule may name.
type vocabulary struct {
	reasons  map[string]*Reason
	entities map[string]Entity
}

// parseRules reads policy.csv. The error names the line.
func parseRules(text string, v vocabulary) ([]*rule, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	r.TrimLeadingSpace = true
	r.FieldsPerRecord = 1 + len(columns)
	r.ReuseRecord = false
	var out []*rule
	seen := map[string]bool{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not a rule: %w", err)
		}
		line, _ := r.FieldPos(0)
		for i := range record {
			record[i] = strings.Trim(record[i], " ") // columns may be aligned
		}
		parsed, err := v.rule(record)
		if err == nil && seen[parsed.id] {
			err = fmt.Errorf("the id %q is taken", parsed.id)
		}
		if err == nil && len(out) == maxRules {
			err = fmt.Errorf("more than %d rules", maxRules)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		seen[parsed.id] = true
		out = append(out, parsed)
	}
}

func (v vocabulary) rule(record []string) (*rule, error) {
	if record[0] != "p" {
		return nil, errors.New(`a line starts with "p"`)
	}
	row := record[1:]
	id, effect, role, action, reason := row[0], row[1], row[2], Action(row[3]), row[4]
	classes, entities, when, form := row[5], row[6], row[7], Form(row[8])
	if !ruleID.MatchString(id) {
		return nil, fmt.Errorf("the id must match %s", ruleID)
	}
	if effect != effectAllow && effect != effectDeny {
		return nil, fmt.Errorf("unknown effect %q", effect)
	}
	if !slices.Contains(Roles(), role) {
		return nil, fmt.Errorf("unknown role %q", role)
	}
	if !slices.Contains(Actions(), action) {
		return nil, fmt.Errorf("unknown action %q", action)
	}
	conditions, err := parseConditions(when)
	if err != nil {
		return nil, err
	}
	r := &rule{
		id: id, deny: effect == effectDeny, action: action, reason: reason,
		conditions: conditions, row: row,
	}
	if asksSecondPerson(conditions) && (action != ActionHoldRelease || r.deny) {
		return nil, fmt.Errorf("%s is for an allow of %s only", secondPerson, ActionHoldRelease)
	}
	if action != ActionRestore {
		if reason != none || classes != none || entities != none || string(form) != none {
			return nil, fmt.Errorf("%s has no reason, classes, entities or form: use %q", action, none)
		}
		return r, nil
	}
	return r, v.restoreColumns(r, classes, entities, form)
}

// restoreColumns checks the columns that only rules about values have.
func (v vocabulary) restoreColumns(r *rule, classes, entities string, form Form) error {
	reason, ok := v.reasons[r.reason]
	if !ok {
		return fmt.Errorf("unknown reason %q", r.reason)
	}
	for class := range strings.SplitSeq(classes, "|") {
		if !slices.Contains(reason.Classes, Class(class)) {
			return fmt.Errorf("class %q is unknown or not reached by %s", class, r.reason)
		}
	}
	if entities != everyEntity {
		r.entities = strings.Split(entities, "|")
		for _, entity := range r.entities {
			if _, known := v.entities[entity]; !known || !reason.reachesEntity(entity) {
				return fmt.Errorf("entity %q is unknown or not reached by %s", entity, r.reason)
			}
		}
	}
	if r.deny {
		if string(form) != none {
			return fmt.Errorf("a deny has no form: use %q", none)
		}
		return nil
	}
	if form.rank() == 0 {
		return fmt.Errorf("unknown form %q", form)
	}
	if form.rank() > reason.Form.rank() {
		return fmt.Errorf("%s gives no more than %s", r.reason, reason.Form)
	}
	r.form = form
	return nil
}

// contextual says whether the rule asks how the caller stands to the scope.
func (r *rule) contextual() bool { return bound(r.conditions) }
