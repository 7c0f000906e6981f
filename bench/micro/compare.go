package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// side is one of the two revisions.
type side struct {
	name     string // of its column
	revision string // as it was given
	commit   string
	tree     string // where it is checked out
	bin      string // folder of its test binaries
	results  string // file, as the benchmarks print
}

// comparison is one run of the command.
type comparison struct {
	options
	suites []suite
	// call runs a program in a folder and returns what it prints.
	call  func(ctx context.Context, dir, name string, args ...string) ([]byte, error)
	says  io.Writer
	sides [2]*side
}

// tags are those of a release build.
const tags = "nomsgpack"

func (c *comparison) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "counterfoil-micro-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for i, name := range []string{"before", "after"} {
		revision := []string{c.base, c.head}[i]
		s, err := c.checkOut(ctx, filepath.Join(dir, name), name, revision)
		if s != nil {
			defer func() { err = errors.Join(err, c.remove(s)) }()
		}
		if err != nil {
			return err
		}
		c.sides[i] = s
	}
	for _, s := range c.sides {
		if err := c.build(ctx, s); err != nil {
			return err
		}
	}
	if err := c.measure(ctx); err != nil {
		return err
	}
	return c.report(ctx)
}

// checkOut makes a work tree of a revision. The side is returned as soon as there is
// something to remove.
func (c *comparison) checkOut(ctx context.Context, dir, name, revision string) (*side, error) {
	commit, err := c.call(ctx, c.root, "git", "rev-parse", "--verify", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("the revision %q: %w", revision, err)
	}
	s := &side{
		name: name, revision: revision, commit: strings.TrimSpace(string(commit)),
		tree: filepath.Join(dir, "tree"), bin: filepath.Join(dir, "bin"), results: filepath.Join(dir, "results.txt"),
	}
	if err := os.MkdirAll(s.bin, 0o700); err != nil {
		return nil, err
	}
	_, err = c.call(ctx, c.root, "git", "worktree", "add", "--detach", s.tree, s.commit)
	return s, err
}

// remove takes the work tree away, also when the run was interrupted.
func (c *comparison) remove(s *side) error {
	const enough = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), enough)
	defer cancel()
	_, err := c.call(ctx, c.root, "git", "worktree", "remove", "--force", s.tree)
	return err
}

func (s *side) binary(of suite) string {
	return filepath.Join(s.bin, strings.ReplaceAll(of.dir, "/", "_")+".test")
}

// build makes the test binaries of a side. Without the paths in them, what the two
// have in common is compiled once.
func (c *comparison) build(ctx context.Context, s *side) error {
	for _, of := range c.suites {
		c.say("%s: building the tests of %s\n", s.name, of.dir)
		if _, err := c.call(ctx, s.tree, "go", "test", "-c", "-trimpath", "-tags", tags, "-o", s.binary(of), "./"+of.dir); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// measure runs both in turns. Which of them is first changes each time, so that what
// a run leaves behind in the caches is not always the same one's advantage.
func (c *comparison) measure(ctx context.Context) error {
	for n := range c.count {
		c.say("run %d of %d\n", n+1, c.count)
		for _, of := range c.suites {
			for i := range c.sides {
				if err := c.once(ctx, c.sides[(i+n)%len(c.sides)], of); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *comparison) once(ctx context.Context, s *side, of suite) error {
	out, err := c.call(ctx, filepath.Join(s.tree, filepath.FromSlash(of.dir)), s.binary(of),
		"-test.run", "^$", "-test.bench", benchmarks(of.bench), "-test.benchmem", "-test.cpu", "1",
		"-test.benchtime", c.time.String(), "-test.timeout", "10m")
	if err != nil {
		return fmt.Errorf("%s: %s: %w", s.name, of.dir, err)
	}
	if !bytes.Contains(out, []byte("\nBenchmark")) {
		c.say("%s: %s has none of these benchmarks\n", s.name, of.dir)
		return nil
	}
	f, err := os.OpenFile(s.results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(out)
	return errors.Join(err, f.Close())
}

// benchmarks puts the word that Go has before each name before the names.
func benchmarks(expression string) string {
	return strings.Replace(expression, "^(", "^Benchmark(", 1)
}

// say tells whoever waits how far it is.
func (c *comparison) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.says, format, args...) // nobody may be listening
}

// call runs a program. What it prints on standard error is part of the error.
func call(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	// As a release is built; what was compiled for one is in the cache.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strconv.Quote(strings.Join(args, " ")), err, tail(said.Bytes()))
	}
	return out, nil
}

// mostSaid is enough for what a compiler says of one mistake.
const mostSaid = 2 << 10

func tail(b []byte) []byte {
	b = bytes.TrimSpace(b)
	return b[max(0, len(b)-mostSaid):]
}
