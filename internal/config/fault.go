package config

import (
	"errors"
	"strings"
)

// ErrRefused is every refusal of a configuration.
var ErrRefused = errors.New("config: refused")

// Fault is a rule that a setting breaks.
type Fault struct{ Path, Rule string }

func (f Fault) String() string {
	if f.Path == "" {
		return f.Rule
	}
	return f.Path + ": " + f.Rule
}

// Faults are all that was found in one file.
type Faults []Fault

// Error has a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for n, fault := range f {
		lines[n] = fault.String()
	}
	return ErrRefused.Error() + ":\n  " + strings.Join(lines, "\n  ")
}

// Unwrap makes Faults an ErrRefused.
func (f Faults) Unwrap() error { return ErrRefused }

// report adds a fault. The first at a path explains those that follow there.
func (f *Faults) report(path, rule string) {
	for _, known := range *f {
		if known.Path == path {
			return
		}
	}
	*f = append(*f, Fault{path, rule})
}
