package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Quota says what is left of the budgets of the caller.
func (a *api) Quota(ctx context.Context, r gen.QuotaRequestObject) (gen.QuotaResponseObject, error) {
	ctx, x := begin(ctx)
	lines, err := a.service.Quota(ctx, x.call, value(r.Params.Reason))
	if err != nil {
		return nil, err
	}
	return ok(gen.QuotaAnswer{Budgets: each(lines, quota), RequestId: x.requestID}), nil
}

func quota(l *vault.QuotaLine) gen.Quota {
	return gen.Quota{
		Reason: l.Reason, Per: gen.BudgetPer(l.Per), Class: optional(gen.EntityClass(l.Class)),
		Limit: int64(l.Limit), Used: int64(l.Used), ResetsAt: l.ResetsAt,
		// A policy that was narrowed within the hour may give less than was used.
		Remaining: int64(max(l.Limit-l.Used, 0)),
	}
}
