package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/assembly"
)

type recoverCommand struct {
	configFile
	Reference string   `required:"" placeholder:"ID" help:"On whose word; stands in the entries."`
	Lost      []string `placeholder:"TENANT" help:"A tenant that is not in the copy, and is given up: its anchor is put aside."`
	DryRun    bool     `help:"Say what would be done, and do nothing."`
}

// Help says when it is for.
func (recoverCommand) Help() string {
	return "For a database that is older than its anchors, which serve refuses, where no newer copy is left. What was erased\n" +
		"since the copy was made is erased again, by the journal beside the anchors; the log says what is lost, and is anchored\n" +
		"anew. The service must be stopped. Where it was interrupted, run it again. Everything else that happened since the\n" +
		"copy was made is lost: values, ties to persons, holds and requests."
}

// Run recovers, and prints what became of each tenant.
func (c recoverCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	req := assembly.RecoverRequest{Reference: c.Reference, Lost: c.Lost, DryRun: c.DryRun}
	done, err := assembly.Recover(ctx, backends, req, serviceOptions(cfg, nil))
	for _, one := range done {
		if _, err := fmt.Fprintln(s.out, describeRecovery(one)); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, assembly.ErrLost):
		return fmt.Errorf("%w\n(--lost TENANT gives it up)", err)
	case errors.Is(err, assembly.ErrFault):
		return &exitCoded{exitError, fmt.Errorf("recover: the log of the copy is not sound: %w", err)}
	}
	return explained(err)
}

func describeRecovery(r assembly.Recovered) string {
	switch {
	case r.Lost:
		return fmt.Sprintf("%s: given up, its anchor of %d entries is put aside", r.Tenant, r.Anchored)
	case !r.Older:
		return fmt.Sprintf("%s: is as its anchor says", r.Tenant)
	}
	return fmt.Sprintf("%s: has %d entries of at least %d; %d erasures again: %d keys, %d values gone, %d sealed anew",
		r.Tenant, r.Size, r.Anchored, r.Erasures, r.Keys, r.Erased, r.Rekeyed)
}
