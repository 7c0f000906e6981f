package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// tally counts labels and findings of one entity.
type tally struct {
	wanted, got  int // labels, and those of them that a finding is alike
	found, right int // findings, and those of them that a label is alike
	exact        int // findings that are a label to the byte
	chars        int // bytes of the labels
	covered      int // those of them within a finding of whatever entity
}

func (t tally) precision() float64 { return ratio(t.right, t.found) }
func (t tally) recall() float64    { return ratio(t.got, t.wanted) }

// f is the F measure in which recall weighs beta times as much as precision.
func (t tally) f(beta float64) float64 {
	p, r := t.precision(), t.recall()
	if p+r == 0 {
		return 0
	}
	return (1 + beta*beta) * p * r / (beta*beta*p + r)
}

func (t *tally) add(o tally) {
	t.wanted += o.wanted
	t.got += o.got
	t.found += o.found
	t.right += o.right
	t.exact += o.exact
	t.chars += o.chars
	t.covered += o.covered
}

func ratio(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// alike says whether two spans share half of their union or more.
func alike(s detect.Span, l label) bool {
	both := min(s.End, l.End) - max(s.Start, l.Start)
	either := max(s.End, l.End) - min(s.Start, l.Start)
	return 2*both >= either
}

// score adds what was found in one text to the tallies by entity, and what was not to the faults.
func (f *figures) score(sums map[string]*tally, r record, labels []label, spans []detect.Span) {
	for _, l := range labels {
		t := sum(sums, l.Type)
		t.wanted++
		t.chars += l.End - l.Start
		t.covered += covered(spans, l)
		if slices.ContainsFunc(spans, func(s detect.Span) bool { return s.Entity == l.Type && alike(s, l) }) {
			t.got++
		} else {
			f.fault("missed", r, l.Start, l.End, l.Type, "")
		}
	}
	for _, s := range spans {
		t := sum(sums, s.Entity)
		t.found++
		if slices.Contains(labels, label{s.Start, s.End, s.Entity}) {
			t.exact++
		}
		if slices.ContainsFunc(labels, func(l label) bool { return l.Type == s.Entity && alike(s, l) }) {
			t.right++
		} else {
			f.fault("wrong", r, s.Start, s.End, s.Entity, s.Rule)
		}
	}
}

// covered is how many bytes of a label lie within findings, which do not overlap.
func covered(spans []detect.Span, l label) int {
	n := 0
	for _, s := range spans {
		n += max(0, min(s.End, l.End)-max(s.Start, l.Start))
	}
	return n
}

func sum(sums map[string]*tally, entity string) *tally {
	if sums[entity] == nil {
		sums[entity] = &tally{}
	}
	return sums[entity]
}

// faultAround is how much of the text a fault shows on either side.
const faultAround = 40

// fault notes one miss or wrong finding for -v. The texts are public test data.
func (f *figures) fault(what string, r record, start, end int, entity, rule string) {
	from, to := max(0, start-faultAround), min(len(r.Text), end+faultAround)
	_, _ = fmt.Fprintf(&f.faults, "%s %s %s %s %q in %q\n", what, entity, r.ID, rule, r.Text[start:end], r.Text[from:to])
}

// find is Find on a text that must be detectable.
func find(d *detect.Detector, r record) ([]detect.Span, error) {
	spans, err := d.Find(context.Background(), r.Text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.ID, err)
	}
	return spans, nil
}
