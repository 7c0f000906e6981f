package names_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect/names"
)

// checkFindings says what no text may bring about.
func checkFindings(tb testing.TB, m *names.Model, text string) {
	tb.Helper()
	for _, f := range find(tb, m, text) {
		if f.Start < 0 || f.Start >= f.End || f.End > len(text) || !(f.Score > 0 && f.Score <= 1) || f.Rule == "" {
			tb.Fatalf("impossible finding %+v in a text of %d bytes", f, len(text))
		}
		if strings.Contains(text[f.Start:f.End], "\x00") {
			tb.Fatalf("%+v reaches across a barrier", f)
		}
		if utf8.ValidString(text) && !utf8.ValidString(text[f.Start:f.End]) {
			tb.Fatalf("%+v cuts a character", f)
		}
	}
}

func FuzzFind(f *testing.F) {
	added := 0
	for _, marked := range golden {
		text, _ := parse(marked)
		f.Add(text)
		added++
	}
	for _, text := range []string{"", "\x00", "John\x00Smith", "\xff\xfeJohn", "Mr. \x00", "12 Main\x00Street", "#", "@", "’s", "a’s", "#\U0001f600", "www.", "://", "1\u0308", "corner of a and b"} {
		f.Add(text)
		added++
	}
	if added == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, text string) { checkFindings(t, names.Default(), text) })
}

func TestFindingsOfAnyText(t *testing.T) {
	words := []string{"John", "Smith", "mr.", "Dr", "12", "Main", "Street", "Apt.", "4", ",", "\n", "\x00", " ", "Paris", "van", "der", "Name:", "Regards,\n",
		"corner", "of", "and", "IL", "62704", "P.O.", "Box", "\xff", "Müller", "\"", "<", "@", "a@b.c", "https://x.y", "'s", "zip", "code", "is", "USS", "FPO", "AE", ".", "Hauptstraße"}
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for _, w := range rapid.SliceOfN(rapid.SampledFrom(words), 0, 40).Draw(t, "words") {
			text.WriteString(w)
			if rapid.Bool().Draw(t, "space") {
				text.WriteByte(' ')
			}
		}
		for _, f := range find(t, names.Default(), text.String()) {
			s := text.String()
			if f.Start < 0 || f.Start >= f.End || f.End > len(s) || strings.Contains(s[f.Start:f.End], "\x00") {
				t.Fatalf("impossible finding %+v in %q", f, s)
			}
		}
	})
}

// hostile are units that, repeated, make a careless tagger look at the same bytes again and again.
var hostile = map[string]string{
	"one word": "a", "capitals": "A", "short words": "a ", "names": "John ", "dots": "a.", "local parts": "a.b+", "at signs": "@a", "near e-mail": "a@",
	"numbers": "1 ", "houses": "1 Main ", "streets": "1 Main Street ", "flats": "1 A Apt ", "corners": "corner of ", "lines": "\n", "boxes": "box 1 ", "titles": "Mr ",
	"labels": "name: ", "closings": "regards,\n", "place": "New ", "places": "New York ", "joined": "a-", "quotes": "\"A, ", "apostrophes": "a'", "barriers": "A\x00",
	"states": "A, IL 12345", "particles": "van der ", "accents": "é", "marks": "\u0308", "emoji": "\U0001f600", "invalid": "\xff", "code": "a_b(c);", "urls": "http://",
}

// TestHostileTextsTakeLinearTime compares a text with one eight times as long. A square would take 64 times as long.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	m := names.Default()
	const size, growth = 24 << 10 / raceFactor, 8
	for name, unit := range hostile {
		long := strings.Repeat(unit, growth*size/len(unit))
		short := long[:len(long)/growth]
		if a, b := cost(t, m, short), cost(t, m, long); b > 3*growth*a+30*time.Millisecond*raceFactor {
			t.Errorf("%s: %v for %d bytes, %v for %d", name, a, len(short), b, len(long))
		}
	}
}

// cost is the least processor time of three runs, so that a busy machine does not matter.
func cost(tb testing.TB, m *names.Model, text string) time.Duration {
	best := time.Hour
	for range 3 {
		from := processorTime()
		checkFindings(tb, m, text)
		best = min(best, processorTime()-from)
	}
	return best
}

