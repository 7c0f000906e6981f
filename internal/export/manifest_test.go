package export_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
)

var sum = strings.Repeat("0123456789abcdef", 4)

func sampleManifest() export.Manifest {
	return export.Manifest{
		Day: "2026-01-02", First: 17, Last: 41, Size: 1000, Root: audit.LeafHash(nil),
		Kinds:   map[string]int{"tokenize": 5, "restore": 20},
		Objects: []export.Object{{Name: "entries/2026/01/02/000000000000017-000000000000041.jsonl", SHA256: sum}},
	}
}

const sampleBody = `day 2026-01-02
first 17
last 41
entries 25
size 1000
root bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=
kind restore 20
kind tokenize 5
`

func TestManifestText(t *testing.T) {
	body, err := sampleManifest().Marshal()
	want := sampleBody + "object " + sum + " entries/2026/01/02/000000000000017-000000000000041.jsonl\n"
	if diff := cmp.Diff(want, body); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	read, err := export.ParseManifest(body)
	if diff := cmp.Diff(sampleManifest(), read); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestManifestIsStrict(t *testing.T) {
	body, err := sampleManifest().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a line more":          {"day ", "note x\nday "},
		"a line less":          {"size 1000\n", ""},
		"lines moved":          {"first 17\nlast 41\n", "last 41\nfirst 17\n"},
		"kinds moved":          {"kind restore 20\nkind tokenize 5\n", "kind tokenize 5\nkind restore 20\n"},
		"a kind twice":         {"kind tokenize 5\n", "kind tokenize 5\nkind tokenize 5\n"},
		"a kind of none":       {"kind tokenize 5", "kind tokenize 5\nkind sweep 0"},
		"another sum of kinds": {"kind tokenize 5", "kind tokenize 6"},
		"other entries":        {"entries 25", "entries 26"},
		"a number with a sign": {"first 17", "first +17"},
		"a number with zeros":  {"first 17", "first 017"},
		"a day that is none":   {"2026-01-02", "2026-02-30"},
		"a day in short":       {"day 2026-01-02", "day 2026-1-2"},
		"a size below":         {"size 1000", "size 41"},
		"a size beyond":        {"size 1000", "size 281474976710657"},
		"a last before":        {"last 41\nentries 25", "last 15\nentries -1"},
		"a loose root":         {"oB0=", "oB1="},
		"a short root":         {"bjQL", ""},
		"a sum in capitals":    {"abcdef", "ABCDEF"},
		"a short sum":          {"0123456789abcdef ", " "},
		"a name elsewhere":     {"entries/2026", "../2026"},
		"no last line feed":    {".jsonl\n", ".jsonl"},
		"carriage returns":     {"\n", "\r\n"},
		"something behind":     {".jsonl\n", ".jsonl\n\n"},
	} {
		changed := strings.Replace(body, change[0], change[1], 1)
		if changed == body {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := export.ParseManifest(changed); !errors.Is(err, export.ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := export.ParseManifest(strings.Repeat("kind x 1\n", 1<<16)); !errors.Is(err, export.ErrManifest) {
		t.Errorf("too long: %v", err)
	}
}

// What Marshal would write and ParseManifest not read is not written.
func TestManifestThatIsNone(t *testing.T) {
	for name, change := range map[string]func(m *export.Manifest){
		"no day":           func(m *export.Manifest) { m.Day = "" },
		"a size below":     func(m *export.Manifest) { m.Size = 41 },
		"other counts":     func(m *export.Manifest) { m.Kinds["sweep"] = 1 },
		"a kind in words":  func(m *export.Manifest) { m.Kinds["x y"], m.Kinds["restore"] = 1, 19 },
		"a name elsewhere": func(m *export.Manifest) { m.Objects[0].Name = "/etc" },
		"too many objects": func(m *export.Manifest) {
			for range export.MaxManifestObjects {
				m.Objects = append(m.Objects, m.Objects[0])
			}
		},
	} {
		m := sampleManifest()
		change(&m)
		if _, err := m.Marshal(); !errors.Is(err, export.ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManifestIsSigned(t *testing.T) {
	w := newWorld()
	w.Append(start, audit.KindTokenize)
	w.Quiet(start.AddDate(0, 0, 1))
	w.all(t)
	signed := w.objects(t)["manifests/2026-01-02"]
	vkeys := w.VerifierKeys()
	if m, err := export.OpenManifest(signed, vkeys...); err != nil || m.Entries() != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	// Twin: one bit of it, or another key, and it is none.
	for i := range signed {
		changed := []byte(string(signed))
		changed[i] ^= 1
		if _, err := export.OpenManifest(changed, vkeys...); !errors.Is(err, export.ErrManifest) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	w.Rotate()
	if _, err := export.OpenManifest(signed, w.VerifierKeys()[1]); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("with another key: %v", err)
	}
}

func TestListingIsStrict(t *testing.T) {
	line := sum + "  entries/a.jsonl\n"
	objects, err := export.ParseListing(line + line)
	if err != nil || len(objects) != 2 || objects[0].IsListing() {
		t.Errorf("%v, %v", objects, err)
	}
	for _, body := range []string{
		"", "\n", line + "\n", strings.TrimSuffix(line, "\n"), strings.Replace(line, "  ", " *", 1), strings.Replace(line, "  ", " ", 1),
		strings.ToUpper(line), strings.Replace(line, "entries", "..", 1), strings.Repeat(line, export.MaxManifestObjects+1),
	} {
		if _, err := export.ParseListing(body); !errors.Is(err, export.ErrManifest) {
			t.Errorf("%.80q: %v", body, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	body, err := sampleManifest().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	seeds := []string{body, sampleBody, "", "day 2026-01-02\n"}
	for _, seed := range seeds {
		f.Add(seed)
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, body string) {
		m, err := export.ParseManifest(body)
		if err != nil {
			return
		}
		if again, err := m.Marshal(); err != nil || again != body {
			t.Errorf("read %q, written %q, %v", body, again, err)
		}
	})
}
