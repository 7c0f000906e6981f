package main

import (
	"context"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/vault"
)

type logCommands struct {
	Rotate logRotateCommand `cmd:"" help:"Give the logs new signing keys, for which the old ones vouch."`
	Prune  logPruneCommand  `cmd:"" help:"Take leaves out of the logs that were kept long enough and are exported."`
}

type logRotateCommand struct{ epoch }

// Help says what becomes of the old keys.
func (logRotateCommand) Help() string {
	return "What the old key signed stays good: receipts are kept for years. The handover, which both keys sign, is at\n" +
		"GET /v1/audit/keys and in every export and bundle: whoever trusts the old key can go on from it. On PostgreSQL the\n" +
		"service goes on, and signs with the new key within seconds; on SQLite it must be stopped."
}

// Run rotates, and prints the new key of each tenant.
func (c logRotateCommand) Run(ctx context.Context, s streams) error {
	return c.on(ctx, func(in *assembly.Instance, tenants []string) error {
		return in.RotateLogKeys(ctx, tenants, func(tenant string, key vault.LogKey) error {
			_, err := fmt.Fprintf(s.out, "%s: version %d signs: %s\n", tenant, key.Version, key.Key)
			return err
		})
	})
}

type logPruneCommand struct {
	epoch
	DryRun bool `help:"Say what would go, and do nothing."`
}

// Help says what stays.
func (logPruneCommand) Help() string {
	return "For good. The policy says how long leaves are kept (retention.yaml, log). What is not exported stays. Leaf hashes,\n" +
		"nodes and proofs stay, and an entry says which range was pruned: verify goes on finding the log sound. It needs the\n" +
		"owner of the database (store.postgres.owner_dsn_file); on SQLite the service must be stopped. Where it was\n" +
		"interrupted, run it again."
}

// Run prunes, and prints what went.
func (c logPruneCommand) Run(ctx context.Context, s streams) error {
	var plans []vault.PrunePlan
	err := c.on(ctx, func(in *assembly.Instance, tenants []string) error {
		for _, tenant := range tenants {
			some, err := in.Service.PlanPrune(ctx, tenant)
			if err != nil {
				return fmt.Errorf("%s: %w", tenant, err)
			}
			plans = append(plans, some...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, plan := range plans {
		kinds := "others"
		if plan.Tokenize {
			kinds = "of tokenize requests"
		}
		if _, err := fmt.Fprintf(s.out, "%s: %d leaves %s are from before %s (%d months), %d more are not exported\n",
			plan.Tenant, plan.Total(), kinds, plan.Before.Format(time.DateOnly), plan.Months, plan.Waiting); err != nil {
			return err
		}
	}
	if c.DryRun {
		return nil
	}
	return c.prune(ctx, s, plans)
}

func (c logPruneCommand) prune(ctx context.Context, s streams, plans []vault.PrunePlan) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	owner := ""
	if p := cfg.Store.Postgres; p != nil && p.Owner != "" {
		if owner, err = config.ReadSecret(p.Owner); err != nil {
			return fmt.Errorf("store.postgres.owner_dsn_file: %w", err)
		}
	}
	gone, err := assembly.PruneLog(ctx, backends, owner, serviceOptions(cfg, nil), plans)
	for i, n := range gone {
		if n == 0 {
			continue
		}
		if _, err := fmt.Fprintf(s.out, "%s: %d leaves are gone\n", plans[i].Tenant, n); err != nil {
			return err
		}
	}
	return explained(err)
}
