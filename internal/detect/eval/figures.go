package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/detect"
)

var (
	// synthetic are the sets with labelled values of the contact family.
	synthetic = []string{
		"presidio_research.jsonl", "presidio_research_generated_large.jsonl", "presidio_research_generated_small.jsonl",
		"kiji_e2e.jsonl", "datafog_corpus.jsonl", "pasteguard.jsonl",
	}
	// natural are the sets for names and places.
	natural = []struct {
		name  string
		files []string
	}{
		{"uner dev", []string{"uner_ewt_dev.jsonl"}},
		{"presidio-research", synthetic[:3]},
		{"wnut dev", []string{"wnut17_dev.jsonl"}},
	}
)

// figures is everything that the report says but the speed.
type figures struct {
	version   string // of the rules
	synthetic map[string]*tally
	optIn     map[string]*tally // synthetic, with everything on
	natural   []set
	prompts   rates
	code      rates
	conform   map[string]*conformance
	secrets   secrets
	faults    bytes.Buffer
}

// set is the tallies of one data set, with the parts of an address as one and one by one.
type set struct {
	name           string
	merged, single map[string]*tally
}

// rates counts findings in texts that hold next to no personal data.
type rates struct {
	size   int
	counts map[string]int
}

func (r rates) per100kB(entity string) float64 {
	return float64(r.counts[entity]) * 1e5 / float64(max(r.size, 1))
}

