package scenario

import (
	"slices"

	"github.com/counterfoil/counterfoil/bench/report"
)

// warmTenth of the samples, one in ten, are of the warm-up: caches and pools fill, and
// the garbage collector finds its pace.
const warmTenth = 10

// drift is how much a figure moved after its warm-up, as a share of what it was then: by
// the straight line that fits it best, and by the highest median of a tenth above that of
// the first. A leak shows in both; one that comes and goes shows in the second alone.
type drift struct{ fitted, highest float64 }

// driftOf needs some samples, in the order of time and evenly spread over it.
func driftOf(samples []float64) (drift, bool) {
	after := samples[len(samples)/warmTenth:]
	if len(after) < warmTenth {
		return drift{}, false
	}
	slope, start := fit(after)
	first := median(after[:len(after)/warmTenth])
	if start <= 0 || first <= 0 {
		return drift{}, false
	}
	d := drift{fitted: slope * float64(len(after)-1) / start}
	for i := range warmTenth {
		part := after[i*len(after)/warmTenth : (i+1)*len(after)/warmTenth]
		d.highest = max(d.highest, median(part)/first-1)
	}
	return d, true
}

// fit is the line of least squares through samples that are a step apart: its slope per
// step, and where it begins.
func fit(y []float64) (slope, start float64) {
	n := float64(len(y))
	var sumX, sumY, sumXX, sumXY float64
	for i, v := range y {
		x := float64(i)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+v, sumXX+x*x, sumXY+x*v
	}
	slope = (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
	return slope, (sumY - slope*sumX) / n
}

func median(values []float64) float64 { return report.Figure(slices.Clone(values)).Median() }
