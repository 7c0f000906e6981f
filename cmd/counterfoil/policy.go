package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/vault"
)

type policyCommands struct {
	Test    policyTestCommand    `cmd:"" help:"Run the decision tables and the texts; a combination without a decision fails."`
	Explain policyExplainCommand `cmd:"" help:"Say what would be decided of one request, and why."`
	Diff    policyDiffCommand    `cmd:"" help:"Say in what two policies differ, and who gets more or less."`
	Matrix  policyMatrixCommand  `cmd:"" help:"List who can restore what for which reason."`
	Pack    policyPackCommand    `cmd:"" help:"Write a tested policy as one file."`
	Keygen  policyKeygenCommand  `cmd:"" help:"Make a key that signs policies."`
	Sign    policySignCommand    `cmd:"" help:"Sign a tested policy."`
	Verify  policyVerifyCommand  `cmd:"" help:"Check the signature of a policy, its tables and its texts."`

	policyChangeCommands
}

// policyFlag is the policy that a command is about.
type policyFlag struct {
	Dir string `type:"path" placeholder:"PATH" help:"A policy: a directory, a .tar or a .tar.gz. Default: the shipped one."`
}

func (f policyFlag) bundle() (*access.Bundle, error) { return openBundle(f.Dir) }

func (f policyFlag) load() (*access.Policy, error) {
	bundle, err := f.bundle()
	if err != nil {
		return nil, err
	}
	return bundle.Load()
}

// openBundle opens a policy, the shipped one where there is no path.
func openBundle(path string) (*access.Bundle, error) {
	if path == "" {
		return access.BundleOf(authz.FS)
	}
	return access.OpenBundle(path)
}

type policyTestCommand struct{ policyFlag }

// Run prints the reports and fails where a table or a text disagrees, or a
// combination has no decision.
func (c policyTestCommand) Run(ctx context.Context, s streams) error {
	bundle, err := c.bundle()
	if err != nil {
		return err
	}
	policy, err := bundle.Load()
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
	failures, err := checkTexts(ctx, policy)
	if err != nil {
		return err
	}
	for _, f := range failures {
		if _, err := fmt.Fprintln(s.out, "FAIL", f); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(s.out, "%d texts, %d failures\nversion %s\ntests   %s\n",
		len(policy.Texts()), len(failures), bundle.Version(), bundle.TestsDigest()); err != nil {
		return err
	}
	return errors.Join(report.Err(), textsErr(failures))
}

func checkTexts(ctx context.Context, policy *access.Policy) ([]vault.TextFailure, error) {
	detector, err := detect.New(detect.Options{})
	if err != nil {
		return nil, err
	}
	return vault.CheckTexts(ctx, policy, detector)
}

func textsErr(failures []vault.TextFailure) error {
	switch len(failures) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("a text does not come out as it says: %s", failures[0])
	}
	return fmt.Errorf("a text does not come out as it says: %s (and %d more)", failures[0], len(failures)-1)
}

// believed says whether a service would take the policy: everything in it holds,
// the tables and the texts too.
func believed(ctx context.Context, bundle *access.Bundle) error {
	policy, err := bundle.Policy(ctx)
	if err != nil {
		return err
	}
	failures, err := checkTexts(ctx, policy)
	if err != nil {
		return err
	}
	return textsErr(failures)
}
