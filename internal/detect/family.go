package detect

import (
	"maps"
	"slices"
)

// family is a group of recognisers with the entities that they find. The families are the registry of the package:
// what is not in one of them is never looked for.
type family struct {
	// thresholds says from which score on a finding of an entity is reported. Rules are scored so that 0.5 divides what
	// stands by itself from what needs a context word.
	thresholds map[string]float64
	// optIn are the thresholds of those who ask for everything: entities that are not looked for otherwise (too common to
	// be taken out of every prompt), and lower thresholds of others, whose weaker rules count then.
	optIn       map[string]float64
	recognisers func() []recogniser
	// facts are the tables that decide what is found, for the version: anything that fmt prints the same way each time.
	facts []any
}

// families in the order in which their recognisers run at one trigger.
func families() []family {
	return []family{contactFamily(), secretFamily(), worldFamily(), thingsFamily(), europeFamily(), namesFamily()}
}

// Entities lists, in a fixed order, what a Detector can find, opt-in ones too.
func Entities() []string {
	return slices.Sorted(maps.Keys(Everything().Thresholds))
}

// Everything is the options of a Detector that finds all it can: also the entities, and by the weaker rules, that are
// left out unless they are asked for.
func Everything() Options {
	o := Options{Thresholds: defaults()}
	for _, f := range families() {
		maps.Copy(o.Thresholds, f.optIn)
	}
	o.Entities = slices.Sorted(maps.Keys(o.Thresholds))
	return o
}

// Defaults is the options that the zero value stands for, written out.
func Defaults() Options {
	o := Options{Thresholds: defaults()}
	o.Entities = slices.Sorted(maps.Keys(o.Thresholds))
	return o
}

// defaults are the thresholds of the entities that are looked for where nobody says otherwise.
func defaults() map[string]float64 {
	all := make(map[string]float64)
	for _, f := range families() {
		maps.Copy(all, f.thresholds)
	}
	return all
}

// shipped is every recogniser of the package.
func shipped() []recogniser {
	var all []recogniser
	for _, f := range families() {
		all = append(all, f.recognisers()...)
	}
	return all
}
