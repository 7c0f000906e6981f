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
// --receipt of answers, each any number of times. They are what shows that history
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
	"time"

	"github.com/counterfoil/counterfoil/internal/verify"
)

// The exit codes that the command documents.
const (
	exitSound      = 0
	exitFault      = 1
	exitUsage      = 2
	exitUnreadable = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage marks what the caller of the command can mend.
var errUsage = errors.New("usage")

func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// run is the command without its process. It takes no setting from the
// environment, so that the same arguments give the same answer anywhere.
func run(ctx context.Context, args []string, _ func(string) string, stdout, stderr io.Writer) int {
	a, err := parseArgs(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitSound
	case err != nil:
		return fail(stderr, err)
	}
	result, err := check(ctx, a)
	if err != nil {
		var fault *verify.Fault
		if errors.As(err, &fault) {
			say(stdout, "FAULT %s", fault.Error())
			return exitFault
		}
		return fail(stderr, err)
	}
	say(stdout, "SOUND tenant=%s entries=%d root=%s checkpoint=%d first=%s last=%s%s", result.Tenant, result.Entries, result.Root,
		result.Signed, stamp(result.First), stamp(result.Last), more(&result))
	return exitSound
}

// more is what only some logs have.
func more(r *verify.Result) (text string) {
	for _, n := range []struct {
		name  string
		count int64
	}{{"from", r.From}, {"pruned", r.Pruned}, {"files", int64(r.Files)}} {
		if n.count > 0 {
			text += fmt.Sprintf(" %s=%d", n.name, n.count)
		}
	}
	return text
}

func fail(stderr io.Writer, err error) int {
	say(stderr, "counterfoil-verify: %s", err.Error())
	if errors.Is(err, errUsage) || errors.Is(err, verify.ErrOptions) {
		return exitUsage
	}
	return exitUnreadable
}

// say writes one line. There is nowhere to report that the output is closed.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

// stamp is the time of an entry, or a dash where the log is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339Nano)
}
