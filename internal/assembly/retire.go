package assembly

import (
	"context"
	"errors"
	"slices"

	"github.com/counterfoil/counterfoil/internal/localkey"
	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ErrSharedKey says that tenants whose keys are in one file are trimmed together.
var ErrSharedKey = errors.New("assembly: a key file has one key for all tenants, so that they are trimmed together")

// PlanTrim tells what retiring versions of the wrapping keys of the tenants would
// end, or what stands in the way. A key file has one key for all tenants: there
// the oldest version that any of them needs is the oldest for all.
func (in *Instance) PlanTrim(ctx context.Context, tenants []string, req vault.TrimRequest) ([]vault.TrimPlan, error) {
	plans, err := in.planEach(ctx, tenants, req)
	if _, local := in.key.(*localkey.Key); !local || err != nil {
		return plans, err
	}
	all, err := in.Service.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range all {
		if !slices.Contains(tenants, name) {
			return nil, ErrSharedKey
		}
	}
	req.Below = plans[0].Below
	for _, p := range plans {
		req.Below = min(req.Below, p.Below)
	}
	return in.planEach(ctx, tenants, req)
}

func (in *Instance) planEach(ctx context.Context, tenants []string, req vault.TrimRequest) ([]vault.TrimPlan, error) {
	var plans []vault.TrimPlan
	for _, tenant := range tenants {
		plan, err := in.Service.PlanTrim(ctx, tenant, req)
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// Trim retires the versions that PlanTrim told of, for good, and tells how many
// erasures of each tenant are final by it. After a crash it is run again.
func (in *Instance) Trim(ctx context.Context, plans []vault.TrimPlan, req vault.TrimRequest) ([]int, error) {
	return in.Service.Trim(ctx, keysCall, plans, req, func(ctx context.Context) error {
		var due []vault.TrimPlan
		for _, p := range plans {
			if !p.Done {
				due = append(due, p)
			}
		}
		if len(due) == 0 {
			return nil
		}
		if local, ok := in.key.(*localkey.Key); ok {
			return local.Retire(ctx, due[0].Below) // of all of them the same
		}
		return administer(ctx, in.backends, func(keys *transit.Keys) error {
			for _, p := range due {
				if err := keys.Retire(ctx, p.Tenant, p.Below); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
