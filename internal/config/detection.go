package config

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/analyzer"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// Detection says what is looked for in texts. Without it, what the program looks for
// by itself.
//
// An override is for some tenants. Where it says nothing of entities, thresholds or
// the analyzer, what stands above it holds; its patterns and lists come beside those.
type Detection struct {
	// Tenants are whom an override is for; the section itself has none.
	Tenants []string `yaml:"tenants"`
	// Entities are those that are looked for, by name; "default" stands for those of
	// the program and "all" for every one that it knows.
	Entities   []string           `yaml:"entities"`
	Thresholds map[string]float64 `yaml:"thresholds"`
	Patterns   []Pattern          `yaml:"patterns"`
	Deny       []DenyList         `yaml:"deny"`
	Allow      []AllowList        `yaml:"allow"`
	Analyzer   *Analyzer          `yaml:"analyzer"`
	Overrides  []Detection        `yaml:"overrides"`

	search  Search
	tenants map[string]Search
}

// Pattern is that of package detect, which see, as are the lists.
type Pattern struct {
	Name       string   `yaml:"name"`
	Entity     string   `yaml:"entity"`
	Expression string   `yaml:"expression"`
	Context    []string `yaml:"context"`
	Score      float64  `yaml:"score"`
}

// DenyList are phrases that are always found.
type DenyList struct {
	Name    string   `yaml:"name"`
	Entity  string   `yaml:"entity"`
	Phrases []string `yaml:"phrases"`
	// PhrasesFile has further ones, one in a line.
	PhrasesFile string `yaml:"phrases_file"`
	MatchCase   bool   `yaml:"match_case"`
}

// AllowList are phrases that are not reported.
type AllowList struct {
	Phrases     []string `yaml:"phrases"`
	PhrasesFile string   `yaml:"phrases_file"`
	Entities    []string `yaml:"entities"`
	IgnoreCase  bool     `yaml:"ignore_case"`
	EvenBlocked bool     `yaml:"even_blocked"`
}

// Analyzer is an analyzer outside, with the contract of Presidio; see package
// analyzer for what each field means.
type Analyzer struct {
	// None switches off, for an override, what stands above it.
	None       bool              `yaml:"none"`
	URL        string            `yaml:"url"`
	PlainHTTP  bool              `yaml:"plain_http"`
	CA         string            `yaml:"ca"`
	BearerFile string            `yaml:"bearer_file"`
	Languages  []string          `yaml:"languages"`
	Entities   []string          `yaml:"entities"`
	Map        map[string]string `yaml:"map"`
	MinScore   float64           `yaml:"min_score"`
	TimeoutMS  int64             `yaml:"timeout_ms"`
	// Optional lets texts pass that it could not look at. The answer and the log say so.
	Optional bool `yaml:"optional"`
}

// Search is how texts are searched, as Load found it. Of the analyzer, Known is
// left to whoever has the catalogue.
type Search struct {
	Options  detect.Options
	Analyzer *analyzer.Config // nil asks nobody
	Optional bool

	words  []string           // of Entities, as they were given
	stated map[string]float64 // the thresholds that were given
}

// Searches are how texts are searched: those of all tenants, and of those that have
// a search of their own.
func (d *Detection) Searches() (all Search, tenants map[string]Search) {
	if d == nil {
		return Search{}, nil
	}
	return d.search, d.tenants
}

// maxOverrides is above the number of tenants that one process is run for.
const maxOverrides = 1000

// detectionPaths are the settings of this file that name a file.
func (s *Serve) detectionPaths() []*string {
	if s.Detection == nil {
		return nil
	}
	paths := s.Detection.paths()
	for n := range s.Detection.Overrides {
		paths = append(paths, s.Detection.Overrides[n].paths()...)
	}
	return paths
}

func (d *Detection) paths() []*string {
	var paths []*string
	for n := range d.Deny {
		paths = append(paths, &d.Deny[n].PhrasesFile)
	}
	for n := range d.Allow {
		paths = append(paths, &d.Allow[n].PhrasesFile)
	}
	if d.Analyzer != nil {
		paths = append(paths, &d.Analyzer.CA, &d.Analyzer.BearerFile)
	}
	return paths
}

func (s *Serve) validateDetection(report func(path, rule string)) {
	const path = "detection"
	d := s.Detection
	if d == nil {
		return
	}
	if len(d.Tenants) > 0 {
		report(path+".tenants", "is for overrides: the section itself is for all")
	}
	if len(d.Overrides) > maxOverrides {
		report(path+".overrides", fmt.Sprintf("must be %d at most", maxOverrides))
		return
	}
	d.search = d.read(path, Search{}, report)
	d.tenants = make(map[string]Search)
	for n := range d.Overrides {
		o := &d.Overrides[n]
		place := fmt.Sprintf("%s.overrides[%d]", path, n)
		if len(o.Tenants) == 0 {
			report(place+".tenants", ruleRequired)
		}
		if len(o.Overrides) > 0 {
			report(place+".overrides", "cannot stand in an override")
		}
		search := o.read(place, d.search, report)
		for k, tenant := range o.Tenants {
			switch _, twice := d.tenants[tenant]; {
			case !s.spokenFor(tenant):
				report(fmt.Sprintf("%s.tenants[%d]", place, k), ruleSpokenFor)
			case twice:
				report(fmt.Sprintf("%s.tenants[%d]", place, k), "must stand in one override only")
			}
			d.tenants[tenant] = search
		}
	}
}

