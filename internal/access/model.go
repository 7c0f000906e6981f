package access

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/constant"
	"github.com/casbin/casbin/v2/model"
)

// requestColumns of model.conf. The caller is the whole request, as the
// functions see it.
var requestColumns = []string{"action", "reason", "caller"}

const (
	// outcomeColumn is given by a rule and not matched.
	outcomeColumn = "form"
	// lastTerms end every matcher. A rule is noted as matched only when all
	// else holds (&& stops at the first false), and what it lacks is noted only
	// when it is about this role, class and entity.
	lastTerms = " && holds(r.caller, p.when, p.eft) && matched(r.caller, p.id)"
)

var (
	modelLine    = regexp.MustCompile(`^([a-z]) = (.+)$`)
	equalTerm    = regexp.MustCompile(`^r\.([a-z]+) == p\.([a-z]+)$`)
	functionTerm = regexp.MustCompile(`^([a-z_]+)\(((?:[rp]\.[a-z]+)(?:, [rp]\.[a-z]+)*)\)$`)
)

// parseModel reads model.conf and returns a function that makes a fresh Casbin
// model of it. It is stricter than Casbin, which ignores what it does not know
// and panics on some malformed definitions: four sections with one definition
// each, the columns that the code relies on, deny over allow, and a matcher
// that is a plain conjunction using every column.
func parseModel(text string) (func() (model.Model, error), error) {
	sections := []struct{ header, key string }{
		{"[request_definition]", "r"}, {"[policy_definition]", "p"},
		{"[policy_effect]", "e"}, {"[matchers]", "m"},
	}
	lines := modelLines(text)
	if len(lines) != 2*len(sections) {
		return nil, errors.New("four sections with one line each are wanted")
	}
	value := map[string]string{}
	for i, s := range sections {
		definition := modelLine.FindStringSubmatch(lines[2*i+1])
		if lines[2*i] != s.header || definition == nil || definition[1] != s.key {
			return nil, fmt.Errorf("section %s with a definition of %s is wanted here", s.header, s.key)
		}
		value[s.key] = definition[2]
	}
	if value["r"] != strings.Join(requestColumns, ", ") {
		return nil, fmt.Errorf("the request must have the columns %v", requestColumns)
	}
	if value["p"] != strings.Join(columns, ", ") {
		return nil, fmt.Errorf("a rule must have the columns %v", columns)
	}
	// Casbin compares the effect as text, with dots replaced.
	if strings.ReplaceAll(value["e"], "p.", "p_") != constant.AllowAndDenyEffect {
		return nil, errors.New("the effect must be: allowed by a rule and denied by none")
	}
	if err := checkMatcher(value["m"]); err != nil {
		return nil, fmt.Errorf("matcher: %w", err)
	}
	return func() (model.Model, error) {
		m := model.NewModel()
		for _, s := range sections {
			if !m.AddDef(s.key, s.key, value[s.key]) {
				return nil, fmt.Errorf("casbin refuses the definition of %s", s.key)
			}
		}
		return m, nil
	}, nil
}

// modelLines returns the lines that are not blank or comments.
func modelLines(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// checkMatcher refuses everything that could make a rule match although one of
// its columns does not: other operators, unknown functions, unused columns.
func checkMatcher(text string) error {
	used := map[string]bool{}
	use := func(name string) error {
		side, column, _ := strings.Cut(name, ".")
		known := columns
		if side == "r" {
			known = requestColumns
		}
		if !slices.Contains(known, column) {
			return fmt.Errorf("unknown column %s", name)
		}
		used[name] = true
		return nil
	}
	if !strings.HasSuffix(text, lastTerms) || strings.Count(text, "holds(") != 1 || strings.Count(text, "matched(") != 1 {
		return fmt.Errorf("it must end with%s, and name neither before", lastTerms)
	}
	for term := range strings.SplitSeq(text, " && ") {
		var names []string
		if m := equalTerm.FindStringSubmatch(term); m != nil {
			names = []string{"r." + m[1], "p." + m[2]}
		} else if m := functionTerm.FindStringSubmatch(term); m != nil {
			arity, ok := functionArity[m[1]]
			names = strings.Split(m[2], ", ")
			if !ok || arity != len(names) {
				return fmt.Errorf("unknown function or wrong number of arguments: %s", m[1])
			}
		} else {
			return errors.New("only a == b and known functions, joined by &&, are understood")
		}
		for _, name := range names {
			if err := use(name); err != nil {
				return err
			}
		}
	}
	for _, column := range requestColumns {
		if !used["r."+column] {
			return fmt.Errorf("r.%s is not used", column)
		}
	}
	for _, column := range columns {
		if column != outcomeColumn && !used["p."+column] {
			return fmt.Errorf("p.%s is not used", column)
		}
	}
	return nil
}
