package vault

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// maxAge is how long a value of an entity may be kept at most, on its way to the
// destination of a request and in a scope of its kind.
func (j *tokenizeJob) maxAge(entity string) time.Duration {
	return j.s.rules().Retention(access.RetentionQuery{
		Tenant: j.call.Caller.Tenant, Entity: entity,
		Destinations: j.route.Names(), ScopeKind: string(j.scope.Kind),
	})
}

// retentionOf are the rules in force for a tenant.
func (s *Service) retentionOf(tenant string) []RetentionLine {
	var lines []RetentionLine
	for _, r := range s.rules().RetentionRules(tenant) {
		lines = append(lines, RetentionLine{
			Class: r.Class, Entity: r.Entity, Destination: r.Destination, ScopeKind: ScopeKind(r.ScopeKind), For: r.For,
		})
	}
	return lines
}

// RetentionReport says what is kept for how long, what there is, and what the
// last sweep destroyed.
func (s *Service) RetentionReport(ctx context.Context, call Call) (RetentionReport, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionRetentionRead); err != nil {
		return RetentionReport{}, err
	}
	tenant := call.Caller.Tenant
	inventory, err := s.remains.Inventory(ctx, tenant)
	if err != nil {
		return RetentionReport{}, public(err)
	}
	report := RetentionReport{
		At: s.clock().UTC(), Settings: s.retentionOf(tenant), Inventory: inventory,
		Records: RecordsRetention{
			Requests: s.rules().RequestsRetention(), Idempotency: ClaimLife,
			Suppressions: "as asked", Tombstones: "for ever", Log: "for ever",
		},
	}
	stored, err := s.ledger.Entries(ctx, tenant, EntryQuery{Kind: string(audit.KindSweep), Descending: true, Limit: 1})
	if err != nil {
		return RetentionReport{}, public(err)
	}
	for _, one := range stored {
		entry, err := audit.ParseLeaf(one.Leaf)
		if err != nil {
			return RetentionReport{}, public(err)
		}
		report.LastSweep, report.Swept = entry.Time, entry.Counts
	}
	return report, nil
}
