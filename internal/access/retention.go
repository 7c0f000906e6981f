package access

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

const (
	// maxRetentionRules is far more than people can review.
	maxRetentionRules = 500
	// minRequestsDays is how long requests of persons are kept at least after
	// they were closed: 24 months (11 CCR 7101).
	minRequestsDays = 730
)

// tenantName is what package authn accepts as the name of a tenant.
var tenantName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// scopeKinds are the kinds of scopes that a rule may select by.
var scopeKinds = []string{"conversation", "user", "case", "corpus"}

// ScopeKinds returns the closed list.
func ScopeKinds() []string { return slices.Clone(scopeKinds) }

// RetentionQuery says what a value is and where it goes: without Destinations to
// DefaultDestination. An empty Tenant or ScopeKind is selected only by rules that
// do not ask for one.
type RetentionQuery struct {
	Tenant, Entity, ScopeKind string
	Destinations              []string
}

// RetentionRule is how long at most something is kept. Empty fields do not
// select; of several that match the shortest counts.
type RetentionRule struct {
	Tenant, Class, Entity, Destination, ScopeKind string
	For                                           time.Duration
}

// Retention is how long a value may be kept at most: the shortest of what its
// entity has (its class's, where it has none of its own) and of all rules that
// match. Nothing that a rule says lengthens it. What is not in the catalogue is
// kept for no time.
func (p *Policy) Retention(q RetentionQuery) time.Duration {
	e, ok := p.entities[q.Entity]
	if !ok {
		return 0
	}
	if len(q.Destinations) == 0 {
		q.Destinations = []string{DefaultDestination}
	}
	out := e.Retention
	for _, r := range p.retention.rules {
		if r.matches(q, e) {
			out = min(out, r.For)
		}
	}
	return out
}

// RetentionRules returns what is in force for a tenant: what each class has, by
// its sensitivity, what entities have of their own, by name, and the rules that
// are for all tenants or for this one, as they stand in the file.
func (p *Policy) RetentionRules(tenant string) []RetentionRule {
	out := slices.Clone(p.retention.classes)
	for _, e := range p.Entities() {
		if rank, ok := e.Class.rank(); ok && e.Retention < p.retention.classes[rank].For {
			out = append(out, RetentionRule{Entity: e.Name, For: e.Retention})
		}
	}
	for _, r := range p.retention.rules {
		if r.Tenant == "" || r.Tenant == tenant {
			out = append(out, r)
		}
	}
	return out
}

// RequestsRetention is how long requests of persons are kept, with their notes,
// after they were closed.
func (p *Policy) RequestsRetention() time.Duration { return p.retention.requests }

// retention is retention.yaml, checked, with what the classes have.
type retention struct {
	classes  []RetentionRule // by rank
	rules    []RetentionRule
	requests time.Duration
	log      logRetention
}

func (r RetentionRule) matches(q RetentionQuery, e Entity) bool {
	return selects(r.Tenant, q.Tenant) && selects(r.Class, string(e.Class)) && selects(r.Entity, e.Name) &&
		(r.Destination == "" || slices.Contains(q.Destinations, r.Destination)) && selects(r.ScopeKind, q.ScopeKind)
}

func selects(wanted, given string) bool { return wanted == "" || wanted == given }

type retentionFile struct {
	Version int                `yaml:"version"`
	Rules   []retentionRuleDoc `yaml:"rules"`
	Records struct {
		RequestsDays int `yaml:"requests_days"`
	} `yaml:"records"`
	Log logRetention `yaml:"log"`
}

type retentionRuleDoc struct {
	Tenant      *string `yaml:"tenant"`
	Class       *Class  `yaml:"class"`
	Entity      *string `yaml:"entity"`
	Destination *string `yaml:"destination"`
	ScopeKind   *string `yaml:"scope_kind"`
	Days        *int    `yaml:"days"`
	Hours       *int    `yaml:"hours"`
}

func (f retentionFile) check(entities map[string]Entity, destinations map[string]Destination, classDays map[Class]int) (retention, error) {
	var out retention
	if f.Version != fileVersion {
		return out, fmt.Errorf("version must be %d", fileVersion)
	}
	if len(f.Rules) > maxRetentionRules {
		return out, fmt.Errorf("more than %d rules", maxRetentionRules)
	}
	if days := f.Records.RequestsDays; days < minRequestsDays || days > maxRetentionDays {
		return out, fmt.Errorf("records: requests_days must be %d to %d", minRequestsDays, maxRetentionDays)
	}
	out.requests = time.Duration(f.Records.RequestsDays) * day
	if err := f.Log.check(); err != nil {
		return out, err
	}
	out.log = f.Log
	for _, class := range Classes() {
		out.classes = append(out.classes, RetentionRule{Class: string(class), For: time.Duration(classDays[class]) * day})
	}
	for i, doc := range f.Rules {
		r, err := doc.rule(entities, destinations)
		if err != nil {
			return out, fmt.Errorf("rule %d: %w", i+1, err)
		}
		out.rules = append(out.rules, r)
	}
	return out, nil
}

func (d retentionRuleDoc) rule(entities map[string]Entity, destinations map[string]Destination) (RetentionRule, error) {
	var out RetentionRule
	err := errors.Join(
		selector(&out.Tenant, "tenant", d.Tenant, tenantName.MatchString),
		selector(&out.Class, "class", d.Class, func(name string) bool { _, ok := Class(name).rank(); return ok }),
		selector(&out.Entity, "entity", d.Entity, func(name string) bool { return has(entities, name) }),
		selector(&out.Destination, "destination", d.Destination, func(name string) bool { return has(destinations, name) }),
		selector(&out.ScopeKind, "scope_kind", d.ScopeKind, func(name string) bool { return slices.Contains(scopeKinds, name) }),
	)
	if err != nil {
		return out, err
	}
	if out == (RetentionRule{}) {
		return out, errors.New("it must select something")
	}
	if own := string(entities[out.Entity].Class); out.Class != "" && out.Entity != "" && out.Class != own {
		return out, fmt.Errorf("%s is of the class %s: the rule would never apply", out.Entity, own)
	}
	out.For, err = d.length()
	return out, err
}

// length reads days or hours.
func (d retentionRuleDoc) length() (time.Duration, error) {
	switch {
	case (d.Days == nil) == (d.Hours == nil):
		return 0, errors.New("days or hours is required, and not both")
	case d.Days != nil:
		if *d.Days < 1 || *d.Days > maxRetentionDays {
			return 0, fmt.Errorf("days must be 1 to %d", maxRetentionDays)
		}
		return time.Duration(*d.Days) * day, nil
	}
	if most := maxRetentionDays * 24; *d.Hours < 1 || *d.Hours > most {
		return 0, fmt.Errorf("hours must be 1 to %d", most)
	}
	return time.Duration(*d.Hours) * time.Hour, nil
}

// selector reads one name that a rule selects by. One that is given and empty
// is refused: it would select everything.
func selector[T ~string](into *string, field string, given *T, known func(string) bool) error {
	if given == nil {
		return nil
	}
	if *into = string(*given); *into == "" || !known(*into) {
		return fmt.Errorf("%s: unknown %q", field, *into)
	}
	return nil
}

func has[T any](catalogue map[string]T, name string) bool {
	_, ok := catalogue[name]
	return ok
}
