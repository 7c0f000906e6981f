package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var named = regexp.MustCompile(`^\^\(([A-Za-z0-9|]+)\)\$(/|$)`)

// benchmarksOf are the benchmarks in the tests of a package.
func benchmarksOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no tests (%v)", dir, err)
	}
	out := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				out[f.Name.Name] = true
			}
		}
	}
	return out
}

// missing are the benchmarks of a suite that its package does not have.
func missing(t *testing.T, s suite) (out []string) {
	names := named.FindStringSubmatch(s.bench)
	if names == nil {
		t.Fatalf("%s: %q does not begin with names in parentheses", s.dir, s.bench)
	}
	have := benchmarksOf(t, s.dir)
	for name := range strings.SplitSeq(names[1], "|") {
		if !have["Benchmark"+name] {
			out = append(out, name)
		}
	}
	return out
}

func TestEveryBenchmarkOfASuiteIsThere(t *testing.T) {
	for _, s := range suites {
		if names := missing(t, s); len(names) > 0 {
			t.Errorf("%s has no benchmark %v", s.dir, names)
		}
	}
}

func TestEveryBenchmarkOfASuiteIsThere_Twin(t *testing.T) {
	s := suites[0]
	s.bench = "^(Verify|Vanished)$"
	if diff := cmp.Diff([]string{"Vanished"}, missing(t, s)); diff != "" {
		t.Error(diff)
	}
}

// fake plays git, go, the test binaries and benchstat.
type fake struct {
	t     *testing.T
	calls []string
	fails string // what a call that fails begins with
}

func (f *fake) call(_ context.Context, dir, name string, args ...string) ([]byte, error) {
	side := "base"
	if strings.Contains(dir, "/after/") || strings.Contains(strings.Join(args, " "), "/after/") {
		side = "head"
	}
	said := ""
	var line string
	switch filepath.Base(name) {
	case "git":
		line = "git " + args[0]
		if args[0] == "worktree" {
			line += " " + args[1] + " " + side
		}
		if args[0] == "rev-parse" {
			said = strings.Repeat(strings.TrimSuffix(args[len(args)-1], "^{commit}")[:1], 40) + "\n"
		}
	case "go":
		line = "go " + args[0] + " " + side
		if args[0] == "env" {
			line, said = "go env", "go1.26\n"
		}
	case "benchstat":
		line = "benchstat"
		for _, a := range args[2:] {
			_, file, _ := strings.Cut(a, "=")
			results, err := os.ReadFile(file)
			if err != nil {
				f.t.Error(err)
			}
			said += fmt.Sprintln(strings.Count(string(results), "\nBenchmark"), "results")
		}
	default:
		line, said = "bench "+side, "pkg: p\nBenchmarkX 1 1 ns/op\n"
	}
	f.calls = append(f.calls, line)
	if f.fails != "" && strings.HasPrefix(line, f.fails) {
		return nil, errors.New("it is broken")
	}
	return []byte(said), nil
}

func compare(t *testing.T, f *fake) (string, error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "MICRO.md")
	c := comparison{
		options: options{base: "base", head: "head", count: 6, time: time.Millisecond, benchstat: "benchstat", root: ".", out: out},
		suites:  []suite{{"x", "internal/x", "^(X)$"}}, call: f.call, says: io.Discard,
	}
	err := c.run(t.Context())
	text, _ := os.ReadFile(out) // not there where the run failed
	return string(text), err
}

func TestRevisionsRunInTurns(t *testing.T) {
	f := &fake{t: t}
	text, err := compare(t, f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"git rev-parse", "git worktree add base", "git rev-parse", "git worktree add head", "go test base", "go test head",
		"bench base", "bench head", "bench head", "bench base", "bench base", "bench head",
		"bench head", "bench base", "bench base", "bench head", "bench head", "bench base",
		"benchstat", "go env", "git worktree remove head", "git worktree remove base",
	}
	if diff := cmp.Diff(want, f.calls); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{
		"- before: " + strings.Repeat("b", 40), "- after: " + strings.Repeat("h", 40), "- Go: go1.26\n",
		"```\n6 results\n6 results\n```\n", "| x | internal/x | `^(X)$` |",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
}

// Whatever fails, what was checked out is removed, and no report is written.
func TestWorkTreesAreRemovedWhateverFails(t *testing.T) {
	for _, fails := range []string{"git worktree add head", "go test head", "bench head", "benchstat", "go env"} {
		f := &fake{t: t, fails: fails}
		text, err := compare(t, f)
		if err == nil || text != "" {
			t.Errorf("%s: error %v, report of %d bytes", fails, err, len(text))
		}
		added, removed := 0, 0
		for _, line := range f.calls {
			added += strings.Count(line, "worktree add")
			removed += strings.Count(line, "worktree remove")
		}
		if added == 0 || removed != added {
			t.Errorf("%s: %d work trees were added and %d removed", fails, added, removed)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, args := range [][]string{
		{}, {"-base", "x", "y"}, {"-base", "x", "-count", "5"}, {"-base", "x", "-time", "0s"}, {"-base", "x", "-only", "internal/none"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestNamesGetTheirPrefix(t *testing.T) {
	for _, s := range suites {
		expression := benchmarks(s.bench)
		if _, err := regexp.Compile(strings.Split(expression, "/")[0]); err != nil || !strings.HasPrefix(expression, "^Benchmark(") {
			t.Errorf("%s: %q (%v)", s.dir, expression, err)
		}
	}
}

func TestCallTellsWhatWasSaid(t *testing.T) {
	out, err := call(t.Context(), t.TempDir(), "go", "env", "GOOS")
	if err != nil || len(out) == 0 {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := call(t.Context(), t.TempDir(), "go", "no-such-command"); err == nil || !strings.Contains(err.Error(), "no-such-command") {
		t.Errorf("%v", err)
	}
}
