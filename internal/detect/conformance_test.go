package detect_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// Floors of the cases of Presidio's own recogniser tests, over all entities of this package.
const (
	conformancePositives = 0.95
	conformanceNegatives = 0.97
)

// optInCases are entities whose cases are values that nobody wants taken out of every prompt: every date, every URL.
var optInCases = []string{"DATE_TIME", "URL"}

// share counts the cases of a kind, and those that pass.
type share struct{ pass, all int }

func (s share) rate() float64 { return float64(s.pass) / float64(max(s.all, 1)) }

func (s *share) count(ok bool) {
	s.all++
	if ok {
		s.pass++
	}
}

// TestConformanceRecognisers runs the cases of Presidio's recogniser tests with everything on at once that is on by
// default: a value that is reported as something else is lost. A positive case passes if exactly the expected positions are found,
// a negative one if nothing of its entity is. Weak cases are not counted: a detector at its default
// threshold should rather not emit them.
func TestConformanceRecognisers(t *testing.T) {
	known := detect.Entities()
	usual, everything := newDetector(t, detect.Options{}), newDetector(t, detect.Everything())
	positives, negatives := map[string]*share{}, map[string]*share{}
	for _, e := range known {
		positives[e], negatives[e] = &share{}, &share{}
	}
	for _, r := range readData(t, "presidio_recognizers.jsonl") {
		if r.Weak || !slices.Contains(known, r.Entity) {
			continue
		}
		d := usual
		if slices.Contains(optInCases, r.Entity) {
			d = everything
		}
		all := find(t, d, r.Text)
		ok := conforms(r, all)
		if !ok {
			t.Logf("%s: %q want %d %v, got %v", r.ID, r.Text, r.ExpectedLen, r.Positions, all)
		}
		if r.ExpectedLen > 0 {
			positives[r.Entity].count(ok)
		} else {
			negatives[r.Entity].count(ok)
		}
	}
	for _, e := range known {
		t.Logf("%-28s positives %d of %d, negatives %d of %d", e, positives[e].pass, positives[e].all, negatives[e].pass, negatives[e].all)
	}
	checkShare(t, "positives", positives, conformancePositives)
	checkShare(t, "negatives", negatives, conformanceNegatives)
}

func checkShare(t *testing.T, kind string, shares map[string]*share, floor float64) {
	t.Helper()
	var sum share
	for s := range maps.Values(shares) {
		sum.pass += s.pass
		sum.all += s.all
	}
	t.Logf("%s %.3f (%d of %d)", kind, sum.rate(), sum.pass, sum.all)
	if sum.all == 0 || sum.rate() < floor {
		t.Errorf("%s %.3f is below %.2f", kind, sum.rate(), floor)
	}
}

// conforms says whether a case's own entity is found at its positions and nowhere else.
func conforms(r record, all []detect.Span) bool {
	spans := slices.DeleteFunc(slices.Clone(all), func(s detect.Span) bool { return s.Entity != r.Entity })
	if len(spans) != r.ExpectedLen {
		return false
	}
	offsets := runeOffsets(r.Text)
	for i, p := range r.Positions {
		if spans[i].Start != offsets[p[0]] || spans[i].End != offsets[p[1]] {
			return false
		}
	}
	return true
}
