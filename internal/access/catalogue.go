package access

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// maxTokens is what one restoration may ask for at most; it is also the
	// most values that a request may carry.
	maxTokens = 10_000
	// maxApprovals is more people than any request will find.
	maxApprovals = 9
	// maxPatternLength bounds the compiled size of a reference pattern.
	maxPatternLength = 256
	// maxReviewHours is a quarter of a year: a review later than that is none.
	maxReviewHours = 90 * 24
	// maxListed bounds lists of networks and authentication contexts.
	maxListed = 100
)

var (
	reasonCode  = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,63}$`)
	toolName    = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
	acrValue    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:/._#-]{0,127}$`)
	purposeName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	// consentBasis is what the legal basis of a reason says that rests on consent.
	consentBasis = regexp.MustCompile(`Art\. (?:6\(1\)\(a\)|9\(2\)\(a\))`)
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
	Form      Form          `yaml:"form"`
	Places    []Place       `yaml:"places"`
	Tools     []string      `yaml:"tools"`
	Approvals map[Class]int `yaml:"approvals"`
	MFA       *bool         `yaml:"mfa"`
	ACR       []string      `yaml:"acr"`
	Hours     *hoursDoc     `yaml:"hours"`
	Networks  []string      `yaml:"networks"`
	Envs      []string      `yaml:"environments"`
	MaxTokens int           `yaml:"max_tokens"`
	Budgets   []budgetDoc   `yaml:"budgets"`
	Notify    *bool         `yaml:"notify"`
	Review    *int          `yaml:"review_hours"`
	Consent   *string       `yaml:"consent"`
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
	if err := d.spelt(); err != nil {
		return nil, err
	}
	if d.MaxTokens < 1 || d.MaxTokens > maxTokens {
		return nil, fmt.Errorf("max_tokens must be 1 to %d", maxTokens)
	}
	if d.Form.rank() == 0 {
		return nil, fmt.Errorf("form: unknown %q", d.Form)
	}
	r := &Reason{
		Code: code, Description: d.Description, GDPR: d.LegalBasis.GDPR, HIPAA: d.LegalBasis.HIPAA,
		Form: d.Form, Classes: d.Classes, Places: d.Places, Tools: d.Tools, MFA: *d.MFA, MaxTokens: d.MaxTokens,
		Notify: *d.Notify, ReachesHeld: *d.Reaches.Held, ReachesRestricted: *d.Reaches.Restricted,
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
	if r.approvals, err = raised(r.approvals, d.Approvals); err != nil {
		return nil, fmt.Errorf("approvals: %w", err)
	}
	if r.Consent = *d.Consent; r.Consent != "" && !purposeName.MatchString(r.Consent) {
		return nil, fmt.Errorf("consent must be empty or match %s", purposeName)
	}
	if consentBasis.MatchString(r.GDPR) != (r.Consent != "") {
		return nil, errors.New("consent and a legal basis of Art. 6(1)(a) or Art. 9(2)(a) go together")
	}
	return r, d.circumstances(r)
}

// spelt says whether everything is given that widens or narrows access: a
// default that is wrong for one of the reasons would not be seen.
func (d reasonDoc) spelt() error {
	if d.Description == "" || d.LegalBasis.GDPR == "" || d.LegalBasis.HIPAA == "" {
		return errors.New("description and legal_basis (gdpr, hipaa) are required")
	}
	for field, missing := range map[string]bool{
		"reference.required": d.Reference.Required == nil,
		"form":               d.Form == "",
		"mfa":                d.MFA == nil,
		"acr":                d.ACR == nil,
		"networks":           d.Networks == nil,
		"environments":       d.Envs == nil,
		"budgets":            d.Budgets == nil,
		"notify":             d.Notify == nil,
		"review_hours":       d.Review == nil,
		"consent":            d.Consent == nil,
		"reaches.held":       d.Reaches.Held == nil,
		"reaches.restricted": d.Reaches.Restricted == nil,
	} {
		if missing {
			return fmt.Errorf("%s is required", field)
		}
	}
	return nil
}

// circumstances reads when, where from and how often the reason may be used, and
// what follows.
func (d reasonDoc) circumstances(r *Reason) error {
	var err error
	if r.ACR, err = acrs(d.ACR); err != nil {
		return fmt.Errorf("acr: %w", err)
	}
	if r.Hours, err = d.Hours.hours(); err != nil {
		return fmt.Errorf("hours: %w", err)
	}
	if r.Networks, err = networks(d.Networks); err != nil {
		return fmt.Errorf("networks: %w", err)
	}
	if r.Environments, err = environments(d.Envs); err != nil {
		return fmt.Errorf("environments: %w", err)
	}
	if r.Budgets, err = budgets(d.Budgets, r.Classes); err != nil {
		return fmt.Errorf("budgets: %w", err)
	}
	if r.Review, err = reviewTime(*d.Review); err != nil {
		return fmt.Errorf("review_hours: %w", err)
	}
	return nil
}

// raised returns the approvals with those that are given, none of which may be
// fewer.
func raised(base [classCount]int, given map[Class]int) ([classCount]int, error) {
	for class, n := range given {
		rank, ok := class.rank()
		if !ok || n > maxApprovals {
			return base, fmt.Errorf("%q must be a class with 0 to %d", class, maxApprovals)
		}
		if n < base[rank] {
			return base, fmt.Errorf("%s: fewer than %d", class, base[rank])
		}
		base[rank] = n
	}
	return base, nil
}

func acrs(given []string) ([]string, error) {
	if len(given) > maxListed {
		return nil, fmt.Errorf("more than %d", maxListed)
	}
	for i, value := range given {
		if !acrValue.MatchString(value) || slices.Contains(given[:i], value) {
			return nil, fmt.Errorf("malformed or repeated %q", value)
		}
	}
	return given, nil
}

func networks(given []string) ([]netip.Prefix, error) {
	if len(given) > maxListed {
		return nil, fmt.Errorf("more than %d", maxListed)
	}
	var out []netip.Prefix
	for _, text := range given {
		n, err := netip.ParsePrefix(text)
		// An address inside of a network is a slip, and so is a network of IPv4
		// addresses inside IPv6, which no address is held against.
		if err != nil || n != n.Masked() || n.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is not the CIDR of a network", text)
		}
		if slices.Contains(out, n) {
			return nil, fmt.Errorf("repeated %q", text)
		}
		out = append(out, n)
	}
	return out, nil
}

func environments(given []string) ([]string, error) {
	for i, name := range given {
		if !slices.Contains(knownEnvironments, name) || slices.Contains(given[:i], name) {
			return nil, fmt.Errorf("unknown or repeated %q", name)
		}
	}
	return given, nil
}

func reviewTime(hours int) (time.Duration, error) {
	if hours < 0 || hours > maxReviewHours {
		return 0, fmt.Errorf("it must be 0 to %d", maxReviewHours)
	}
	return time.Duration(hours) * time.Hour, nil
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
