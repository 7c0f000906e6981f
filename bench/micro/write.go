package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// report has benchstat compare the results and writes what it says.
func (c *comparison) report(ctx context.Context) error {
	args := []string{"-table", "pkg"}
	for _, s := range c.sides {
		args = append(args, s.name+"="+s.results)
	}
	said, err := c.call(ctx, ".", c.benchstat, args...)
	if err != nil {
		return err
	}
	goVersion, err := c.call(ctx, c.root, "go", "env", "GOVERSION")
	if err != nil {
		return err
	}
	text := c.markdown(strings.TrimSpace(string(goVersion)), said)
	return os.WriteFile(c.out, text, 0o644) //nolint:gosec // a document of the project, for everybody to read
}

// markdown is the report, but for what benchstat says, which stands as it is.
func (c *comparison) markdown(goVersion string, said []byte) []byte {
	var b bytes.Buffer
	before, after := c.sides[0], c.sides[1]
	fmt.Fprintf(&b, "# Micro-benchmarks: before and after\n\n")
	fmt.Fprintf(&b, "Written by `make bench-micro BASE=%s`: both revisions in turns, %d runs of %v of each benchmark on one\n"+
		"processor. Read the differences: the machine did other work, too, and it hit both the same.\n\n",
		short(before.commit), c.count, c.time)
	for _, row := range [][2]string{
		{"before", before.commit}, {"after", after.commit}, {"when", time.Now().UTC().Format(time.DateOnly)},
		{"machine", machine()}, {"Go", goVersion},
	} {
		fmt.Fprintf(&b, "- %s: %s\n", row[0], row[1])
	}
	b.WriteString("\n| stage | package | benchmarks |\n|---|---|---|\n")
	for _, s := range c.suites {
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", s.what, s.dir, strings.ReplaceAll(s.bench, "|", `\|`))
	}
	fmt.Fprintf(&b, "\n```\n%s\n```\n", bytes.TrimSpace(said))
	return b.Bytes()
}

// shortCommit is what git shows of one.
const shortCommit = 7

func short(commit string) string { return commit[:min(shortCommit, len(commit))] }

// machine is the processor and how many of it there are.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile(filepath.FromSlash("/proc/cpuinfo")); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}
