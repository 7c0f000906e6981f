package access

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// maxOverlays is far more than the tenants of one installation that want rules of
// their own.
const maxOverlays = 2_000

// errWider is what an overlay is refused with: it may take away only.
var errWider = errors.New("an overlay may only narrow")

type overlaysFile struct {
	Version int                   `yaml:"version"`
	Tenants map[string]overlayDoc `yaml:"tenants"`
}

type overlayDoc struct {
	Reasons map[string]narrowDoc `yaml:"reasons"`
}

// narrowDoc is what a tenant says of one reason. What it leaves out stays.
type narrowDoc struct {
	Enabled   *bool         `yaml:"enabled"`
	Reference *narrowRefDoc `yaml:"reference"`
	Form      *Form         `yaml:"form"`
	Classes   []Class       `yaml:"classes"`
	Entities  []string      `yaml:"entities"`
	Places    []Place       `yaml:"places"`
	Tools     []string      `yaml:"tools"`
	Approvals map[Class]int `yaml:"approvals"`
	MFA       *bool         `yaml:"mfa"`
	ACR       []string      `yaml:"acr"`
	Hours     *hoursDoc     `yaml:"hours"`
	Networks  []string      `yaml:"networks"`
	Envs      []string      `yaml:"environments"`
	MaxTokens *int          `yaml:"max_tokens"`
	Budgets   []budgetDoc   `yaml:"budgets"`
	Notify    *bool         `yaml:"notify"`
	Review    *int          `yaml:"review_hours"`
}

type narrowRefDoc struct {
	Required *bool   `yaml:"required"`
	Pattern  *string `yaml:"pattern"`
}

// check returns the reasons as they are for each tenant that changes them.
func (f overlaysFile) check(reasons map[string]*Reason, entities map[string]Entity) (map[string]map[string]*Reason, error) {
	if f.Version != fileVersion {
		return nil, fmt.Errorf("version must be %d", fileVersion)
	}
	if len(f.Tenants) > maxOverlays {
		return nil, fmt.Errorf("more than %d tenants", maxOverlays)
	}
	out := make(map[string]map[string]*Reason, len(f.Tenants))
	for tenant, doc := range f.Tenants {
		if !tenantName.MatchString(tenant) {
			return nil, fmt.Errorf("tenants: %q must match %s", tenant, tenantName)
		}
		out[tenant] = make(map[string]*Reason, len(doc.Reasons))
		for code, narrow := range doc.Reasons {
			base, ok := reasons[code]
			if !ok {
				return nil, fmt.Errorf("%s: unknown reason %q", tenant, code)
			}
			r, err := narrow.reason(base, entities)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", tenant, code, err)
			}
			out[tenant][code] = r
		}
	}
	return out, nil
}

// reason is the base with what the overlay takes away; nil if that is all of it.
func (d narrowDoc) reason(base *Reason, entities map[string]Entity) (*Reason, error) {
	if d.Enabled != nil {
		if *d.Enabled {
			return nil, fmt.Errorf("enabled: %w: a reason that is not turned off needs no word", errWider)
		}
		return nil, nil
	}
	r := base.clone()
	for _, part := range []struct {
		field string
		apply func(*Reason) error
	}{
		{"reference", d.reference},
		{"form", d.form},
		{"classes", func(r *Reason) error { return subset(&r.Classes, d.Classes) }},
		{"entities", func(r *Reason) error { return d.entities(r, entities) }},
		{"places", d.places},
		{"approvals", func(r *Reason) (err error) { r.approvals, err = raised(r.approvals, d.Approvals); return err }},
		{"mfa", func(r *Reason) error { return stronger(&r.MFA, d.MFA) }},
		{"acr", d.acr},
		{"hours", d.hours},
		{"networks", d.networks},
		{"environments", d.environments},
		{"max_tokens", d.maxTokens},
		{"budgets", d.budgets},
		{"notify", func(r *Reason) error { return stronger(&r.Notify, d.Notify) }},
		{"review_hours", d.review},
	} {
		if err := part.apply(&r); err != nil {
			return nil, fmt.Errorf("%s: %w", part.field, err)
		}
	}
	return &r, nil
}

// reference may be another pattern, since tickets of tenants look different, and
// may become mandatory.
func (d narrowDoc) reference(r *Reason) error {
	if d.Reference == nil {
		return nil
	}
	if d.Reference.Pattern != nil {
		pattern, err := compileReference(*d.Reference.Pattern)
		if err != nil {
			return err
		}
		r.Reference.Pattern, r.Reference.pattern = *d.Reference.Pattern, pattern
	}
	return stronger(&r.Reference.Required, d.Reference.Required)
}

func (d narrowDoc) form(r *Reason) error {
	if d.Form == nil {
		return nil
	}
	if rank := d.Form.rank(); rank == 0 || rank > r.Form.rank() {
		return fmt.Errorf("%w: %q is unknown or fuller than %s", errWider, *d.Form, r.Form)
	}
	r.Form = *d.Form
	return nil
}

