package access

import (
	"errors"
	"fmt"
	"slices"
)

// Separation is a rule of the separation of duties: whoever has the role has
// none of the others.
type Separation struct {
	ID        string
	Role      string
	NeverWith []string
	Because   string
}

// maxSeparations is more than there are pairs of roles.
const maxSeparations = 50

// Separate says whether the roles may be one caller's. Where they may not, it
// returns the id of the first rule of the file that says so.
func (p *Policy) Separate(roles []string) (rule string, ok bool) {
	for _, s := range p.separations {
		if slices.Contains(roles, s.Role) && slices.ContainsFunc(roles, s.excludes) {
			return s.ID, false
		}
	}
	return "", true
}

// Separations returns the rules, in the order of the file.
func (p *Policy) Separations() []Separation {
	out := slices.Clone(p.separations)
	for i := range out {
		out[i].NeverWith = slices.Clone(out[i].NeverWith)
	}
	return out
}

func (s Separation) excludes(role string) bool { return slices.Contains(s.NeverWith, role) }

type separationFile struct {
	Version int             `yaml:"version"`
	Rules   []separationDoc `yaml:"rules"`
}

type separationDoc struct {
	ID        string   `yaml:"id"`
	Role      string   `yaml:"role"`
	NeverWith []string `yaml:"never_with"`
	Because   string   `yaml:"because"`
}

func (f separationFile) check() ([]Separation, error) {
	if f.Version != fileVersion {
		return nil, fmt.Errorf("version must be %d", fileVersion)
	}
	if len(f.Rules) > maxSeparations {
		return nil, fmt.Errorf("more than %d rules", maxSeparations)
	}
	var out []Separation
	for i, doc := range f.Rules {
		if err := doc.check(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		if slices.ContainsFunc(out, func(s Separation) bool { return s.ID == doc.ID }) {
			return nil, fmt.Errorf("rule %d: the id %q is taken", i+1, doc.ID)
		}
		out = append(out, Separation(doc))
	}
	return out, nil
}

func (d separationDoc) check() error {
	if !ruleID.MatchString(d.ID) {
		return fmt.Errorf("the id must match %s", ruleID)
	}
	if d.Because == "" || len(d.NeverWith) == 0 {
		return errors.New("never_with and because are required")
	}
	for _, role := range append([]string{d.Role}, d.NeverWith...) {
		if !slices.Contains(Roles(), role) {
			return fmt.Errorf("unknown role %q", role)
		}
	}
	if slices.Contains(d.NeverWith, d.Role) {
		return fmt.Errorf("nobody could have the role %s", d.Role)
	}
	return nil
}