// read checks what a section or an override says, and puts it beside what stands above.
func (d *Detection) read(path string, above Search, report func(path, rule string)) Search {
	out := above
	d.readEntities(path, &out, report)
	own := d.custom(path, report)
	faults := own.Check()
	for _, fault := range faults {
		report(path+"."+fault.Place, fault.Rule)
	}
	out.Options.Custom = detect.Custom{
		Patterns: slices.Concat(above.Options.Custom.Patterns, own.Patterns),
		Deny:     slices.Concat(above.Options.Custom.Deny, own.Deny),
		Allow:    slices.Concat(above.Options.Custom.Allow, own.Allow),
	}
	if len(faults)+len(above.Options.Custom.Check()) == 0 {
		// Together they may still be too many, or have a name twice.
		for _, fault := range out.Options.Custom.Check() {
			report(path, "with what stands above: "+fault.Place+": "+fault.Rule)
		}
	}
	if d.Analyzer != nil {
		out.Analyzer, out.Optional = d.Analyzer.read(path+".analyzer", report), d.Analyzer.Optional
	}
	return out
}

// readEntities joins what is said here of entities and thresholds with what stands above it.
func (d *Detection) readEntities(path string, out *Search, report func(path, rule string)) {
	known := detect.Everything()
	if len(d.Entities) > 0 {
		out.words = d.Entities
	}
	out.Options.Entities, out.Options.Thresholds = nil, make(map[string]float64)
	for n, e := range out.words {
		switch {
		case e == "default":
			out.Options.Entities = append(out.Options.Entities, detect.DefaultEntities()...)
		case e == "all":
			out.Options.Entities = append(out.Options.Entities, known.Entities...)
			maps.Copy(out.Options.Thresholds, known.Thresholds)
		case !slices.Contains(known.Entities, e):
			report(fmt.Sprintf("%s.entities[%d]", path, n), "must be an entity that detection knows, default or all")
		default:
			out.Options.Entities = append(out.Options.Entities, e)
		}
	}
	slices.Sort(out.Options.Entities)
	out.Options.Entities = slices.Compact(out.Options.Entities)
	out.stated = maps.Clone(out.stated)
	for e, t := range d.Thresholds {
		if inRange := t > 0 && t <= 1; !inRange || !slices.Contains(known.Entities, e) {
			report(path+".thresholds", "must be of entities that detection knows, each over 0 and up to 1")
		}
		if out.stated == nil {
			out.stated = make(map[string]float64)
		}
		out.stated[e] = t
	}
	maps.Copy(out.Options.Thresholds, out.stated)
}

// custom reads the files of the lists, too.
func (d *Detection) custom(path string, report func(path, rule string)) detect.Custom {
	var c detect.Custom
	phrases := func(place string, given []string, file string) []string {
		if file == "" {
			return given
		}
		more, err := readPhrases(file)
		if err != nil {
			report(place+".phrases_file", err.Error())
		}
		return slices.Concat(given, more)
	}
	for _, p := range d.Patterns {
		c.Patterns = append(c.Patterns, detect.Pattern(p))
	}
	for n, l := range d.Deny {
		c.Deny = append(c.Deny, detect.DenyList{
			Name: l.Name, Entity: l.Entity, MatchCase: l.MatchCase,
			Phrases: phrases(fmt.Sprintf("%s.deny[%d]", path, n), l.Phrases, l.PhrasesFile),
		})
	}
	for n, l := range d.Allow {
		c.Allow = append(c.Allow, detect.AllowList{
			Entities: l.Entities, IgnoreCase: l.IgnoreCase, EvenBlocked: l.EvenBlocked,
			Phrases: phrases(fmt.Sprintf("%s.allow[%d]", path, n), l.Phrases, l.PhrasesFile),
		})
	}
	return c
}

// readPhrases reads lines that hold a phrase each. Empty ones do not count.
func readPhrases(path string) ([]string, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var phrases []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, MaxFileBytes+1)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			phrases = append(phrases, line)
		}
	}
	return phrases, lines.Err()
}

func (a *Analyzer) read(path string, report func(path, rule string)) *analyzer.Config {
	if a.None {
		if a.URL != "" {
			report(path+".none", "cannot go with url")
		}
		return nil
	}
	c := &analyzer.Config{
		URL: a.URL, PlainHTTP: a.PlainHTTP, Languages: a.Languages, Entities: a.Entities, Map: a.Map, MinScore: a.MinScore,
	}
	if a.TimeoutMS < 0 || a.TimeoutMS > analyzer.MaxTimeout.Milliseconds() {
		report(path+".timeout_ms", fmt.Sprintf("must be from 1 to %d", analyzer.MaxTimeout.Milliseconds()))
	} else {
		c.Timeout = time.Duration(a.TimeoutMS) * time.Millisecond
	}
	var err error
	if a.CA != "" {
		if c.Roots, err = readAuthorities(a.CA); err != nil {
			report(path+".ca", err.Error())
		}
	}
	if a.BearerFile != "" {
		if c.Bearer, err = ReadSecret(a.BearerFile); err != nil {
			report(path+".bearer_file", err.Error())
		} else if c.Bearer == "" {
			report(path+".bearer_file", "must hold a credential")
		}
	}
	checked := *c
	for _, to := range a.Map {
		checked.Known = append(checked.Known, to) // the catalogue is not known yet
	}
	for _, fault := range checked.Check() {
		field := fault.Field
		if field == "bearer" {
			field = "bearer_file"
		}
		report(path+"."+field, fault.Rule)
	}
	return c
}
