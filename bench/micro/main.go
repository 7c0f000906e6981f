package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "micro:", err)
		os.Exit(1)
	}
}

// The defaults make a run of about ten minutes.
const (
	// usualCount is what benchstat needs to tell 5% from noise on a busy machine, and
	// even, so that each revision is as often the first as the second.
	usualCount = 10
	usualTime  = 100 * time.Millisecond
	// leastCount is what benchstat needs for an interval of 95%.
	leastCount = 6
)

// options are what a run is asked for.
type options struct {
	base, head string
	count      int
	time       time.Duration
	benchstat  string
	root, out  string
	only       string
}

func parse(args []string, says io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("micro", flag.ContinueOnError)
	f.SetOutput(says)
	f.StringVar(&o.base, "base", "", "revision to compare with")
	f.StringVar(&o.head, "head", "HEAD", "revision that is compared")
	f.IntVar(&o.count, "count", usualCount, "runs of each benchmark and revision")
	f.DurationVar(&o.time, "time", usualTime, "length of each run")
	f.StringVar(&o.benchstat, "benchstat", "benchstat", "the tool")
	f.StringVar(&o.root, "root", "..", "top of the tree")
	f.StringVar(&o.out, "out", "MICRO.md", "report")
	f.StringVar(&o.only, "only", "", "packages, such as internal/access,internal/audit, and not all of them")
	if err := f.Parse(args); err != nil {
		return options{}, err
	}
	switch {
	case f.NArg() > 0:
		return options{}, fmt.Errorf("what is %q?", f.Arg(0))
	case o.base == "":
		return options{}, fmt.Errorf("a revision to compare with is needed: -base")
	case o.count < leastCount:
		return options{}, fmt.Errorf("-count is at least %d", leastCount)
	case o.time <= 0:
		return options{}, fmt.Errorf("-time is a length")
	}
	return o, nil
}

func run(ctx context.Context, args []string, says io.Writer) error {
	o, err := parse(args, says)
	if err != nil {
		return err
	}
	c := comparison{options: o, suites: suites, call: call, says: says}
	if o.only != "" {
		if c.suites, err = chosen(strings.Split(o.only, ",")); err != nil {
			return err
		}
	}
	return c.run(ctx)
}

// chosen are the suites of some packages.
func chosen(dirs []string) (out []suite, err error) {
	for _, dir := range dirs {
		before := len(out)
		for _, s := range suites {
			if s.dir == dir {
				out = append(out, s)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("no suite is of the package %q", dir)
		}
	}
	return out, nil
}