// measure runs everything.
func measure(data, code string) (*figures, error) {
	usual, err := detect.New(detect.Options{})
	if err != nil {
		return nil, err
	}
	everything, err := detect.New(detect.Everything())
	if err != nil {
		return nil, err
	}
	f := &figures{version: usual.Version()}
	for _, step := range []func() error{
		func() error { return f.measureSynthetic(data, usual, everything) },
		func() error { return f.measureNatural(data, usual) },
		func() error { return f.measurePrompts(data, usual) },
		func() error { return f.measureCode(code, usual) },
		func() error { return f.measureConformance(data, usual, everything) },
		func() error { return f.measureSecrets(data, usual) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *figures) measureSynthetic(data string, usual, everything *detect.Detector) error {
	records, err := readAll(data, synthetic)
	if err != nil {
		return err
	}
	if f.synthetic, err = f.over(records, usual, true); err != nil {
		return err
	}
	noted := f.faults.Len()
	f.optIn, err = f.over(records, everything, true)
	f.faults.Truncate(noted) // the faults of the usual detector are noted already
	return err
}

func (f *figures) over(records []record, d *detect.Detector, merge bool) (map[string]*tally, error) {
	sums := map[string]*tally{}
	for _, r := range records {
		spans, err := find(d, r)
		if err != nil {
			return nil, err
		}
		f.score(sums, r, gold(r, merge), spans)
	}
	return sums, nil
}

func (f *figures) measureNatural(data string, d *detect.Detector) error {
	for i, n := range natural {
		records, err := readAll(data, n.files)
		if err != nil {
			return err
		}
		s := set{name: n.name}
		noted := f.faults.Len()
		if s.single, err = f.over(records, d, false); err != nil {
			return err
		}
		f.faults.Truncate(noted)
		if s.merged, err = f.over(records, d, true); err != nil {
			return err
		}
		if i == 1 {
			f.faults.Truncate(noted) // a part of the synthetic texts
		}
		f.natural = append(f.natural, s)
	}
	return nil
}

func (f *figures) measurePrompts(data string, d *detect.Detector) error {
	records, err := readAll(data, []string{"fp_prompts.jsonl", "issue_negatives.jsonl"})
	if err != nil {
		return err
	}
	f.prompts = rates{counts: map[string]int{}}
	for _, r := range records {
		if err := f.count(&f.prompts, d, r); err != nil {
			return err
		}
	}
	return nil
}

func (f *figures) measureCode(root string, d *detect.Detector) error {
	f.code = rates{counts: map[string]int{}}
	err := eachSource(root, func(path, text string) error {
		return f.count(&f.code, d, record{ID: path, Text: text})
	})
	if err == nil && f.code.size == 0 {
		err = fmt.Errorf("no Go sources below %s", root)
	}
	return err
}

func (f *figures) count(to *rates, d *detect.Detector, r record) error {
	spans, err := find(d, r)
	if err != nil {
		return err
	}
	to.size += len(r.Text)
	for _, s := range spans {
		to.counts[s.Entity]++
		f.fault("hit", r, s.Start, s.End, s.Entity, s.Rule)
	}
	return nil
}

// conformance counts the cases of one entity.
type conformance struct {
	positives, found, foundAll int // foundAll: with everything on
	negatives, silent          int
	weak, quiet                int // weak positives, and those not reported at default thresholds
}

func (f *figures) measureConformance(data string, usual, everything *detect.Detector) error {
	records, err := read(data, "presidio_recognizers.jsonl")
	if err != nil {
		return err
	}
	f.conform = map[string]*conformance{}
	for _, r := range records {
		spans, err := of(usual, r)
		if err != nil {
			return err
		}
		all, err := of(everything, r)
		if err != nil {
			return err
		}
		if f.conform[r.Entity] == nil {
			f.conform[r.Entity] = &conformance{}
		}
		f.conform[r.Entity].add(r, spans, all)
		if !r.Weak && !conforms(r, spans) {
			f.fault("nonconforming", r, 0, len(r.Text), r.Entity, fmt.Sprint(r.Positions, spans))
		}
	}
	return nil
}

func (c *conformance) add(r record, spans, all []detect.Span) {
	switch {
	case r.ExpectedLen == 0:
		c.negatives++
		c.silent += one(len(spans) == 0)
	case r.Weak:
		c.weak++
		c.quiet += one(len(spans) == 0)
	default:
		c.positives++
		c.found += one(conforms(r, spans))
		c.foundAll += one(conforms(r, all))
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// of is what was found of the entity that a case is about.
func of(d *detect.Detector, r record) ([]detect.Span, error) {
	spans, err := find(d, r)
	return slices.DeleteFunc(spans, func(s detect.Span) bool { return s.Entity != r.Entity }), err
}

// conforms says whether every given position is found to the character, and no more than the case expects. Some
// cases give fewer positions than they expect.
func conforms(r record, spans []detect.Span) bool {
	if len(spans) > r.ExpectedLen || len(spans) == 0 && r.ExpectedLen > 0 {
		return false
	}
	offsets := make([]int, 0, len(r.Text)+1)
	for i := range r.Text {
		offsets = append(offsets, i)
	}
	offsets = append(offsets, len(r.Text))
	for _, p := range r.Positions {
		if !slices.ContainsFunc(spans, func(s detect.Span) bool { return s.Start == offsets[p[0]] && s.End == offsets[p[1]] }) {
			return false
		}
	}
	return true
}

// secrets counts gitleaks' samples: a sample is found if anything is reported in it that opens doors.
type secrets struct {
	positives, found    int
	negatives, reported int
	missed              map[string]int // positives that were not found, by gitleaks' rule
}

func (f *figures) measureSecrets(data string, d *detect.Detector) error {
	records, err := read(data, "gitleaks_secrets.jsonl.gz")
	if err != nil {
		return err
	}
	f.secrets.missed = map[string]int{}
	for _, r := range records {
		spans, err := find(d, r)
		if err != nil {
			return err
		}
		hit := slices.ContainsFunc(spans, func(s detect.Span) bool {
			return s.Entity == detect.APIKey || s.Entity == detect.PrivateKey || s.Entity == "PASSWORD"
		})
		switch {
		case r.Expected:
			f.secrets.positives++
			f.secrets.found += one(hit)
			if !hit {
				f.secrets.missed[r.Rule]++
			}
		default:
			f.secrets.negatives++
			f.secrets.reported += one(hit)
			if hit {
				f.fault("reported", r, 0, len(r.Text), r.Rule, fmt.Sprint(spans))
			}
		}
	}
	return nil
}
