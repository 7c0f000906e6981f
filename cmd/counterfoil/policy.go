package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

type policyCommands struct {
	Test policyTestCommand `cmd:"" help:"Run the decision tables; a combination without a decision fails."`
}

type policyTestCommand struct {
	Dir string `type:"existingdir" help:"A policy bundle. Default: the shipped one."`
}

// Run prints the report and fails where a table disagrees or has a gap.
func (c policyTestCommand) Run(ctx context.Context, s streams) error {
	var bundle fs.FS = authz.FS
	if c.Dir != "" {
		bundle = os.DirFS(c.Dir)
	}
	policy, err := access.Load(bundle)
	if err != nil {
		return err
	}
	report, err := policy.Check(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(s.out, report); err != nil {
		return err
	}
	return report.Err()
}
