package report

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Figure is one number, measured once in each run.
type Figure []float64

// none stands for what is not a number.
const none = "–"

// Median of the runs; between the middle two, if they are even. Not a number, if there
// is none.
func (f Figure) Median() float64 {
	s := f.sorted()
	if len(s) == 0 {
		return math.NaN()
	}
	middle := len(s) / 2
	if len(s)%2 == 1 {
		return s[middle]
	}
	return (s[middle-1] + s[middle]) / 2
}

// Min is the least of the runs.
func (f Figure) Min() float64 {
	if s := f.sorted(); len(s) > 0 {
		return s[0]
	}
	return math.NaN()
}

// Max is the greatest of the runs.
func (f Figure) Max() float64 {
	if s := f.sorted(); len(s) > 0 {
		return s[len(s)-1]
	}
	return math.NaN()
}

// String is the median, with the least and the greatest in brackets: "1,230 (1,200–1,250)".
func (f Figure) String() string {
	if len(f.sorted()) < 2 {
		return number(f.Median())
	}
	return number(f.Median()) + " (" + number(f.Min()) + "–" + number(f.Max()) + ")"
}

// sorted are the runs that gave a number.
func (f Figure) sorted() []float64 {
	s := make([]float64, 0, len(f))
	for _, v := range f {
		if finite(v) {
			s = append(s, v)
		}
	}
	slices.Sort(s)
	return s
}

// Ratio is a to b, run by run: what else the machine did in a run met both. A run that
// only one of them has gives none.
func Ratio(a, b Figure) Figure {
	out := make(Figure, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i] // not finite if b is 0, and then left out of a median
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// digits that are told of a number.
const digits = 3

// number is v to three significant digits, without an exponent, thousands apart.
func number(v float64) string {
	if !finite(v) {
		return none
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return none // cannot be: it was just written as a number
	}
	s := strconv.FormatFloat(rounded, 'f', -1, 64)
	return thousands(s)
}

// thousands puts commas into the whole part of a decimal number.
func thousands(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// MarshalJSON has null for what is not a number, which JSON cannot write.
func (f Figure) MarshalJSON() ([]byte, error) { return marshal(f) }

// UnmarshalJSON reads null as what is not a number.
func (f *Figure) UnmarshalJSON(b []byte) (err error) {
	*f, err = unmarshal(b)
	return err
}

// MarshalJSON has null for what is not a number, which JSON cannot write.
func (p Points) MarshalJSON() ([]byte, error) { return marshal(p) }

// UnmarshalJSON reads null as what is not a number.
func (p *Points) UnmarshalJSON(b []byte) (err error) {
	*p, err = unmarshal(b)
	return err
}

func marshal(values []float64) ([]byte, error) {
	if values == nil {
		return []byte("null"), nil
	}
	out := make([]*float64, len(values))
	for i := range values {
		if finite(values[i]) {
			out[i] = &values[i]
		}
	}
	return json.Marshal(out)
}

func unmarshal(b []byte) ([]float64, error) {
	var in []*float64
	if err := json.Unmarshal(b, &in); err != nil || in == nil {
		return nil, err
	}
	values := make([]float64, len(in))
	for i, v := range in {
		values[i] = math.NaN()
		if v != nil {
			values[i] = *v
		}
	}
	return values, nil
}
