package main

import (
	"errors"
	"flag"
	"io"
	"net"
	"net/url"
	"strings"
)

// arguments are what the command line says, checked for form.
type arguments struct {
	log         string
	base        *url.URL // nil with a log file
	bearerFile  string
	key         string
	checkpoints files
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
	flags.StringVar(&address, "url", "", "read the log from the service at `URL`")
	flags.StringVar(&a.bearerFile, "bearer-file", "", "`FILE` with the bearer token for --url")
	flags.StringVar(&a.key, "key", "", "verifier key of the log, or a `FILE` with one per line")
	flags.Var(&a.checkpoints, "checkpoint", "signed checkpoint `FILE`; may be given several times")
	flags.BoolVar(&plain, "plain-http", false, "allow http to a host that is not this machine, and so show the token to the network")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return a, err
		}
		return a, usageError("%s", err.Error())
	}
	switch {
	case flags.NArg() > 0:
		return a, usageError("no arguments are expected beside the flags")
	case (a.log == "") == (address == ""):
		return a, usageError("give either --log or --url")
	case a.key == "":
		return a, usageError("--key is missing: without it nothing can be proven")
	case a.log != "" && len(a.checkpoints) == 0:
		return a, usageError("--checkpoint is missing: without it nothing is proven but form")
	case a.log != "" && a.bearerFile != "":
		return a, usageError("--bearer-file is for --url")
	case address != "" && a.bearerFile == "":
		return a, usageError("--bearer-file is missing")
	case a.log != "":
		return a, nil
	}
	var err error
	a.base, err = parseBase(address, plain)
	return a, err
}

// parseBase takes an address that a bearer token may be sent to.
func parseBase(address string, plain bool) (*url.URL, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, usageError("--url must be like https://host[:port][/path]")
	}
	switch {
	case base.Scheme == "https":
	case base.Scheme == "http" && (plain || isThisMachine(base.Hostname())):
	case base.Scheme == "http":
		return nil, usageError("--url is plain http to another machine: use https, or --plain-http where the network is trusted")
	default:
		return nil, usageError("--url must be https or http")
	}
	return base, nil
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
