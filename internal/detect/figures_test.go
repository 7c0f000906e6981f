package detect_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// ours maps the labels of the data sets to entities of this package.
var ours = map[string]string{
	"EMAIL": detect.EmailAddress, "EMAIL_ADDRESS": detect.EmailAddress,
	"PHONE": detect.PhoneNumber, "PHONE_NUMBER": detect.PhoneNumber, "PHONENUMBER": detect.PhoneNumber,
	"CREDIT_CARD": detect.CreditCard, "CREDITCARDNUMBER": detect.CreditCard,
	"IBAN": detect.IBANCode, "DE_IBAN": detect.IBANCode, "IBAN_CODE": detect.IBANCode,
	"SSN": detect.USSSN, "US_SSN": detect.USSSN,
	"IP_ADDRESS": detect.IPAddress,
}

// tally counts what was found, what was wanted, and what was both.
type tally struct{ found, wanted, right int }

func (t tally) precision() float64 { return float64(t.right) / float64(max(t.found, 1)) }
func (t tally) recall() float64    { return float64(t.right) / float64(max(t.wanted, 1)) }

// TestFiguresOnSyntheticTexts prints precision and recall per entity over the labelled synthetic texts. A finding is
// right if a label of its entity shares at least half of their union with it.
func TestFiguresOnSyntheticTexts(t *testing.T) {
	files := []string{
		"presidio_research.jsonl", "presidio_research_generated_large.jsonl", "presidio_research_generated_small.jsonl",
		"kiji_e2e.jsonl", "datafog_corpus.jsonl", "pasteguard.jsonl",
	}
	d := newDetector(t, detect.Options{})
	sums := map[string]tally{}
	exact := map[string]int{}
	for _, file := range files {
		for _, r := range readData(t, file) {
			measure(t, r, find(t, d, r.Text), sums, exact)
		}
	}
	type floor struct{ precision, recall float64 }
	floors := map[string]floor{
		detect.EmailAddress: {.98, .98}, detect.CreditCard: {.98, .98}, detect.IBANCode: {.98, .98},
		detect.USSSN: {.98, .98}, detect.IPAddress: {.98, .98}, detect.PhoneNumber: {.93, .87},
	}
	for _, e := range slices.Sorted(maps.Keys(floors)) {
		s := sums[e]
		t.Logf("%-14s P %.3f  R %.3f  found %d, wanted %d, right %d, to the byte %d",
			e, s.precision(), s.recall(), s.found, s.wanted, s.right, exact[e])
		if s.wanted == 0 || s.precision() < floors[e].precision || s.recall() < floors[e].recall {
			t.Errorf("%s: below the floor %v", e, floors[e])
		}
	}
}

func measure(t *testing.T, r record, spans []detect.Span, sums map[string]tally, exact map[string]int) {
	for _, l := range r.Spans {
		if e, ok := ours[l.Type]; ok {
			s := sums[e]
			s.wanted++
			sums[e] = s
			if !slices.ContainsFunc(spans, func(sp detect.Span) bool { return sp.Entity == e && alike(sp, l) }) {
				t.Logf("missed %s %s: %q in %q", r.ID, e, r.Text[l.Start:l.End], around(r.Text, l.Start, l.End))
			}
		}
	}
	for _, sp := range spans {
		if !slices.Contains(contacts, sp.Entity) {
			continue // measured elsewhere; here they can only take a value away
		}
		s := sums[sp.Entity]
		s.found++
		i := slices.IndexFunc(r.Spans, func(l label) bool { return ours[l.Type] == sp.Entity && alike(sp, l) })
		if i >= 0 {
			s.right++
			if r.Spans[i].Start == sp.Start && r.Spans[i].End == sp.End {
				exact[sp.Entity]++
			}
		} else {
			t.Logf("wrong %s %s %s: %q in %q", r.ID, sp.Entity, sp.Rule, r.Text[sp.Start:sp.End], around(r.Text, sp.Start, sp.End))
		}
		sums[sp.Entity] = s
	}
}

// alike says whether span and label share half of their union or more.
func alike(s detect.Span, l label) bool {
	both := min(s.End, l.End) - max(s.Start, l.Start)
	either := max(s.End, l.End) - min(s.Start, l.Start)
	return 2*both >= either
}

func around(text string, start, end int) string {
	return text[max(0, start-30):min(len(text), end+12)]
}

// TestFalseHitsInPrompts prints what is found per 100 kB of prompts that hold next to no personal data. Numbers in
// them are prices, dates and exercises: none of the checked number entities may be found.
func TestFalseHitsInPrompts(t *testing.T) {
	d := newDetector(t, detect.Options{})
	counts, size := map[string]int{}, 0
	for _, r := range append(readData(t, "fp_prompts.jsonl"), readData(t, "issue_negatives.jsonl")...) {
		size += len(r.Text)
		for _, s := range find(t, d, r.Text) {
			counts[s.Entity]++
		}
	}
	printRates(t, "prompts", counts, size)
	for _, e := range []string{detect.CreditCard, detect.USSSN, detect.IBANCode, detect.PrivateKey, detect.APIKey} {
		if counts[e] > 0 {
			t.Errorf("%d of %s", counts[e], e)
		}
	}
	if rate := per100kB(counts[detect.PhoneNumber], size); rate > 0.5 {
		t.Errorf("%.2f phone numbers per 100 kB", rate)
	}
}

// TestFalseHitsInCode prints what is found per 100 kB of the toolchain's own sources. They hold e-mail and IP addresses
// of authors and examples, so only the other entities have a bound.
func TestFalseHitsInCode(t *testing.T) {
	d := newDetector(t, detect.Options{})
	counts, size := map[string]int{}, 0
	//nolint:staticcheck // the tree of the toolchain that runs the test is what is wanted
	root := filepath.Join(runtime.GOROOT(), "src")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" || size > codeSample() {
			return err
		}
		code, err := os.ReadFile(path)
		if err != nil || len(code) > detect.DefaultMaxText {
			return err
		}
		size += len(code)
		for _, s := range find(t, d, string(code)) {
			counts[s.Entity]++
		}
		return nil
	})
	if err != nil || size == 0 {
		t.Skipf("no sources of the toolchain under %s: %v", root, err)
	}
	printRates(t, "code", counts, size)
	for e, most := range map[string]float64{detect.CreditCard: .02, detect.USSSN: .02, detect.IBANCode: .01, detect.PhoneNumber: .1, detect.APIKey: .02} {
		if rate := per100kB(counts[e], size); rate > most {
			t.Errorf("%s: %.3f per 100 kB, at most %.3f", e, rate, most)
		}
	}
}

// codeSample is how much code is read: enough for rates of 0.02 per 100 kB to mean something, and more on demand.
func codeSample() int {
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		return 100 << 20
	}
	return 10 << 20 / raceFactor
}

func per100kB(n, size int) float64 { return float64(n) * 1e5 / float64(size) }

func printRates(t *testing.T, what string, counts map[string]int, size int) {
	t.Helper()
	t.Logf("%s: %d bytes", what, size)
	for _, e := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-14s %5d  %.3f per 100 kB", e, counts[e], per100kB(counts[e], size))
	}
}
