package payload_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/payload"
)

var update = flag.Bool("update", false, "write the golden lists of the fixtures anew")

// fixture is a body as a gateway sends it.
type fixture struct {
	name string
	body []byte
	opts payload.Options
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	files, err := filepath.Glob("testdata/bodies/*.json")
	if err != nil || len(files) < 15 {
		tb.Fatalf("%d fixtures, %v", len(files), err)
	}
	var out []fixture
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		f := fixture{name: strings.TrimSuffix(filepath.Base(file), ".json"), body: body}
		switch f.name {
		case "plain":
			f.opts.Shape = payload.JSON
		case "unknown":
			f.opts.Unknown = payload.UnknownEveryLeaf
		}
		out = append(out, f)
	}
	return out
}

// list writes leaves and skips one to a line, as the golden files have them.
func list(d *payload.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "shape %s\n", d.Shape())
	for _, l := range d.Leaves() {
		who := l.Role
		if who == "" {
			who = "-"
		}
		where := string(l.Place)
		if l.Place == payload.PlaceTool {
			where += "(" + l.Tool + ")"
		}
		fmt.Fprintf(&b, "%-6s %-9s %-5s %s %+q\n", l.Kind, who, where, l.Pointer, l.Text)
	}
	for _, s := range d.Skipped() {
		fmt.Fprintf(&b, "skip   %-12s %s\n", s.Why, s.Pointer)
	}
	return b.String()
}

// TestGolden holds what is read in each fixture against a list that was
// checked by hand.
func TestGolden(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			got := list(parse(t, f.body, f.opts))
			file := filepath.Join("testdata/golden", f.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-golden +read)\n%s", diff)
			}
		})
	}
}
