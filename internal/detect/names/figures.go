package names

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// measuredSet is labelled text that no model is trained on.
type measuredSet struct {
	name   string
	files  []string
	labels map[string]Class
}

// addressLabels are what the synthetic sets call the classes. They label the parts of an address one by one.
var addressLabels = map[string]Class{
	"PERSON": Person, "FIRSTNAME": Person, "SURNAME": Person, "ORGANIZATION": Organization,
	"LOCATION": Location, "GPE": Location, "STREET_ADDRESS": Location, "ADDRESS": Location, "ZIP_CODE": Location, "CITY": Location,
	"STATE": Location, "COUNTRY": Location, "STREET": Location, "BUILDINGNUM": Location, "ZIP": Location,
}

var measuredSets = []measuredSet{
	{"uner dev", []string{"uner_ewt_dev.jsonl"}, trainingLabels},
	{"presidio-research", []string{"presidio_research.jsonl", "presidio_research_generated_large.jsonl"}, addressLabels},
	{"wnut dev", []string{"wnut17_dev.jsonl"}, trainingLabels},
	{"other synthetic", []string{"kiji_e2e.jsonl", "datafog_corpus.jsonl", "pasteguard.jsonl"}, addressLabels},
}

// Tally counts findings of one class against labels. A finding is right if it shares at least half of the union with a
// label of its class, and exact if it is the label.
type Tally struct{ Wanted, Found, Right, Exact int }

// Precision is the share of findings that are right.
func (t Tally) Precision() float64 { return float64(t.Right) / max(1, float64(t.Found)) }

// Recall is the share of labels that were found.
func (t Tally) Recall() float64 { return float64(t.Right) / max(1, float64(t.Wanted)) }

// F1 is the harmonic mean of both.
func (t Tally) F1() float64 { return 2 * float64(t.Right) / max(1, float64(t.Wanted+t.Found)) }

func (t Tally) String() string {
	return fmt.Sprintf("P %.3f R %.3f F1 %.3f (exact %.3f)", t.Precision(), t.Recall(), t.F1(),
		2*float64(t.Exact)/max(1, float64(t.Wanted+t.Found)))
}

// Figures are those of a model on one set.
type Figures struct {
	Set    string
	Joined bool // labels with nothing but separators between them count as one
	By     [classes]Tally
}

// Measure says how well a model does, at a threshold of one half, on the sets of a folder that no model is trained on. Sets
// that are not there are left out.
func Measure(ctx context.Context, m *Model, dir string) ([]Figures, error) {
	var out []Figures
	for _, set := range measuredSets {
		texts, err := readMeasured(dir, set)
		if err != nil || len(texts) == 0 {
			return out, err
		}
		for _, joined := range []bool{false, true} {
			f := Figures{Set: set.name, Joined: joined}
			for _, l := range texts {
				if joined {
					l.spans = join(l.text, l.spans)
				}
				found, err := m.likely(ctx, l.text)
				if err != nil {
					return nil, err
				}
				compare(&f.By, l.spans, found)
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// WriteFigures prints them.
func WriteFigures(out io.Writer, figures []Figures) error {
	for _, f := range figures {
		how := "as labelled"
		if f.Joined {
			how = "parts joined"
		}
		if err := tell(out, "%-18s %-13s PERSON %v   LOCATION %v\n", f.Set, how, f.By[Person], f.By[Location]); err != nil {
			return err
		}
	}
	return nil
}

func readMeasured(dir string, set measuredSet) ([]labelled, error) {
	var texts []labelled
	for _, name := range set.files {
		some, err := readSet(filepath.Join(dir, name), set.labels)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		texts = append(texts, some...)
	}
	return texts, nil
}

// likely is Find as a list, without what is more likely wrong than right.
func (m *Model) likely(ctx context.Context, text string) ([]Finding, error) {
	var found []Finding
	err := m.Find(ctx, text, func(f Finding) {
		if f.Score >= 0.5 {
			found = append(found, f)
		}
	})
	return found, err
}

// join makes one label of the parts of an address, and of a first name and a surname.
func join(text string, spans []span) []span {
	spans = slices.SortedFunc(slices.Values(spans), func(a, b span) int { return a.start - b.start })
	var out []span
	for _, s := range spans {
		n := len(out) - 1
		if n >= 0 && s.class != Organization && out[n].class == s.class && s.start >= out[n].end && separates(text[out[n].end:s.start], s.class) {
			out[n].end = s.end
			continue
		}
		out = append(out, s)
	}
	return out
}

// maxSeparated is above what stands between two lines of an address, quoted ones too.
const maxSeparated = 12

func separates(s string, c Class) bool {
	if c == Person {
		return s == " "
	}
	return len(s) < maxSeparated && strings.Trim(s, " \t\r\n,?") == ""
}

func compare(sums *[classes]Tally, labels []span, found []Finding) {
	for _, s := range labels {
		sums[s.class].Wanted++
	}
	for _, f := range found {
		sums[f.Class].Found++
		i := slices.IndexFunc(labels, func(s span) bool { return alike(f, s) })
		if i < 0 {
			continue
		}
		sums[f.Class].Right++
		if labels[i].start == f.Start && labels[i].end == f.End {
			sums[f.Class].Exact++
		}
	}
}

// alike says whether finding and label share half of their union or more.
func alike(f Finding, s span) bool {
	both := min(f.End, s.end) - max(f.Start, s.start)
	either := max(f.End, s.end) - min(f.Start, s.start)
	return f.Class == s.class && 2*both >= either
}
