package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxTokens is what one restoration may ask for at most; it is also the
	// most values that a request may carry.
	maxTokens = 10_000
	// maxApprovals is more people than any request will find.
	maxApprovals = 9
	// maxPatternLength bounds the compiled size of a reference pattern.
	maxPatternLength = 256
)

var (
	reasonCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,63}$`)
	toolName   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
)

type reasonsFile struct {
	Version int                  `yaml:"version"`
	Reasons map[string]reasonDoc `yaml:"reasons"`
}

type reasonDoc struct {
	Description string `yaml:"description"`
	LegalBasis  struct {
		GDPR  string `yaml:"gdpr"`
		HIPAA string `yaml:"hipaa"`
	} `yaml:"legal_basis"`
	Reference struct {
		Required *bool  `yaml:"required"`
		Pattern  string `yaml:"pattern"`
	} `yaml:"reference"`
	Classes   []Class       `yaml:"classes"`
	Entities  []string      `yaml:"entities"`
	Places    []Place       `yaml:"places"`
	Tools     []string      `yaml:"tools"`
	Approvals map[Class]int `yaml:"approvals"`
	MFA       *bool         `yaml:"mfa"`
	MaxTokens int           `yaml:"max_tokens"`
	Reaches   struct {
		Held       *bool `yaml:"held"`
		Restricted *bool `yaml:"restricted"`
	} `yaml:"reaches"`
}

func (f reasonsFile) check(entities map[string]Entity) (map[string]*Reason, error) {
	if f.Version < 1 {
		return nil, fmt.Errorf("the catalogue needs a version")
	}
	if len(f.Reasons) == 0 || len(f.Reasons) > maxReasons {
		return nil, fmt.Errorf("there must be 1 to %d reasons", maxReasons)
	}
	out := make(map[string]*Reason, len(f.Reasons))
	for code, doc := range f.Reasons {
		if !reasonCode.MatchString(code) {
			return nil, fmt.Errorf("the code %q must match %s", code, reasonCode)
		}
		r, err := doc.reason(code, entities)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", code, err)
		}
		out[code] = r
	}
	return out, nil
}

func (d reasonDoc) reason(code string, entities map[string]Entity) (*Reason, error) {
	// What widens or narrows access is spelt out in each reason: a default
	// that is wrong for one of them would not be seen.
	if d.Description == "" || d.LegalBasis.GDPR == "" || d.LegalBasis.HIPAA == "" {
		return nil, fmt.Errorf("description and legal_basis (gdpr, hipaa) are required")
	}
	if d.Reference.Required == nil || d.MFA == nil || d.Reaches.Held == nil || d.Reaches.Restricted == nil {
		return nil, fmt.Errorf("reference.required, mfa, reaches.held and reaches.restricted are required")
	}
	if d.MaxTokens < 1 || d.MaxTokens > maxTokens {
		return nil, fmt.Errorf("max_tokens must be 1 to %d", maxTokens)
	}
	r := &Reason{
		Code: code, Description: d.Description, GDPR: d.LegalBasis.GDPR, HIPAA: d.LegalBasis.HIPAA,
		Classes: d.Classes, Places: d.Places, Tools: d.Tools, MFA: *d.MFA, MaxTokens: d.MaxTokens,
		ReachesHeld: *d.Reaches.Held, ReachesRestricted: *d.Reaches.Restricted,
	}
	pattern, err := compileReference(d.Reference.Pattern)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	r.Reference = Reference{Required: *d.Reference.Required, Pattern: d.Reference.Pattern, pattern: pattern}
	if r.Entities, err = checkReach(d, entities); err != nil {
		return nil, err
	}
	if len(d.Approvals) != classCount {
		return nil, fmt.Errorf("approvals must give each of the %d classes", classCount)
	}
	for class, n := range d.Approvals {
		rank, ok := class.rank()
		if !ok || n < 0 || n > maxApprovals {
			return nil, fmt.Errorf("approvals: %q must be a class with 0 to %d", class, maxApprovals)
		}
		r.approvals[rank] = n
	}
	return r, nil
}

// compileReference takes a pattern that is anchored as people read it, and
// anchors it once more around the whole, since ^a|b$ is anchored in part only.
func compileReference(text string) (*regexp.Regexp, error) {
	if len(text) > maxPatternLength || !strings.HasPrefix(text, "^") || !strings.HasSuffix(text, "$") {
		return nil, fmt.Errorf("the pattern must start with ^, end with $ and have at most %d bytes", maxPatternLength)
	}
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("the pattern does not compile: %w", err)
	}
	return re, nil
}

// checkReach checks the lists of a reason and returns its entities, nil for all.
func checkReach(d reasonDoc, known map[string]Entity) ([]string, error) {
	if len(d.Classes) == 0 || len(d.Entities) == 0 || len(d.Places) == 0 {
		return nil, fmt.Errorf("classes, entities and places may not be empty")
	}
	for _, c := range d.Classes {
		if _, ok := c.rank(); !ok {
			return nil, fmt.Errorf("unknown class %q", c)
		}
	}
	for _, place := range d.Places {
		if !slices.Contains(Places(), place) {
			return nil, fmt.Errorf("unknown place %q", place)
		}
	}
	if slices.Contains(d.Places, PlaceTool) != (len(d.Tools) > 0) {
		return nil, fmt.Errorf("the place tool and a list of tools go together")
	}
	for _, tool := range d.Tools {
		if !toolName.MatchString(tool) {
			return nil, fmt.Errorf("tool names must match %s", toolName)
		}
	}
	if len(d.Entities) == 1 && d.Entities[0] == everyEntity {
		return nil, nil
	}
	for _, e := range d.Entities {
		if _, ok := known[e]; !ok {
			return nil, fmt.Errorf("unknown entity %q", e)
		}
	}
	return d.Entities, nil
}
