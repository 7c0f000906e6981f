package httpapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// limitExtension names, in the document, the limit that a length stands for.
const limitExtension = "x-limit"

// translate makes places and rules of an error of the validator. Its own texts
// quote the value, so that none of them is used: what is said here comes from
// the schema and from known words.
func (a *api) translate(err error) error {
	if err == nil {
		return nil
	}
	t := translation{words: a.words}
	t.add("", err)
	e := vault.Errorf(vault.CodeInvalid, "the request breaks a rule")
	e.Violations, e.Limit = t.violations, t.limit
	return e
}

type translation struct {
	words      words
	violations []vault.Violation
	limit      string
}

// add walks what the validator found. parameter is the place where the error
// is one of a parameter.
func (t *translation) add(parameter string, err error) {
	// One more than is listed, so that the problem can say that there are more.
	if len(t.violations) > MaxViolations {
		return
	}
	var (
		many    openapi3.MultiError
		request *openapi3filter.RequestError
		schema  *openapi3.SchemaError
	)
	// The order matters: errors.As looks through a request error into the
	// schema error, and through many into the first.
	switch e := err.(type) { //nolint:errorlint // the chain itself is walked here
	case openapi3.MultiError:
		many = e
	case *openapi3filter.RequestError:
		request = e
	case *openapi3.SchemaError:
		schema = e
	}
	switch {
	case many != nil:
		for _, inner := range many {
			t.add(parameter, inner)
		}
	case request != nil && request.Parameter != nil:
		t.addParameter(request)
	case schema != nil:
		t.addSchema(parameter, schema)
	default:
		t.violations = append(t.violations, vault.Violation{Field: parameter, Rule: "cannot be read"})
	}
}

func (t *translation) addParameter(err *openapi3filter.RequestError) {
	place := err.Parameter.In + ":" + err.Parameter.Name
	var parse *openapi3filter.ParseError
	switch {
	case errors.As(err.Err, &parse):
		t.violations = append(t.violations, vault.Violation{Field: place, Rule: typeRule(err.Parameter.Schema.Value)})
	case errors.Is(err.Err, openapi3filter.ErrInvalidEmptyValue):
		t.violations = append(t.violations, vault.Violation{Field: place, Rule: "must not be empty"})
	case errors.Is(err.Err, openapi3filter.ErrInvalidRequired):
		t.violations = append(t.violations, vault.Violation{Field: place, Rule: "is required"})
	default:
		t.add(place, err.Err)
	}
}

func (t *translation) addSchema(parameter string, err *openapi3.SchemaError) {
	field := parameter
	if field == "" {
		field = t.words.pointer(err.JSONPointer())
	}
	if limit, ok := err.Schema.Extensions[limitExtension].(string); ok &&
		(err.SchemaField == "maxLength" || err.SchemaField == "maxItems") {
		t.limit = limit
	}
	t.violations = append(t.violations, vault.Violation{Field: field, Rule: ruleOf(err)})
}

// ruleOf says the rule that was broken, in words of ours and numbers of the
// schema.
func ruleOf(err *openapi3.SchemaError) string {
	s := err.Schema
	switch err.SchemaField {
	case "required":
		return "is required"
	case "properties":
		known := make(map[string]bool, len(s.Properties))
		for name := range s.Properties {
			known[name] = true
		}
		return "has a field that is not known" + listWords("; known are ", known)
	case "type":
		return typeRule(s)
	case "nullable":
		return "must not be null"
	case "enum":
		return enumRule(s)
	case "pattern":
		return "must match " + s.Pattern
	case "format":
		return "must be in the format " + s.Format
	case "minLength":
		return "must not be shorter than " + count(s.MinLength, "character")
	case "maxLength":
		return "must not be longer than " + count(*s.MaxLength, "character")
	case "minItems":
		return "must not have fewer than " + count(s.MinItems, "item")
	case "maxItems":
		return "must not have more than " + count(*s.MaxItems, "item")
	case "minimum":
		return fmt.Sprintf("must be at least %.0f", *s.Min)
	case "maximum":
		return fmt.Sprintf("must be at most %.0f", *s.Max)
	default:
		return "breaks a rule of the document"
	}
}

func count(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func typeRule(s *openapi3.Schema) string {
	if s == nil || s.Type == nil || len(*s.Type) == 0 {
		return "has the wrong type"
	}
	name := (*s.Type)[0]
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "must be an " + name
	}
	return "must be a " + name
}

func enumRule(s *openapi3.Schema) string {
	names := make([]string, 0, len(s.Enum))
	for _, v := range s.Enum {
		if name, ok := v.(string); ok {
			names = append(names, name)
		}
	}
	return "must be one of " + strings.Join(names, ", ")
}

func listWords(intro string, known map[string]bool) string {
	if len(known) == 0 {
		return ""
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return intro + strings.Join(names, ", ")
}
