package main

import (
	"context"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/vault"
)

type keysTrimCommand struct {
	epoch
	DryRun    bool   `help:"Say what would end, and do nothing."`
	Now       bool   `help:"Do not wait for the backup horizon: younger backups open no more. Needs --reference."`
	Reference string `placeholder:"ID" help:"On whose word; stands in the entries."`

	Approval map[string]string `placeholder:"TENANT=ID" help:"Approvals by tenant, where the policy demands them (POST /v1/approvals; the target is the oldest version that stays)."`
}

// Help says what ends.
func (keysTrimCommand) Help() string {
	return "For good. Nothing may stand that such a version wrapped (rewrap first), no hold may keep backups, and the backup\n" +
		"horizon of the configuration must have passed since. Backups of the database from before open no more; what was erased\n" +
		"is final once the key service's own backups, or the copies of the key file, are gone as well. A key file has one key\n" +
		"for all tenants, so they are trimmed together. Where it was interrupted, run it again."
}

// Run trims, and prints for each tenant what ended.
func (c keysTrimCommand) Run(ctx context.Context, s streams) error {
	if c.Now && c.Reference == "" {
		return &exitCoded{exitUsage, fmt.Errorf("--now needs --reference")}
	}
	req := vault.TrimRequest{Now: c.Now, Reference: c.Reference, Approvals: c.Approval}
	return c.on(ctx, func(in *assembly.Instance, tenants []string) error {
		plans, err := in.PlanTrim(ctx, tenants, req)
		if err != nil {
			return err
		}
		if c.DryRun {
			for _, plan := range plans {
				if err := printTrim(s, plan); err != nil {
					return err
				}
			}
			return nil
		}
		final, err := in.Trim(ctx, plans, req)
		for n, plan := range plans[:len(final)] {
			if plan.Done {
				continue
			}
			if _, err := fmt.Fprintf(s.out, "%s: versions below %d are destroyed, %d erasures are final\n", plan.Tenant, plan.Below, final[n]); err != nil {
				return err
			}
		}
		return err
	})
}

// printTrim says what a trim would end, or what stands in the way.
func printTrim(s streams, plan vault.TrimPlan) error {
	if plan.Done {
		_, err := fmt.Fprintf(s.out, "%s: nothing ends, no version is older than %d\n", plan.Tenant, plan.Below)
		return err
	}
	if _, err := fmt.Fprintf(s.out, "%s: versions below %d end, backups from before %s open no more, %d erasures become final\n",
		plan.Tenant, plan.Below, plan.Since.UTC().Format(time.RFC3339), len(plan.Final)); err != nil {
		return err
	}
	for _, e := range plan.Final {
		if _, err := fmt.Fprintf(s.out, "  %s erased %s\n", e.ID, e.ErasedAt.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	if blocked := plan.Blocked(); blocked != nil {
		_, err := fmt.Fprintf(s.out, "  not yet: %v\n", blocked)
		return err
	}
	return nil
}
