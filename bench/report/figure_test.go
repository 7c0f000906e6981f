package report_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var nan, inf = math.NaN(), math.Inf(1)

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		figure           report.Figure
		median, low, top float64
		text             string
	}{
		{nil, nan, nan, nan, "–"},
		{report.Figure{nan}, nan, nan, nan, "–"},
		{report.Figure{0.8512}, 0.8512, 0.8512, 0.8512, "0.851"},
		{report.Figure{3, 1, 2}, 2, 1, 3, "2 (1–3)"},
		{report.Figure{1, 2}, 1.5, 1, 2, "1.5 (1–2)"},
		{report.Figure{6634, 6512.4, nan, 6988}, 6634, 6512.4, 6988, "6,630 (6,510–6,990)"},
		{report.Figure{inf, 2, -inf}, 2, 2, 2, "2"},
	} {
		got := []float64{c.figure.Median(), c.figure.Min(), c.figure.Max()}
		if diff := cmp.Diff([]float64{c.median, c.low, c.top}, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%v: median, min, max (-want +got):\n%s", c.figure, diff)
		}
		if s := c.figure.String(); s != c.text {
			t.Errorf("%v is written %q, want %q", c.figure, s, c.text)
		}
	}
}

func TestFigureIsNotSortedInPlace(t *testing.T) {
	// The runs of two figures belong together by their place.
	f := report.Figure{3, 1, 2}
	f.Median()
	if !slices.Equal(f, report.Figure{3, 1, 2}) {
		t.Errorf("%v", f)
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 0.00012345: "0.000123", 0.9996: "1", 12.345: "12.3", 123.45: "123", 999.5: "1,000",
		1234: "1,230", 1234567: "1,230,000", 35_000: "35,000", -1234.5: "-1,230", 1e7: "10,000,000", 0.1: "0.1",
		nan: "–", inf: "–",
	} {
		if got := report.Number(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}

func TestRatioIsTakenRunByRun(t *testing.T) {
	got := report.Ratio(report.Figure{50, 30, 80, 1}, report.Figure{100, 40, 0})
	// The median of the ratios; of the medians it would be 50 to 40.
	if got.Median() != 0.625 || len(got) != 3 || got.Min() != 0.5 || got.Max() != 0.75 {
		t.Errorf("%v", got)
	}
	if none := report.Ratio(nil, report.Figure{1}); !math.IsNaN(none.Median()) {
		t.Errorf("%v", none)
	}
}

func TestFigureRoundTripsThroughJSON(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{nan, 0}))
	rapid.Check(t, func(t *rapid.T) {
		in := report.Figure(rapid.SliceOf(number).Draw(t, "runs"))
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out report.Figure
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-in +out):\n%s", b, diff)
		}
	})
	if b, err := json.Marshal(report.Points{1, inf}); string(b) != "[1,null]" || err != nil {
		t.Errorf("%s, %v", b, err)
	}
	var f report.Figure
	if err := json.Unmarshal([]byte(`["1"]`), &f); err == nil {
		t.Error("a text was read as a number")
	}
}
