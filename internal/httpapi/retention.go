package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RetentionReport says what is kept for how long, and what is there.
func (a *api) RetentionReport(ctx context.Context, _ gen.RetentionReportRequestObject) (gen.RetentionReportResponseObject, error) {
	ctx, x := begin(ctx)
	report, err := a.service.RetentionReport(ctx, x.call)
	if err != nil {
		return nil, err
	}
	answer := gen.RetentionReport{
		At: report.At, Settings: retentionLines(report.Settings), Inventory: inventory(&report.Inventory),
		Records: gen.RecordsRetention{
			RequestsSeconds:    int64(report.Records.Requests / time.Second),
			IdempotencySeconds: int64(report.Records.Idempotency / time.Second),
			Suppressions:       report.Records.Suppressions, Tombstones: report.Records.Tombstones, Log: report.Records.Log,
		},
		RequestId: x.requestID,
	}
	if !report.LastSweep.IsZero() {
		answer.LastSweep = &gen.LastSweep{At: report.LastSweep, Counts: tally(report.Swept)}
	}
	return ok(answer), nil
}

func retentionLines(lines []vault.RetentionLine) []gen.RetentionLine {
	out := make([]gen.RetentionLine, 0, len(lines))
	for _, l := range lines {
		out = append(out, gen.RetentionLine{
			Class: optional(gen.EntityClass(l.Class)), Entity: optional(l.Entity), Destination: optional(l.Destination),
			ScopeKind: optional(gen.ScopeKind(l.ScopeKind)), Seconds: int64(l.For / time.Second),
		})
	}
	return out
}

func inventory(i *vault.Inventory) gen.Inventory {
	out := gen.Inventory{
		Mappings: make([]gen.InventoryLine, 0, len(i.Mappings)),
		Scopes:   int64(i.Scopes), Subjects: int64(i.Subjects), DataKeys: int64(i.DataKeys), Holds: int64(i.Holds),
		Tombstones: int64(i.Tombstones), Suppressions: int64(i.Suppressions), IdempotencyKeys: int64(i.Claims),
		RequestsOpen: int64(i.RequestsOpen), RequestsClosed: int64(i.RequestsClosed), OldestClosedAt: moment(i.OldestClosed),
		Erasures: int64(i.Erasures), ErasuresDeferred: int64(i.ErasuresDeferred),
	}
	for _, l := range i.Mappings {
		out.Mappings = append(out.Mappings, gen.InventoryLine{
			Class: gen.EntityClass(l.Class), ScopeKind: gen.ScopeKind(l.Kind), Live: int64(l.Live), Expired: int64(l.Expired),
			Held: int64(l.Held), Retired: int64(l.Retired), Erased: int64(l.Erased),
			OldestAt: moment(l.Oldest), LastEndsAt: moment(l.LastEnds),
		})
	}
	return out
}
