package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// dataDir is the folder of labelled texts beside the repository.
const dataDir = "../../../../shared/data"

// TestReportIsFresh compares the figures of the committed report with a fresh run: whoever changes what is found
// writes the report anew, and the change of the figures is in the same commit. Speed is not compared.
func TestReportIsFresh(t *testing.T) {
	if _, err := os.Stat(filepath.Join(dataDir, "pii")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("labelled data not found: this test needs the folder shared/data beside the repository")
	}
	if raceEnabled {
		t.Skip("nothing here runs at once, and the race detector makes it ten times as long")
	}
	page, err := os.ReadFile("../EVAL.md")
	if err != nil {
		t.Fatal(err)
	}
	committed, _, ok := strings.Cut(string(page), speedHeading)
	if !ok {
		t.Fatalf("EVAL.md has no part %q", speedHeading)
	}
	f, err := measure(dataDir, goroot())
	if err != nil {
		t.Fatal(err)
	}
	fresh := f.markdown()
	if toolchain(committed) != toolchain(fresh) {
		t.Skipf("EVAL.md was written with %q, this is %q: figures of code differ", toolchain(committed), toolchain(fresh))
	}
	if diff := cmp.Diff(committed, fresh); diff != "" {
		t.Errorf("EVAL.md is not what `make eval` writes (-committed +fresh):\n%s", diff)
	}
}

// toolchain is the end of the line that names the Go sources.
func toolchain(page string) string {
	_, rest, _ := strings.Cut(page, "Go sources of ")
	version, _, _ := strings.Cut(rest, "\n")
	return version
}

func TestGold(t *testing.T) {
	const text = "Ann Lee, 12 Elm Road\n  Bonn, Paris, Rome and 53111 Bonn"
	at := func(value, kind string) label {
		i := strings.Index(text, value)
		return label{i, i + len(value), kind}
	}
	r := record{Text: text, Spans: []label{
		at("Ann", "FIRSTNAME"), at("Lee", "SURNAME"), at("12", "BUILDINGNUM"), at("Elm Road", "STREET"), at("Bonn", "GPE"),
		at("Rome", "GPE"), at("53111", "ZIP_CODE"), {len(text) - 4, len(text), "CITY"}, at("Elm", "TITLE"),
	}}
	whole := []label{at("Ann Lee", person), at("12 Elm Road\n  Bonn", location), at("Rome", location), at("53111 Bonn", location)}
	if diff := cmp.Diff(whole, gold(r, true)); diff != "" {
		t.Error(diff)
	}
	parts := []label{
		at("Ann Lee", person), at("12", location), at("Elm Road", location), at("Bonn", location), at("Rome", location),
		at("53111", location), {len(text) - 4, len(text), location},
	}
	if diff := cmp.Diff(parts, gold(r, false)); diff != "" {
		t.Error(diff)
	}
}

// A list of places is no address, whatever stands between.
func TestGoldKeepsPlacesApart(t *testing.T) {
	r := record{Text: "Bonn, Rome", Spans: []label{{0, 4, "GPE"}, {6, 10, "GPE"}}}
	if got := gold(r, true); len(got) != 2 {
		t.Error(got)
	}
}

// The counts of one text, by hand: a label found to the byte, one found half, one missed that something else covers in part,
// and a finding of something that is not there.
func TestScore(t *testing.T) {
	f := &figures{}
	sums := map[string]*tally{}
	r := record{ID: "r", Text: strings.Repeat("x", 60)}
	labels := []label{{0, 10, person}, {20, 30, person}, {40, 50, person}}
	spans := []detect.Span{
		{Start: 0, End: 10, Entity: person}, {Start: 20, End: 25, Entity: person},
		{Start: 40, End: 44, Entity: phone}, {Start: 55, End: 60, Entity: person},
	}
	f.score(sums, r, labels, spans)
	want := map[string]*tally{
		person: {wanted: 3, got: 2, found: 3, right: 2, exact: 1, chars: 30, covered: 19},
		phone:  {found: 1},
	}
	if diff := cmp.Diff(want, sums, cmp.AllowUnexported(tally{})); diff != "" {
		t.Error(diff)
	}
	if got := strings.Count(f.faults.String(), "\n"); got != 3 {
		t.Errorf("%d faults: %s", got, f.faults.String())
	}
	p := sums[person]
	for name, c := range map[string][2]float64{
		"precision": {p.precision(), 2. / 3}, "recall": {p.recall(), 2. / 3}, "F1": {p.f(1), 2. / 3},
		"nothing": {(&tally{}).f(1), 0}, "F2": {(&tally{wanted: 2, got: 2, found: 4, right: 2}).f(2), 5. / 6},
	} {
		if d := c[0] - c[1]; d > 1e-9 || d < -1e-9 {
			t.Errorf("%s: %v, want %v", name, c[0], c[1])
		}
	}
}

// Less than half of the union is not alike, on either side.
func TestAlike(t *testing.T) {
	l := label{10, 20, person}
	for s, want := range map[detect.Span]bool{
		{Start: 10, End: 20}: true, {Start: 10, End: 15}: true, {Start: 10, End: 14}: false, {Start: 5, End: 25}: true,
		{Start: 5, End: 26}: false, {Start: 20, End: 30}: false, {Start: 0, End: 5}: false,
	} {
		if alike(s, l) != want {
			t.Errorf("%v: %v", s, !want)
		}
	}
}

func TestConforms(t *testing.T) {
	r := record{Text: "é 12 34", ExpectedLen: 2, Positions: [][2]int{{2, 4}, {5, 7}}}
	at := func(spans ...[2]int) []detect.Span {
		var out []detect.Span
		for _, s := range spans {
			out = append(out, detect.Span{Start: s[0], End: s[1]})
		}
		return out
	}
	for name, c := range map[string]struct {
		spans []detect.Span
		want  bool
	}{
		"both":     {at([2]int{3, 5}, [2]int{6, 8}), true},
		"one":      {at([2]int{3, 5}), false},
		"too many": {at([2]int{3, 5}, [2]int{6, 8}, [2]int{0, 2}), false},
		"shifted":  {at([2]int{2, 5}, [2]int{6, 8}), false},
	} {
		if conforms(r, c.spans) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}

// The command fails where there is nothing to measure, and does not write a report then.
func TestRunWithoutData(t *testing.T) {
	out := filepath.Join(t.TempDir(), "EVAL.md")
	var printed bytes.Buffer
	if err := run([]string{"-data", t.TempDir(), "-out", out}, &printed); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) || printed.Len() > 0 {
		t.Error(err, printed.String())
	}
}
