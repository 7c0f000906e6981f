// Package verifycli is what the commands that verify a log have in common: which
// arguments go together, how the files that they name are read, and what the exit
// codes say. Whatever the command, the same files give the same answer.
//
// It reads no setting from the environment. Nothing that is read is repeated in an
// error, but names of files.
package verifycli

import (
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/verify"
	"github.com/counterfoil/counterfoil/internal/verify/verifyhttp"
)

// The exit codes of a command that verifies.
const (
	ExitSound      = 0
	ExitFault      = 1 // a fault was found
	ExitUsage      = 2 // nothing was read
	ExitUnreadable = 3 // nothing is said of the log
)

// ErrUsage marks what the caller of the command can mend.
var ErrUsage = errors.New("usage")

// Usagef is an error of the kind ErrUsage.
func Usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(format, args...))
}

// Given is what a command line says: where the log is, which is exactly one of the
// first four, and what is known of it.
type Given struct {
	Log    string // file with one leaf on each line
	Bundle string // bundle of evidence
	Tiles  string // folder of C2SP tiles
	URL    string // of a service

	BearerFile string // for URL
	PlainHTTP  bool   // allow http to another machine
	Since      string // checkpoint that was verified before

	Keys                             []string // each a verifier key, or a file with one on each line
	Checkpoints, Receipts, Handovers []string // files
}

// Check finds what is missing or does not go together.
func (g *Given) Check() error {
	places := 0
	for _, place := range []string{g.Log, g.Bundle, g.Tiles, g.URL} {
		if place != "" {
			places++
		}
	}
	switch {
	case places != 1:
		return Usagef("give one of --log, --bundle, --tiles and --url")
	case len(g.Keys) == 0:
		return Usagef("--key is missing: without it nothing can be proven")
	case g.Log != "" && len(g.Checkpoints) == 0 && g.Since == "":
		return Usagef("--checkpoint is missing: without it nothing is proven but form")
	case g.URL == "" && g.BearerFile != "":
		return Usagef("--bearer-file is for --url")
	case g.URL != "" && g.BearerFile == "":
		return Usagef("--bearer-file is missing")
	}
	if g.URL == "" {
		return nil
	}
	if _, err := verifyhttp.Address(g.URL, g.PlainHTTP); err != nil {
		return Usagef("--url: %s", err.Error())
	}
	return nil
}

// Code is the exit code that an error of Verify stands for.
func Code(err error) int {
	var fault *verify.Fault
	switch {
	case err == nil:
		return ExitSound
	case errors.As(err, &fault):
		return ExitFault
	case errors.Is(err, ErrUsage), errors.Is(err, verify.ErrOptions):
		return ExitUsage
	}
	return ExitUnreadable
}
