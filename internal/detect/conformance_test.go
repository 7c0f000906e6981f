package detect_test

import (
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// TestConformanceRecognisers runs the cases of Presidio's own recogniser tests for the entities of this package. A
// case passes if exactly the expected positions are found. Weak cases are not counted: a detector at its default
// threshold should rather not emit them.
func TestConformanceRecognisers(t *testing.T) {
	const floor = 0.95
	known := detect.Entities()
	type rate struct{ pass, all int }
	rates := map[string]*rate{}
	total := rate{}
	for _, r := range readData(t, "presidio_recognizers.jsonl") {
		if r.Weak || !slices.Contains(known, r.Entity) {
			continue
		}
		d := newDetector(t, detect.Options{Entities: []string{r.Entity}})
		kind := r.Entity + " negative"
		if r.ExpectedLen > 0 {
			kind = r.Entity + " positive"
		}
		if rates[kind] == nil {
			rates[kind] = &rate{}
		}
		rates[kind].all++
		total.all++
		spans := find(t, d, r.Text)
		if conforms(r, spans) {
			rates[kind].pass++
			total.pass++
		} else {
			t.Logf("%s: %q want %v, got %v", r.ID, r.Text, r.Positions, spans)
		}
	}
	for kind, n := range rates {
		t.Logf("%-28s %d of %d", kind, n.pass, n.all)
	}
	got := float64(total.pass) / float64(total.all)
	t.Logf("conformance %.3f (%d of %d)", got, total.pass, total.all)
	if got < floor {
		t.Errorf("conformance %.3f is below %.2f", got, floor)
	}
}

func conforms(r record, spans []detect.Span) bool {
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
