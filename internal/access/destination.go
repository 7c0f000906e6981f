package access

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// DefaultDestination is where a prompt goes whose request names none. It must
// exist and allows nothing.
const DefaultDestination = "default"

// Agreement is a business associate or data processing agreement. The zero
// value is none.
type Agreement struct {
	Ref       string
	ValidFrom time.Time // UTC midnight
	ValidTo   time.Time // exclusive
}

// InForce says whether there is an agreement at that time. One that has expired
// or is not valid yet is as good as none.
func (a Agreement) InForce(at time.Time) bool {
	return a.Ref != "" && !at.Before(a.ValidFrom) && at.Before(a.ValidTo)
}

// Destination is where a prompt goes.
type Destination struct {
	Name                string
	Vendor, Region      string
	BAA, DPA            Agreement
	Requires            []string // of "baa", "dpa": those without which nothing is allowed to go as it is
	Training            bool     // may the vendor train on it
	VendorRetentionDays int
	Payload             PayloadRules

	// Never written after Load, so that copies may share them.
	classes  map[Class]EntityAction
	entities map[string]EntityAction
}

// The agreements that a destination may require.
const (
	agreementBAA = "baa"
	agreementDPA = "dpa"
)

// Action is what is done to an entity on the way to the destination: what the
// destination says for the entity, else for its class, else the entity's own.
// An allow or a warn counts only while every agreement that the destination
// requires is in force, and is a tokenize at any other time.
func (d Destination) Action(e Entity, at time.Time) EntityAction {
	action := d.said(e)
	if action.InClear() && !d.covered(at) {
		return ActTokenize
	}
	return action
}

// said is what stands in the file.
func (d Destination) said(e Entity) EntityAction {
	if a, ok := d.entities[e.Name]; ok {
		return a
	}
	// A word about a whole class must not let a private key out, nor turn
	// what only looks like a token into something that does not come back.
	if a, ok := d.classes[e.Class]; ok && e.Action != ActBlock && e.Name != EntityTokenLike {
		return a
	}
	return e.Action
}

// covered says whether every agreement that is required is in force.
func (d Destination) covered(at time.Time) bool {
	for _, name := range d.Requires {
		agreement := d.DPA
		if name == agreementBAA {
			agreement = d.BAA
		}
		if !agreement.InForce(at) {
			return false
		}
	}
	return true
}

// destinationName admits vendor/region and nothing that needs escaping in a
// log line or a label.
var destinationName = regexp.MustCompile(`^[a-z0-9][a-z0-9._/-]{0,63}$`)

type destinationsFile struct {
	Version      int                       `yaml:"version"`
	Destinations map[string]destinationDoc `yaml:"destinations"`
}

type destinationDoc struct {
	Vendor              string        `yaml:"vendor"`
	Region              string        `yaml:"region"`
	BAA                 *agreementDoc `yaml:"baa"`
	DPA                 *agreementDoc `yaml:"dpa"`
	Requires            []string      `yaml:"requires"`
	Training            *bool         `yaml:"training"`
	VendorRetentionDays *int          `yaml:"vendor_retention_days"`
	Payload             PayloadRules  `yaml:"payload"`
	Actions             struct {
		Classes  map[Class]EntityAction  `yaml:"classes"`
		Entities map[string]EntityAction `yaml:"entities"`
	} `yaml:"actions"`
}

type agreementDoc struct {
	Ref       string `yaml:"ref"`
	ValidFrom string `yaml:"valid_from"`
	ValidTo   string `yaml:"valid_to"`
}

func (f destinationsFile) check(entities map[string]Entity) (map[string]Destination, error) {
	if f.Version != fileVersion {
		return nil, fmt.Errorf("version must be %d", fileVersion)
	}
	if len(f.Destinations) > maxDestinations {
		return nil, fmt.Errorf("more than %d destinations", maxDestinations)
	}
	out := make(map[string]Destination, len(f.Destinations))
	for name, doc := range f.Destinations {
		d, err := doc.destination(name, entities)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = d
	}
	fallback, ok := out[DefaultDestination]
	if !ok {
		return nil, fmt.Errorf("there is no destination %q", DefaultDestination)
	}
	for name, e := range entities {
		if fallback.said(e).InClear() {
			return nil, fmt.Errorf("%s: it may not allow %s", DefaultDestination, name)
		}
	}
	return out, nil
}

func (d destinationDoc) destination(name string, entities map[string]Entity) (Destination, error) {
	out := Destination{
		Name: name, Vendor: d.Vendor, Region: d.Region, Requires: d.Requires,
		classes: d.Actions.Classes, entities: d.Actions.Entities,
	}
	if !destinationName.MatchString(name) {
		return out, fmt.Errorf("the name must match %s", destinationName)
	}
	if d.Vendor == "" || d.Region == "" || d.Training == nil || d.VendorRetentionDays == nil {
		return out, fmt.Errorf("vendor, region, training and vendor_retention_days are required")
	}
	out.Training, out.VendorRetentionDays = *d.Training, *d.VendorRetentionDays
	if out.VendorRetentionDays < 0 || out.VendorRetentionDays > maxRetentionDays {
		return out, fmt.Errorf("vendor_retention_days must be 0 to %d", maxRetentionDays)
	}
	var err error
	if out.Payload, err = d.Payload.check(name); err != nil {
		return out, err
	}
	if out.BAA, err = d.BAA.agreement(); err != nil {
		return out, fmt.Errorf("baa: %w", err)
	}
	if out.DPA, err = d.DPA.agreement(); err != nil {
		return out, fmt.Errorf("dpa: %w", err)
	}
	return out, out.checkActions(entities)
}

func (d Destination) checkActions(entities map[string]Entity) error {
	for class, action := range d.classes {
		if _, ok := class.rank(); !ok {
			return fmt.Errorf("actions: unknown class %q", class)
		}
		if !slices.Contains(EntityActions(), action) {
			return fmt.Errorf("actions: %s: unknown action %q", class, action)
		}
	}
	for entity, action := range d.entities {
		if _, ok := entities[entity]; !ok {
			return fmt.Errorf("actions: unknown entity %q", entity)
		}
		if !slices.Contains(EntityActions(), action) {
			return fmt.Errorf("actions: %s: unknown action %q", entity, action)
		}
		if entity == EntityTokenLike && action != ActTokenize {
			return fmt.Errorf("actions: %s is always tokenized", entity)
		}
	}
	for i, name := range d.Requires {
		if name != agreementBAA && name != agreementDPA || slices.Contains(d.Requires[:i], name) {
			return fmt.Errorf("requires: unknown or repeated %q", name)
		}
	}
	for name, e := range entities {
		if d.said(e).InClear() && d.Requires == nil {
			return fmt.Errorf("requires must be given, be it empty, where %s is allowed", name)
		}
	}
	return nil
}

func (d *agreementDoc) agreement() (Agreement, error) {
	if d == nil {
		return Agreement{}, nil
	}
	if d.Ref == "" {
		return Agreement{}, fmt.Errorf("ref is required")
	}
	from, err := time.Parse(time.DateOnly, d.ValidFrom)
	if err != nil {
		return Agreement{}, fmt.Errorf("valid_from: %w", err)
	}
	to, err := time.Parse(time.DateOnly, d.ValidTo)
	if err != nil {
		return Agreement{}, fmt.Errorf("valid_to: %w", err)
	}
	if !to.After(from) {
		return Agreement{}, fmt.Errorf("valid_to must be after valid_from")
	}
	return Agreement{Ref: d.Ref, ValidFrom: from, ValidTo: to}, nil
}
