// Command counterfoil is the restoration vault: it takes personal data out of
// prompts, keeps the encrypted mappings, and gives values back for a reason
// that is written down first.
//
//	counterfoil dev            the development mode, for one machine
//	counterfoil token          a credential of the development issuer
//	counterfoil serve          a configured service
//	counterfoil config check   every fault of a configuration
//	counterfoil keys           make, rotate, rewrap and retire wrapping keys
//	counterfoil tenant create  make a tenant
//	counterfoil tenant list    list the tenants
//	counterfoil hold           place, list, show, review and release legal holds
//	counterfoil subject        say where a person is found, tie values to a person
//	counterfoil request        answer requests of persons, erase with a receipt
//	counterfoil retention      say what is kept for how long
//	counterfoil restoration    ask for, approve and redeem restorations
//	counterfoil approval       ask for and approve other operations
//	counterfoil review         look at the uses of emergency reasons
//	counterfoil quota          say how much may still be restored
//	counterfoil suspension     stop restorations, and let them go on
//	counterfoil incident       say who was exposed, keep an incident and its clocks
//	counterfoil consent        write consents of persons down
//	counterfoil access-review  review who may have what back
//	counterfoil log            change the keys of logs, prune what was kept long enough
//	counterfoil audit          search the log, have entries and its continuity proven
//	counterfoil evidence       fetch bundles of evidence, list populations, draw samples
//	counterfoil controls       say how the controls stand, try them now
//	counterfoil verify         check the logs of a service, a bundle, or a receipt
//	counterfoil backup         copy the SQLite database of a service
//	counterfoil recover        take up an older copy of the database
//	counterfoil policy         test, explain, pack and sign policies; propose and promote them
//	counterfoil detect scan    find personal data in texts, for pipelines
//	counterfoil detect train   make the model of names from texts that may be shipped
//	counterfoil version        what this is
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/counterfoil/counterfoil/internal/config"
)

// version is set by the linker.
var version = "unknown"

// Exit codes. verify has its own for a fault that it found.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

type commands struct {
	Dev       devCommand        `cmd:"" help:"Run the embedded service on this machine."`
	Token     tokenCommand      `cmd:"" help:"Print a credential of the development issuer."`
	Serve     serveCommand      `cmd:"" help:"Run a configured service."`
	Config    configCommands    `cmd:"" help:"Work with a configuration."`
	Keys      keysCommands      `cmd:"" help:"Work with the wrapping keys of a configured service."`
	Log       logCommands       `cmd:"" help:"Work with the logs of a configured service."`
	Migrate   migrateCommands   `cmd:"" help:"Work with the tables of a configured service on PostgreSQL."`
	Tenant    tenantCommands    `cmd:"" help:"Work with the tenants of a configured service."`
	Hold      holdCommands      `cmd:"" help:"Work with legal holds, as a caller of a service."`
	Subject   subjectCommands   `cmd:"" help:"Find what there is of a person, as a caller of a service."`
	Request   requestCommands   `cmd:"" help:"Answer what persons ask for, as a caller of a service."`
	Retention retentionCommands `cmd:"" help:"Say what is kept for how long, as a caller of a service."`

	Restoration  restorationCommands  `cmd:"" help:"Have values back that others must agree to, as a caller of a service."`
	Approval     approvalCommands     `cmd:"" help:"Have operations approved, as a caller of a service."`
	Review       reviewCommands       `cmd:"" help:"Look at the uses of emergency reasons, as a caller of a service."`
	Quota        quotaCommand         `cmd:"" help:"Say how much may still be restored in this hour, as a caller of a service."`
	Suspension   suspensionCommands   `cmd:"" help:"Stop restorations, as a caller of a service."`
	Incident     incidentCommands     `cmd:"" help:"Work with incidents, as a caller of a service."`
	Consent      consentCommands      `cmd:"" help:"Work with consents of persons, as a caller of a service."`
	AccessReview accessReviewCommands `cmd:"" help:"Review who may have what back, as a caller of a service."`

	Audit    auditCommands    `cmd:"" help:"Read the log, as a caller of a service."`
	Evidence evidenceCommands `cmd:"" help:"Have evidence of the log, as a caller of a service or of a bundle."`
	Controls controlsCommands `cmd:"" help:"See whether the controls hold, as a caller of a service."`

	Verify  verifyCommand  `cmd:"" help:"Check the logs of a service, a log from outside, or the receipt of an erasure."`
	Backup  backupCommand  `cmd:"" help:"Copy the SQLite database of a configured service."`
	Recover recoverCommand `cmd:"" help:"Take up an older copy of the database, with what was erased since erased again."`
	Policy  policyCommands `cmd:"" help:"Work with the policy."`
	Detect  detectCommands `cmd:"" help:"Work with detection alone: it asks no service."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are where a command writes.
type streams struct{ out, err io.Writer }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("counterfoil"), kong.Description("A restoration vault for LLM prompts."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.Vars{"listen": config.DevListen},
	)
	if err != nil {
		panic("counterfoil: the command line is not well formed: " + err.Error())
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for
		return exited
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "counterfoil:", err)
		return exitUsage
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(streams{stdout, stderr})
	var coded *exitCoded
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		_, _ = fmt.Fprintln(stderr, "counterfoil:", coded.err)
		return coded.code
	default:
		_, _ = fmt.Fprintln(stderr, "counterfoil:", err)
		return exitError
	}
}

// exitCoded is an error that ends the process with a code of its own.
type exitCoded struct {
	code int
	err  error
}

func (e *exitCoded) Error() string { return e.err.Error() }
func (e *exitCoded) Unwrap() error { return e.err }

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "counterfoil", version)
	return err
}
