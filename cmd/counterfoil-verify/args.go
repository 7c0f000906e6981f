package main

import (
	"errors"
	"flag"
	"io"
	"net/url"
	"strings"

	"github.com/counterfoil/counterfoil/internal/verify/verifyhttp"
)

// arguments are what the command line says, checked for form.
type arguments struct {
	// Exactly one of these says where the log is.
	log, bundle, tiles string
	base               *url.URL

	bearerFile, since                string
	keys                             files
	checkpoints, receipts, handovers files
}

// files is a flag that may be given several times.
type files []string

func (f *files) String() string { return strings.Join(*f, " ") }

// Set adds one file.
func (f *files) Set(s string) error {
	*f = append(*f, s)
	return nil
}

func parseArgs(args []string, stderr io.Writer) (arguments, error) {
	var a arguments
	var address string
	var plain bool
	flags := flag.NewFlagSet("counterfoil-verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&a.log, "log", "", "exported log: one leaf per `FILE` line")
	flags.StringVar(&a.bundle, "bundle", "", "bundle of evidence: a tar `FILE`, which may be compressed with gzip")
	flags.StringVar(&a.tiles, "tiles", "", "log as a `DIR` of C2SP tiles")
	flags.StringVar(&address, "url", "", "read the log from the service at `URL`")
	flags.StringVar(&a.bearerFile, "bearer-file", "", "`FILE` with the bearer token for --url")
	flags.Var(&a.keys, "key", "verifier key of the log, or a `FILE` with one per line; may be given several times")
	flags.Var(&a.checkpoints, "checkpoint", "signed checkpoint `FILE`; may be given several times")
	flags.StringVar(&a.since, "since", "", "checkpoint `FILE` that was verified before: with --url the entries before it are not read again")
	flags.Var(&a.receipts, "receipt", "receipt `FILE` of an answer, as JSON; may be given several times")
	flags.Var(&a.handovers, "handover", "signed `FILE` by which a key of the log vouches for the next; may be given several times, in order")
	flags.BoolVar(&plain, "plain-http", false, "allow http to a host that is not this machine, and so show the token to the network")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return a, err
		}
		return a, usageError("%s", err.Error())
	}
	if flags.NArg() > 0 {
		return a, usageError("no arguments are expected beside the flags")
	}
	if err := a.check(address); err != nil || address == "" {
		return a, err
	}
	var err error
	if a.base, err = verifyhttp.Address(address, plain); err != nil {
		return a, usageError("--url: %s", err.Error())
	}
	return a, nil
}

// check finds what is missing or does not go together.
func (a *arguments) check(address string) error {
	places := 0
	for _, place := range []string{a.log, a.bundle, a.tiles, address} {
		if place != "" {
			places++
		}
	}
	switch {
	case places != 1:
		return usageError("give one of --log, --bundle, --tiles and --url")
	case len(a.keys) == 0:
		return usageError("--key is missing: without it nothing can be proven")
	case a.log != "" && len(a.checkpoints) == 0:
		return usageError("--checkpoint is missing: without it nothing is proven but form")
	case address == "" && a.bearerFile != "":
		return usageError("--bearer-file is for --url")
	case address != "" && a.bearerFile == "":
		return usageError("--bearer-file is missing")
	}
	return nil
}
