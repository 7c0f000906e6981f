package detect_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// A reference is a regular expression of the standard library that goes over the whole text, with no trigger and no
// window, and a check that shares no code with the engine where there is another. Group 1 is the value. It takes only what
// stands by itself: what needs a word beside it is a matter of judgement and not of where one looks.
type reference struct {
	entity string
	shape  *regexp.Regexp
	valid  func(value string) bool
}

const (
	opens  = `(?:^|[\s<("'\[{=>;])`
	closes = `(?:$|[\s<>)"'\]};]|[.,!?:](?:\s|$))`
)

var references = []reference{
	{detect.EmailAddress, shape(`([A-Za-z0-9][\w.+-]{0,62}[A-Za-z0-9]@(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+(?:com|net|org|edu|gov|io|uk|de|fr|es))`), anything},
	{detect.IPAddress, shape(`((?:\d{1,3}\.){3}\d{1,3})`), func(v string) bool {
		a, err := netip.ParseAddr(v)
		return err == nil && slices.ContainsFunc(strings.Split(v, "."), func(o string) bool { return len(o) == 3 }) && a.Is4()
	}},
	{detect.IPAddress, shape(`([0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{10,}[0-9A-Fa-f])`), func(v string) bool {
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is6() && strings.ContainsAny(v, "0123456789")
	}},
	{detect.CreditCard, shape(`(4\d{15}|5[1-5]\d{14}|3[47]\d{13}|(?:4\d{3}|5[1-5]\d\d)(?:[ -]\d{4}){3})`), func(v string) bool {
		return detect.Luhn(onlyDigits(v))
	}},
	{detect.IBANCode, shape(`([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)`), func(v string) bool {
		v = strings.ReplaceAll(v, " ", "")
		format, known := detect.IBANFormats[v[:2]]
		return known && len(v) == detect.IBANLength(format) && detect.Mod97(v)
	}},
	{detect.USSSN, shape(`([1-8]\d\d-[0-8][1-9]-\d{3}[1-9])`), func(v string) bool { return v[:3] != "666" && v != "078-05-1120" && v != "219-09-9999" }},
	{detect.PhoneNumber, shape(`(\+\d{1,3}(?:[ -]?\(?\d{1,4}\)?){2,6})`), func(v string) bool {
		n, err := phonenumbers.Parse(v, "")
		return err == nil && phonenumbers.IsValidNumber(n)
	}},
}

func shape(s string) *regexp.Regexp { return regexp.MustCompile(opens + s + closes) }

func anything(string) bool { return true }

func onlyDigits(v string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, v)
}

// missedByWindows are the values of the references that no finding touches.
func missedByWindows(text string, spans []detect.Span) (missed []string, all int) {
	for _, ref := range references {
		for from := 0; from < len(text); {
			m := ref.shape.FindStringSubmatchIndex(text[from:])
			if m == nil {
				break
			}
			start, end := from+m[2], from+m[3]
			from = end
			if !ref.valid(text[start:end]) {
				continue
			}
			all++
			if !slices.ContainsFunc(spans, func(s detect.Span) bool { return s.Start < end && start < s.End }) {
				missed = append(missed, ref.entity+" "+text[max(0, start-40):min(len(text), end+10)])
			}
		}
	}
	return missed, all
}

// eachText calls f with every text of the data sets and with a part of the toolchain's sources.
func eachText(t *testing.T, f func(text string)) {
	for _, name := range []string{
		"presidio_research.jsonl", "presidio_research_generated_large.jsonl", "presidio_research_generated_small.jsonl",
		"kiji_e2e.jsonl", "datafog_corpus.jsonl", "pasteguard.jsonl", "fp_prompts.jsonl", "uner_ewt_dev.jsonl",
		"presidio_recognizers.jsonl", "btc.jsonl",
	} {
		for _, r := range readData(t, name) {
			f(r.Text)
		}
	}
	//nolint:staticcheck // the tree of the toolchain that runs the test is what is wanted
	files, err := filepath.Glob(filepath.Join(runtime.GOROOT(), "src", "net", "*", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal("no sources of the toolchain", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f(string(text))
	}
}

// TestWindowsLoseNothing compares the engine, which looks around triggers only, with expressions that go over the whole
// text: what they find, it finds.
func TestWindowsLoseNothing(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: contacts})
	var missed []string
	all := 0
	eachText(t, func(text string) {
		if len(text)%raceFactor != 0 {
			return // the race detector makes expressions slow and finds nothing in them
		}
		text, _ = detect.Folded(text, nil)
		m, n := missedByWindows(text, find(t, d, text))
		missed, all = append(missed, m...), all+n
	})
	t.Logf("%d values found by whole-text expressions, %d of them not by the engine", all, len(missed))
	for _, m := range missed {
		t.Errorf("missed %q", m)
	}
	if all < 900/raceFactor/2 {
		t.Errorf("only %d values to compare", all)
	}
}

// TestWindowsLoseNothing_TwinTooSmall gives the engine the bytes right around its triggers only: what it then loses is seen.
func TestWindowsLoseNothing_TwinTooSmall(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: contacts})
	missed := map[int]int{}
	for _, r := range readData(t, "kiji_e2e.jsonl") {
		text, _ := detect.Folded(r.Text, nil)
		for _, window := range []int{8, 256} {
			m, _ := missedByWindows(text, inWindows(t, d, text, window))
			missed[window] += len(m)
		}
	}
	if missed[8] < 10 || missed[256] > 0 {
		t.Errorf("missed by window size: %v", missed)
	}
}

// inWindows is what is found in the windows around '@', ':', '+' and the first digits of numbers.
func inWindows(t *testing.T, d *detect.Detector, text string, window int) []detect.Span {
	t.Helper()
	var all []detect.Span
	for i := range len(text) {
		digit := text[i] >= '0' && text[i] <= '9' && (i == 0 || text[i-1] < '0' || text[i-1] > '9')
		if !digit && strings.IndexByte("@:+", text[i]) < 0 {
			continue
		}
		from, to := max(0, i-window), min(len(text), i+window)
		spans, err := d.Find(context.Background(), strings.ToValidUTF8(text[from:to], "?"))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans {
			all = append(all, detect.Span{Start: s.Start + from, End: s.End + from, Entity: s.Entity})
		}
	}
	return all
}

// TestLongTextsAreAsShortOnes puts all texts into one, of many stretches of the pass, and finds the same in it as in each:
// no boundary of a stretch, nor a table before it, hides anything.
func TestLongTextsAreAsShortOnes(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: contacts})
	var long strings.Builder
	var want []detect.Span
	// Words that say nothing, more of them than a context reaches.
	const apart = "\n\nlorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt\n\n"
	for _, name := range []string{"presidio_research_generated_small.jsonl", "kiji_e2e.jsonl", "datafog_corpus.jsonl", "pasteguard.jsonl"} {
		for _, r := range readData(t, name) {
			for _, s := range find(t, d, r.Text) {
				s.Start += long.Len()
				s.End += long.Len()
				want = append(want, s)
			}
			long.WriteString(r.Text + apart)
		}
	}
	got := find(t, d, long.String())
	if len(want) < 200 || long.Len() < 4*detect.CheckEvery {
		t.Fatalf("%d spans in %d bytes to compare", len(want), long.Len())
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g detect.Span) bool { return g.Start == w.Start && g.End == w.End && g.Entity == w.Entity }) {
			t.Errorf("%s of %q is not found in the long text", w.Entity, long.String()[w.Start:w.End])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d spans, %d one by one", len(got), len(want))
	}
}
