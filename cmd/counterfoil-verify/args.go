package main

import (
	"errors"
	"flag"
	"io"
	"strings"

	"github.com/counterfoil/counterfoil/internal/verify/verifycli"
)

// files is a flag that may be given several times.
type files []string

func (f *files) String() string { return strings.Join(*f, " ") }

// Set adds one file.
func (f *files) Set(s string) error {
	*f = append(*f, s)
	return nil
}

func parseArgs(args []string, stderr io.Writer) (verifycli.Given, error) {
	var g verifycli.Given
	flags := flag.NewFlagSet("counterfoil-verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&g.Log, "log", "", "exported log: one leaf per `FILE` line")
	flags.StringVar(&g.Bundle, "bundle", "", "bundle of evidence: a tar `FILE`, which may be compressed with gzip")
	flags.StringVar(&g.Tiles, "tiles", "", "log as a `DIR` of C2SP tiles")
	flags.StringVar(&g.URL, "url", "", "read the log from the service at `URL`")
	flags.StringVar(&g.BearerFile, "bearer-file", "", "`FILE` with the bearer token for --url")
	flags.Var((*files)(&g.Keys), "key", "verifier key of the log, or a `FILE` with one per line; may be given several times")
	flags.Var((*files)(&g.Checkpoints), "checkpoint", "signed checkpoint `FILE`; may be given several times")
	flags.StringVar(&g.Since, "since", "", "checkpoint `FILE` that was verified before: with --url the entries before it are not read again")
	flags.Var((*files)(&g.Receipts), "receipt", "`FILE` with receipts of answers, as JSON, one or several; may be given several times")
	flags.Var((*files)(&g.Handovers), "handover", "signed `FILE` by which a key of the log vouches for the next; may be given several times, in order")
	flags.BoolVar(&g.PlainHTTP, "plain-http", false, "allow http to a host that is not this machine, and so show the token to the network")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return g, err
		}
		return g, verifycli.Usagef("%s", err.Error())
	}
	if flags.NArg() > 0 {
		return g, verifycli.Usagef("no arguments are expected beside the flags")
	}
	return g, g.Check()
}
