// Command counterfoil-verify checks the audit log of one tenant with nothing
// but the log's public key. It needs no access to the service beyond reading,
// and trusts neither its server nor its database.
//
//	counterfoil-verify --log FILE --checkpoint FILE [--checkpoint FILE...] --key FILE|VKEY
//	counterfoil-verify --bundle FILE --key FILE|VKEY
//	counterfoil-verify --tiles DIR --key FILE|VKEY
//	counterfoil-verify --url URL --bearer-file FILE --key FILE|VKEY [--since CHECKPOINT]
//
// The first form reads an export: one leaf per line, byte for byte. The second reads
// a bundle of evidence, whose manifest names every file of it, and the whole log in
// it. The third reads a folder of C2SP tlog-tiles. The last reads
// /v1/audit/checkpoint and then pages /v1/audit/entries up to the size that the
// checkpoint states; what is appended meanwhile is left for next time.
//
// Each form also takes what the auditor kept: --checkpoint of earlier times,
// --receipt of answers (a file has one or several, as JSON), each any number of times. They are what shows that history
// was rewritten by somebody who holds the signing key. --handover leads from the key
// given to those that signed later.
//
// --since is a checkpoint that was verified before. With --url the service proves
// that its log continues it, and only the entries after it are read; what they say
// of entries before it is believed, and the result says from=. Elsewhere it is as
// --checkpoint.
//
// A key is the verifier key that the operator published (origin, key hash and
// key, joined by plus signs), or a file with one on each line.
//
// Exit codes:
//
//	0  the log is sound: one line with tenant, entries, root and checkpoint
//	1  a fault was found: one line names the first
//	2  wrong usage; nothing was read
//	3  the log, a checkpoint or a key could not be read; nothing is said of it
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/counterfoil/counterfoil/internal/verify"
	"github.com/counterfoil/counterfoil/internal/verify/verifycli"
)

// The exit codes that the command documents.
const (
	exitSound      = verifycli.ExitSound
	exitFault      = verifycli.ExitFault
	exitUsage      = verifycli.ExitUsage
	exitUnreadable = verifycli.ExitUnreadable
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the command without its process. It takes no setting from the
// environment, so that the same arguments give the same answer anywhere.
func run(ctx context.Context, args []string, _ func(string) string, stdout, stderr io.Writer) int {
	given, err := parseArgs(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitSound
	}
	var result verify.Result
	if err == nil {
		result, err = given.Verify(ctx)
	}
	code := verifycli.Code(err)
	switch code {
	case exitSound:
		say(stdout, "%s", verifycli.Sound(&result))
	case exitFault:
		var fault *verify.Fault
		_ = errors.As(err, &fault) // it is one, says its code
		say(stdout, "FAULT %s", fault.Error())
	default:
		say(stderr, "counterfoil-verify: %s", err.Error())
	}
	return code
}

// say writes one line. There is nowhere to report that the output is closed.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}
