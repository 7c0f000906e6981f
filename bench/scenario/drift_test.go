package scenario

import (
	"math"
	"testing"
)

// noisy is a level with a wobble that has no trend, and what grows upon it.
func noisy(n int, level float64, more func(i int) float64) []float64 {
	samples := make([]float64, n)
	for i := range samples {
		samples[i] = level + 3*math.Sin(float64(i)*1.7) + more(i)
	}
	return samples
}

func TestDrift(t *testing.T) {
	const n, level, bound = 360, 100, 0.05
	for _, test := range []struct {
		name            string
		more            func(i int) float64
		fitted, highest bool // whether it is beyond the bound
	}{
		{"nothing grows", func(int) float64 { return 0 }, false, false},
		{"only the warm-up", func(i int) float64 { return 50 * math.Exp(-float64(i)/6) }, false, false},
		{"a leak", func(i int) float64 { return float64(i) * 10 / n }, true, true},
		{"a leak that shrinks", func(i int) float64 { return -float64(i) * 10 / n }, false, false},
		{"a swelling", func(i int) float64 {
			if i > n/2 && i < n/2+n/8 {
				return 20
			}
			return 0
		}, false, true},
	} {
		d, ok := driftOf(noisy(n, level, test.more))
		if !ok || (d.fitted > bound) != test.fitted || (d.highest > bound) != test.highest {
			t.Errorf("%s: %+v, %v", test.name, d, ok)
		}
	}
	if _, ok := driftOf([]float64{1, 2, 3}); ok {
		t.Error("three samples say something")
	}
}

func TestFit(t *testing.T) {
	slope, start := fit([]float64{5, 7, 9, 11})
	if math.Abs(slope-2) > 1e-9 || math.Abs(start-5) > 1e-9 {
		t.Errorf("%v %v", slope, start)
	}
}
