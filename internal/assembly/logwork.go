package assembly

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ownerCall is how entries say that the owner of a store did it.
var ownerCall = vault.Call{Channel: "owner"}

// RotateLogKeys gives the logs of the tenants new signing keys, and keeps the public
// ones beside those before them.
func (in *Instance) RotateLogKeys(ctx context.Context, tenants []string, told func(tenant string, key vault.LogKey) error) error {
	for _, tenant := range tenants {
		key, err := in.Service.RotateLogKey(ctx, keysCall, tenant)
		if err == nil {
			err = in.keepLogKey(ctx, tenant)
		}
		if err == nil {
			err = told(tenant, key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", tenant, err)
		}
	}
	return nil
}

// ErrNoOwner says that nothing tells how to reach the database as its owner.
var ErrNoOwner = errors.New("assembly: store.postgres.owner_dsn_file is needed to prune")

// PruneLog takes the leaves of the plans out of the tables, as the owner of the
// store. Each plan is in the log before. After a crash it is planned and run again:
// what is out stays out.
func PruneLog(ctx context.Context, b Backends, ownerDSN string, opts Options, plans []vault.PrunePlan) (_ []int64, err error) {
	if b.Postgres != nil && ownerDSN == "" {
		return nil, ErrNoOwner
	}
	err = Operate(ctx, b, opts, func(in *Instance) error {
		for _, plan := range plans {
			if plan.Total() == 0 {
				continue
			}
			if err := in.Service.RecordPrune(ctx, ownerCall, plan); err != nil {
				return fmt.Errorf("%s: %w", plan.Tenant, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	pruner, closer, err := openPruner(ctx, b, ownerDSN, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	gone := make([]int64, len(plans))
	for i, plan := range plans {
		if plan.Total() == 0 {
			continue
		}
		if gone[i], err = pruner.Prune(ctx, plan.Tenant, plan.Pruning); err != nil {
			return gone, fmt.Errorf("%s: %w", plan.Tenant, err)
		}
	}
	return gone, nil
}

func openPruner(ctx context.Context, b Backends, ownerDSN string, opts Options) (vault.Pruner, io.Closer, error) {
	if b.Postgres != nil {
		p, err := postgres.OpenPruner(ctx, ownerDSN)
		return p, p, err
	}
	p, err := sqlite.OpenPruner(ctx, b.Database, sqlite.Options{Clock: opts.withDefaults().Clock})
	return p, p, err
}
