package controls_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
)

func shipped(t testing.TB) controls.Catalogue {
	t.Helper()
	c, err := controls.Load(authz.Controls)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShippedCatalogueUsesEveryQueryAndNamesEveryClause(t *testing.T) {
	c := shipped(t)
	used, named := make(map[string]bool), make(map[string]bool)
	for _, control := range c.Controls {
		used[control.Query] = true
		for _, clause := range control.Clauses {
			named[clause] = true
		}
	}
	for _, gap := range c.NotCovered {
		named[gap.Clause] = true
	}
	for _, q := range controls.Queries() {
		if !used[q.Name] {
			t.Errorf("no control uses %s", q.Name)
		}
	}
	for _, clause := range controls.Clauses() {
		if !named[clause] {
			t.Errorf("nobody speaks of %s", clause)
		}
	}
}

// The catalogue stands beside the policy and is no part of it: a bundle of the folder
// is that of the program, and a catalogue that is changed changes no version.
func TestCatalogueIsNoPartOfThePolicy(t *testing.T) {
	built, err := access.BundleOf(authz.FS)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../../../authz")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder+"/controls.yaml", []byte("version: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := access.OpenBundle(folder)
	if err != nil {
		t.Fatal(err)
	}
	if read.Version() != built.Version() {
		t.Errorf("the folder is of version %s, the program of %s", read.Version(), built.Version())
	}
	// The twin: another data file is refused.
	if err := os.WriteFile(folder+"/rules.yaml", []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := access.OpenBundle(folder); !errors.Is(err, access.ErrBundle) {
		t.Errorf("with a data file of no bundle: %v", err)
	}
}

func TestLoadIsStrict(t *testing.T) {
	text := string(authz.Controls)
	for name, change := range map[string][2]string{
		"an unknown query":           {"query: retention_runs", "query: retention_walks"},
		"no query":                   {"    query: retention_runs\n", ""},
		"an unknown key":             {"    frequency: daily\n", "    frequency: daily\n    owner: ann\n"},
		"an unknown frequency":       {"frequency: weekly", "frequency: yearly"},
		"an unknown clause":          {"SOC2 CC6.6", "SOC2 CC6.9"},
		"a clause twice":             {"[SOC2 A1, SOC2 CC7.5]", "[SOC2 A1, SOC2 A1]"},
		"no clause":                  {"[SOC2 A1, SOC2 CC7.5]", "[]"},
		"a clause that nobody has":   {"SOC2 CC6.6, ", ""},
		"a gap without a reason":     {"clause: SOC2 P7\n    reason: Whether", "clause: SOC2 P7\n    reason: ''\n    why: Whether"},
		"a gap that is covered":      {"clause: SOC2 P7", "clause: SOC2 P8"},
		"an id twice":                {"id: RST-2", "id: RST-1"},
		"an id that no entry holds":  {"id: RST-2", "id: restore two"},
		"another outcome of nothing": {"none: pass", "none: fail"},
		"no title":                   {"title: The policy is changed by two people", "title: ' '"},
		"another version":            {"version: 1", "version: 2"},
		"a second document":          {"not_covered:\n  - clause", "---\nnot_covered:\n  - clause"},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("%s: the catalogue has no %q", name, change[0])
		}
		if _, err := controls.Load([]byte(strings.Replace(text, change[0], change[1], 1))); !errors.Is(err, controls.ErrCatalogue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := controls.Load([]byte(text + "#" + strings.Repeat(" ", 1<<20))); !errors.Is(err, controls.ErrCatalogue) {
		t.Errorf("a catalogue of more than a megabyte: %v", err)
	}
}

func TestClausesAreThoseOfTheList(t *testing.T) {
	list := controls.Clauses()
	if len(list) != 38 || !slices.Contains(list, "HIPAA 164.502(b)") || !slices.Contains(list, "AIA 12") {
		t.Errorf("%d clauses", len(list))
	}
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	if len(slices.Compact(sorted)) != len(list) {
		t.Error("a clause stands there twice")
	}
}

func FuzzLoad(f *testing.F) {
	seeds := [][]byte{authz.Controls, []byte("version: 1\n"), []byte("version: 1\ncontrols: [{id: A-1}]\n")}
	for _, seed := range seeds {
		f.Add(seed)
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := controls.Load(text)
		if err == nil && len(c.Controls) == 0 {
			t.Error("a catalogue without controls covers nothing")
		}
		if err != nil && !errors.Is(err, controls.ErrCatalogue) {
			t.Errorf("an error of another kind: %v", err)
		}
	})
}