// entities are fewer, but what only looks like a token stays reachable: it is
// nobody's data, and texts would not come back as they were.
func (d narrowDoc) entities(r *Reason, known map[string]Entity) error {
	if d.Entities == nil {
		return nil
	}
	base := r.Entities
	if base == nil {
		base = slices.Sorted(maps.Keys(known))
	}
	fewer := slices.Clone(base)
	if err := subset(&fewer, d.Entities); err != nil {
		return err
	}
	if slices.Contains(base, EntityTokenLike) && !slices.Contains(fewer, EntityTokenLike) {
		fewer = append(slices.Clone(fewer), EntityTokenLike)
	}
	r.Entities = fewer
	return nil
}

// places and tools are one: without the place there are no tools.
func (d narrowDoc) places(r *Reason) error {
	if err := subset(&r.Places, d.Places); err != nil {
		return err
	}
	if !slices.Contains(r.Places, PlaceTool) {
		if d.Tools != nil {
			return errors.New("there are tools and no place for them")
		}
		r.Tools = nil
		return nil
	}
	if err := subset(&r.Tools, d.Tools); err != nil {
		return fmt.Errorf("tools: %w", err)
	}
	return nil
}

// acr, networks and environments: a reason that names none takes any, so that
// whatever an overlay names is fewer.
func (d narrowDoc) acr(r *Reason) error {
	given, err := acrs(d.ACR)
	if err != nil {
		return err
	}
	return anyOrSubset(&r.ACR, given)
}

func (d narrowDoc) environments(r *Reason) error {
	given, err := environments(d.Envs)
	if err != nil {
		return err
	}
	return anyOrSubset(&r.Environments, given)
}

func (d narrowDoc) networks(r *Reason) error {
	given, err := networks(d.Networks)
	if err != nil {
		return err
	}
	if d.Networks == nil {
		return nil
	}
	if len(given) == 0 {
		return fmt.Errorf("%w: an empty list would be any", errWider)
	}
	for _, n := range given {
		inside := func(base netip.Prefix) bool { return base.Bits() <= n.Bits() && base.Contains(n.Addr()) }
		if len(r.Networks) > 0 && !slices.ContainsFunc(r.Networks, inside) {
			return fmt.Errorf("%w: %s is in none of the networks of the reason", errWider, n)
		}
	}
	r.Networks = given
	return nil
}

func (d narrowDoc) hours(r *Reason) error {
	given, err := d.Hours.hours()
	if err != nil || given == nil {
		return err
	}
	if r.Hours != nil && !given.within(*r.Hours) {
		return fmt.Errorf("%w: %s is not within %s", errWider, given, r.Hours)
	}
	r.Hours = given
	return nil
}

func (d narrowDoc) maxTokens(r *Reason) error {
	if d.MaxTokens == nil {
		return nil
	}
	if *d.MaxTokens < 1 || *d.MaxTokens > r.MaxTokens {
		return fmt.Errorf("%w: 1 to %d", errWider, r.MaxTokens)
	}
	r.MaxTokens = *d.MaxTokens
	return nil
}

// budgets are added. One that counts what the reason counts already takes its
// place and must be smaller.
func (d narrowDoc) budgets(r *Reason) error {
	given, err := budgets(d.Budgets, r.Classes)
	if err != nil {
		return err
	}
	for _, b := range given {
		i := slices.IndexFunc(r.Budgets, b.countsAs)
		switch {
		case i < 0:
			r.Budgets = append(r.Budgets, b)
		case b.Tokens > r.Budgets[i].Tokens:
			return fmt.Errorf("%w: per %s no more than %d", errWider, b.Per, r.Budgets[i].Tokens)
		default:
			r.Budgets[i] = b
		}
	}
	return nil
}

// review may be due sooner, or be there at all.
func (d narrowDoc) review(r *Reason) error {
	if d.Review == nil {
		return nil
	}
	due, err := reviewTime(*d.Review)
	if err != nil {
		return err
	}
	if r.Review > 0 && (due == 0 || due > r.Review) {
		return fmt.Errorf("%w: 1 to %d", errWider, r.Review/time.Hour)
	}
	r.Review = due
	return nil
}

// stronger takes a demand that may become true and not false.
func stronger(base, given *bool) error {
	if given == nil {
		return nil
	}
	if *base && !*given {
		return fmt.Errorf("%w: the reason demands it", errWider)
	}
	*base = *given
	return nil
}

// subset takes a list that may leave out and not add. A list of nothing is
// refused: that is what enabled is for.
func subset[T comparable](base *[]T, given []T) error {
	if given == nil {
		return nil
	}
	if len(given) == 0 {
		return errors.New("it may not be empty")
	}
	for i, v := range given {
		if !slices.Contains(*base, v) || slices.Contains(given[:i], v) {
			return fmt.Errorf("%w: %v is repeated or none of the reason's", errWider, v)
		}
	}
	*base = given
	return nil
}

func anyOrSubset(base *[]string, given []string) error {
	switch {
	case given == nil:
		return nil
	case len(given) == 0:
		return fmt.Errorf("%w: an empty list would be any", errWider)
	case len(*base) == 0:
		*base = given
		return nil
	}
	return subset(base, given)
}
