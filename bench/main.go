// Command bench measures Counterfoil: it starts what the service needs and the service as
// a release binary, loads it and its floor in turns, and reports what came of it.
//
//	go run . -mode quick          # the usual works at 16 clients, under 2 minutes
//	go run . -mode full -out .    # the whole table, 15 minutes at most
//	go run . -mode long -out .    # soak, overload and growth, hours
//
// Without -out the report is written to standard output, how far it is always to
// standard error. It ends with 1 where something could not be measured or an answer was
// wrong; goals that are not met are in the report, and are no error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/scenario"
	"github.com/counterfoil/counterfoil/bench/system"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// tenants of the site: as many as Replicas spreads a load over.
const tenants = 8

// errFailures is the end of a run with wrong answers, or with a part that did not run.
var errFailures = errors.New("the report is not whole")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(stderr, "%6.1fs "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
	site, err := system.Open(ctx, system.Options{Tenants: tenants, Say: say})
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }() // it ends with the process whatever this says
	env := &scenario.Env{
		Site: site, Runs: o.mode.runs, Warm: o.mode.warm, For: o.mode.measured, Clients: o.mode.clients, Long: o.mode.long, Say: say,
		Report: &report.Report{
			Mode: o.mode.name, Began: began.UTC(), Runs: o.mode.runs,
			Machine: site.Machine(ctx), Versions: site.Versions(ctx),
		},
	}
	env.Report.Commit = env.Report.Versions[system.Counterfoil]
	broken := measure(ctx, env, o.parts)
	env.Report.Took = time.Since(began)
	if o.mode.report == fullReport {
		broken = errors.Join(broken, carry(env.Report, o.out))
	}
	if err := write(env.Report, o, stdout); err != nil {
		return err
	}
	return broken
}

// measure runs the parts. One that cannot be measured is noted, and the others follow.
func measure(ctx context.Context, env *scenario.Env, parts []part) error {
	var broken error
	for _, p := range parts {
		env.Say("%s", p.name)
		if err := p.run(ctx, env); err != nil {
			env.Say("%s: %v", p.name, err)
			env.Report.Notes = append(env.Report.Notes, fmt.Sprintf("%s could not be measured to its end: %v", p.name, err))
			broken = errFailures
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for i := range env.Report.Measurements {
		if env.Report.Measurements[i].Failed > 0 {
			broken = errFailures
		}
	}
	return broken
}

func write(r *report.Report, o options, stdout io.Writer) error {
	if o.out == "" {
		_, err := io.WriteString(stdout, r.Markdown())
		return err
	}
	return r.Write(o.out, o.mode.report)
}

// options are the command line.
type options struct {
	mode  mode
	parts []part
	out   string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("mode", "quick", "quick, full or long")
	only := flags.String("only", "", "parts, with commas between: "+strings.Join(partNames(), ", ")+"; all of the mode where empty")
	flags.StringVar(&o.out, "out", "", "folder of the report; standard output where empty")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("there is nothing to do with %q", flags.Arg(0))
	}
	var err error
	if o.mode, err = modeOf(*name); err != nil {
		return o, err
	}
	o.parts, err = partsOf(o.mode, *only)
	return o, err
}
