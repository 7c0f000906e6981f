// Command eval measures detection on labelled texts and writes the report that stands beside the package.
//
// It reads a folder of JSON lines (records with spans, conformance cases, secrets, prompts without labels) and the
// sources of the Go toolchain, and scores what a Detector finds in them at its default thresholds, all default entities
// at once. What counts as right, and what the data label and do not, is said in the report itself: see notes.go.
//
// The report has two parts. The figures are the same bytes for the same data, rules and toolchain; a test compares the
// committed report with a fresh run. The speed is what this machine did at that time, and nothing compares it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

// run is main without the process.
func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("eval", flag.ContinueOnError)
	data := flags.String("data", "../shared/data", "folder with the data sets")
	code := flags.String("code", goroot(), "sources of the Go toolchain, for false hits in code")
	file := flags.String("out", "", "also write the report to this file")
	verbose := flags.Bool("v", false, "print every miss and every wrong finding instead of the report")
	if err := flags.Parse(args); err != nil {
		return err
	}
	figures, err := measure(*data, *code)
	if err != nil {
		return err
	}
	if *verbose {
		_, err := figures.faults.WriteTo(out)
		return err
	}
	var report bytes.Buffer
	report.WriteString(figures.markdown())
	if err := writeSpeed(&report, *data); err != nil {
		return err
	}
	if *file != "" {
		if err := os.WriteFile(*file, report.Bytes(), 0o644); err != nil { //nolint:gosec // a page of documentation
			return err
		}
	}
	_, err = report.WriteTo(out)
	return err
}
