package controls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ErrCatalogue is wrapped by every error of Load.
var ErrCatalogue = errors.New("controls: the catalogue is refused")

// A Frequency is how often a control is tried.
type Frequency string

// The frequencies.
const (
	Continuous Frequency = "continuous" // as often as the process looks
	Daily      Frequency = "daily"
	Weekly     Frequency = "weekly"
	Monthly    Frequency = "monthly"
	Quarterly  Frequency = "quarterly"
)

var frequencies = []Frequency{Continuous, Daily, Weekly, Monthly, Quarterly}

// A Control is a line of the catalogue.
type Control struct {
	ID        string    `yaml:"id"`
	Title     string    `yaml:"title"`
	Clauses   []string  `yaml:"clauses"`
	Query     string    `yaml:"query"`
	Frequency Frequency `yaml:"frequency"`
	// None is what it comes to where there is nothing to look at: pass, or
	// not_tested where it is empty.
	None Outcome `yaml:"none"`
	// NotCovered says what it cannot show.
	NotCovered string `yaml:"not_covered"`
}

// A Gap is a clause that no control is evidence for, and why.
type Gap struct {
	Clause string `yaml:"clause"`
	Reason string `yaml:"reason"`
}

// A Catalogue is the list of controls.
type Catalogue struct {
	Version    int       `yaml:"version"`
	Controls   []Control `yaml:"controls"`
	NotCovered []Gap     `yaml:"not_covered"`
}

const (
	catalogueVersion = 1
	// maxCatalogue is a hundred times what is shipped.
	maxCatalogue = 1 << 20
	// maxControls is more than anybody runs.
	maxControls = 500
	// maxText bounds a title or a reason: a paragraph.
	maxText = 1000
)

// controlID goes into the reference of an entry.
var controlID = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,31}$`)

// Load reads a catalogue and refuses what is not known in it: a key, a query, a
// clause, a frequency. Every clause of Clauses is covered or left out with a reason,
// and never both.
func Load(text []byte) (Catalogue, error) {
	c, err := load(text)
	if err != nil {
		return Catalogue{}, fmt.Errorf("%w: %w", ErrCatalogue, err)
	}
	return c, nil
}

func load(text []byte) (Catalogue, error) {
	var c Catalogue
	if len(text) > maxCatalogue {
		return c, fmt.Errorf("it is longer than %d bytes", maxCatalogue)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return c, err
	}
	if err := d.Decode(new(Catalogue)); !errors.Is(err, io.EOF) {
		return c, errors.New("it has a second document")
	}
	if c.Version != catalogueVersion {
		return c, fmt.Errorf("version: must be %d", catalogueVersion)
	}
	if len(c.Controls) > maxControls {
		return c, fmt.Errorf("it has more than %d controls", maxControls)
	}
	seen, covered := make(map[string]bool), make(map[string]bool)
	for i := range c.Controls {
		one := &c.Controls[i]
		if err := one.check(); err != nil {
			return c, fmt.Errorf("control %d: %w", i+1, err)
		}
		if seen[one.ID] {
			return c, fmt.Errorf("control %d: %s stands there twice", i+1, one.ID)
		}
		seen[one.ID] = true
		for _, clause := range one.Clauses {
			covered[clause] = true
		}
	}
	return c, c.checkClauses(covered)
}

func (c *Control) check() error {
	switch {
	case !controlID.MatchString(c.ID):
		return fmt.Errorf("id: must match %s", controlID)
	case queries[c.Query].make == nil:
		return fmt.Errorf("%s: query: %q is not a query", c.ID, c.Query)
	case !slices.Contains(frequencies, c.Frequency):
		return fmt.Errorf("%s: frequency: must be continuous, daily, weekly, monthly or quarterly", c.ID)
	case c.None != "" && c.None != Pass && c.None != NotTested:
		return fmt.Errorf("%s: none: must be pass or not_tested", c.ID)
	case len(c.Clauses) == 0:
		return fmt.Errorf("%s: clauses: it is evidence for nothing", c.ID)
	}
	for i, clause := range c.Clauses {
		if !slices.Contains(clauses, clause) {
			return fmt.Errorf("%s: clauses: %q is not in the list", c.ID, clause)
		}
		if slices.Contains(c.Clauses[:i], clause) {
			return fmt.Errorf("%s: clauses: %s stands there twice", c.ID, clause)
		}
	}
	return errors.Join(checkText(c.ID+": title", c.Title), checkText(c.ID+": not_covered", c.NotCovered))
}

func checkText(field, text string) error {
	if strings.TrimSpace(text) == "" || len(text) > maxText {
		return fmt.Errorf("%s: is required, at most %d bytes", field, maxText)
	}
	return nil
}

func (c *Catalogue) checkClauses(covered map[string]bool) error {
	left := make(map[string]bool)
	for i, gap := range c.NotCovered {
		if !slices.Contains(clauses, gap.Clause) {
			return fmt.Errorf("not_covered %d: %q is not in the list", i+1, gap.Clause)
		}
		if left[gap.Clause] || covered[gap.Clause] {
			return fmt.Errorf("not_covered %d: %s is covered, or stands there twice", i+1, gap.Clause)
		}
		left[gap.Clause] = true
		if err := checkText(gap.Clause+": reason", gap.Reason); err != nil {
			return err
		}
	}
	for _, clause := range clauses {
		if !covered[clause] && !left[clause] {
			return fmt.Errorf("%s is neither covered nor left out with a reason", clause)
		}
	}
	return nil
}