func TestContextEndsFind(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := names.Default().Find(ctx, strings.Repeat("John Smith ", 10000), func(names.Finding) { t.Error("a finding after the end") })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestPiecesJoin: where a text is cut into pieces, names at the seams are found whole, for seams lie at line ends.
func TestPiecesJoin(t *testing.T) {
	line := "I spoke with Sarah Connor about the refund.\n"
	text := strings.Repeat(line, 5000)
	if got := len(list(t, names.Default(), text)); got != 5000 {
		t.Errorf("%d of 5000 found", got)
	}
}

func TestNamesInIdentifiers(t *testing.T) {
	for _, text := range []string{
		"john.smith@example.com", "@JohnSmith", "https://example.com/john/smith", "john_smith = 1", "www.john-smith.example/paul", "see user John_Smith here",
	} {
		if found := find(t, names.Default(), text); len(found) != 0 {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

func TestReadModelRefuses(t *testing.T) {
	data, err := os.ReadFile("names.model")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := names.ReadModel(data); err != nil {
		t.Fatal(err)
	}
	full := slices.Clone(data)
	for i := len(full) - 1<<18; i < len(full); i++ {
		full[i] = 1
	}
	for what, bad := range map[string][]byte{
		"nothing": nil, "short": data[:len(data)-1], "long": append(slices.Clone(data), 0), "another version": append([]byte("x"), data[1:]...), "full lists": full,
	} {
		if _, err := names.ReadModel(bad); !errors.Is(err, names.ErrModel) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestTrainingIsRepeatable trains on a tiny corpus: the same bytes twice, and what was learned is found.
func TestTrainingIsRepeatable(t *testing.T) {
	if testing.Short() || raceFactor > 1 {
		t.Skip("trains twice, in one goroutine")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	record := `{"text":"I met Zorblat in Quux.","spans":[{"bstart":6,"bend":13,"type":"PERSON"},{"bstart":17,"bend":21,"type":"LOCATION"},{"bstart":0,"bend":1,"type":"OTHER"}]}` + "\n"
	for _, set := range []string{"wnut17_train", "btc", "wikigold"} {
		write(set+".jsonl", strings.Repeat(record, 20))
	}
	for _, l := range []string{"smashew_first_all", "moby_first-names", "smashew_surnames_all", "wc_cities", "moby_places", "wc_country", "wc_sub", "eng20k"} {
		write(l+".txt", "\ufeffAlpha\nBeta, Gamma\nNew Delta\n")
	}
	for i := range 12 {
		write(string(rune('a'+i))+".go", "package a\n\nfunc F() {}\n")
	}
	train := func() (*names.Model, []byte) {
		m, data, err := names.Train(context.Background(), names.Training{Data: dir, Lists: dir, Code: dir, Log: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		return m, data
	}
	m, first := train()
	_, second := train()
	if !bytes.Equal(first, second) {
		t.Error("two models of the same data differ")
	}
	if got := len(list(t, m, "I met Zorblat in Quux.")); got != 2 {
		t.Errorf("%d of the 2 names found that were learned", got)
	}
}

func TestTrainingRefusesBrokenData(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"{", `{"text":"ab","spans":[{"bstart":1,"bend":9,"type":"PERSON"}]}`} {
		if err := os.WriteFile(filepath.Join(dir, "wnut17_train.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := names.ReadTraining(dir)
		if !errors.Is(err, names.ErrData) || strings.Contains(err.Error(), "ab") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// must are the figures that the model has to keep, on sets it has not seen. They are below what it has today by the
// difference that training anew makes.
var must = map[string]struct{ person, location float64 }{
	"uner dev":          {.80, .74},
	"presidio-research": {.78, .64},
	"wnut dev":          {.56, .51},
}

func TestFigures(t *testing.T) {
	dir := "../../../../shared/data/pii"
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("labelled data not found: this test needs the folder shared/data beside the repository")
	}
	figures, err := names.Measure(context.Background(), names.Default(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := names.WriteFigures(&out, figures); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	card, err := os.ReadFile("MODEL.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if !strings.Contains(string(card), strings.TrimSpace(line)) {
			t.Errorf("MODEL.md does not say %q", line)
		}
	}
	if !strings.Contains(string(card), names.Default().Hash()) {
		t.Errorf("MODEL.md is of another model than %s", names.Default().Hash())
	}
	seen := 0
	for _, f := range figures {
		m, ok := must[f.Set]
		if !ok || f.Joined != (f.Set == "presidio-research") {
			continue
		}
		seen++
		if p, l := f.By[names.Person].F1(), f.By[names.Location].F1(); p < m.person || l < m.location {
			t.Errorf("%s: PERSON %.3f, LOCATION %.3f, must be %.2f, %.2f", f.Set, p, l, m.person, m.location)
		}
	}
	if seen != len(must) {
		t.Errorf("%d of %d sets measured", seen, len(must))
	}
}

// TestFalseHitsInCode counts people in sources of the toolchain that training does not read. Half of them are people
// indeed: authors, and names in examples.
func TestFalseHitsInCode(t *testing.T) {
	if raceFactor > 1 {
		t.Skip("counts, in one goroutine")
	}
	people, size, files := 0, 0, 0
	root := filepath.Join(runtime.GOROOT(), "src") //nolint:staticcheck // the tree of the toolchain that runs the test is what is wanted
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		if files++; files%24 != 7 {
			return nil
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		size += len(code)
		for _, f := range find(t, names.Default(), string(code)) {
			if f.Class == names.Person && f.Score >= 0.5 {
				people++
			}
		}
		return nil
	})
	if err != nil || size == 0 {
		t.Skipf("no sources of the toolchain: %v", err)
	}
	rate := float64(people) * 1e5 / float64(size)
	t.Logf("%.2f people per 100 kB of %d kB", rate, size/1000)
	if rate > 3 {
		t.Errorf("%.2f people per 100 kB of code", rate)
	}
}

const prose = `Please summarise the minutes of Tuesday's meeting in three paragraphs: what was decided, who does what, and
which of the 14 open points moved to the next sprint. Anna Lindqvist will send the revised plan to the team in Hamburg by
10:30; the vendor (12 Elm Street, Springfield, IL 62704) asked for 30 days. Keep the tone of our last newsletter.
`

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat(prose, 40)
	m := names.Default()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Find(context.Background(), text, func(names.Finding) {}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadModel(b *testing.B) {
	data, err := os.ReadFile("names.model")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := names.ReadModel(data); err != nil {
			b.Fatal(err)
		}
	}
}
