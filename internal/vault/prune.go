package vault

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Pruner takes leaf bytes out of a log that were kept long enough. It is the owner
// of a store, which no service is: a command opens it, works and closes it.
type Pruner interface {
	// Prune takes the leaves of a range, and what they are searched by, out of the
	// tables: those of the kinds whose time is before the given one. Hashes, nodes,
	// times and change ids stay, and so does every proof. It works in batches of
	// PruneBatch, each of which is whole or not at all, and may be repeated: what is
	// out stays out. Told how many leaves went in this call.
	//
	// An entry of kind prune is committed before it and names the range: the log may
	// say more than was done, never less.
	Prune(ctx context.Context, tenant string, p Pruning) (int64, error)
}

// Pruning says which leaves are to go.
type Pruning struct {
	From, To int64 // [From, To)
	Kinds    []audit.Kind
	Before   time.Time
}

// PruneBatch is how many leaves one transaction of a Pruner takes out: tens of
// megabytes at most, so that it ends within a second.
const PruneBatch = 2000

// The counts of an entry of kind prune.
const (
	CountPruneFrom = "from"
	CountPruneTo   = "to"
)

// lasting are the kinds whose leaves stay for ever: what explains the others, who
// signs, what was pruned, which policies there were, and what the head of a log
// keeps of its entries.
var lasting = []audit.Kind{
	audit.KindPrune, audit.KindLogRotate, audit.KindPolicyLoad, audit.KindPolicyPropose, audit.KindPolicyChange,
	audit.KindTenantCreate, audit.KindTenantSuspend, audit.KindTenantResume, audit.KindTenantClose,
	audit.KindKeyRotate, audit.KindKeyRetire, audit.KindRecover,
}

// PrunePlan is what of a log has been kept long enough.
type PrunePlan struct {
	Tenant string
	Pruning
	Tokenize bool // it is about the entries of tokenize requests
	Months   int  // for which they were kept
	Leaves   map[string]int
	// Waiting are leaves that were kept long enough and are not exported yet.
	Waiting int64
}

// Total is how many leaves would go.
func (p PrunePlan) Total() int {
	n := 0
	for _, count := range p.Leaves {
		n += count
	}
	return n
}

// PlanPrune says what may be taken out of the log of a tenant, by what its policy
// keeps and by how far the log was exported: what is in no archive stays.
func (s *Service) PlanPrune(ctx context.Context, tenant string) ([]PrunePlan, error) {
	exported, err := s.Bookmark(ctx, tenant, NoteExport)
	if err != nil {
		return nil, err
	}
	var plans []PrunePlan
	for _, kept := range s.policies.of(tenant).LogRetention(tenant) {
		before := s.clock().UTC().AddDate(0, -kept.Months, 0)
		plan := PrunePlan{Tenant: tenant, Tokenize: kept.Tokenize, Months: kept.Months, Leaves: make(map[string]int)}
		plan.Before = before
		younger, err := s.ledger.Entries(ctx, tenant, EntryQuery{Since: before, Limit: 1})
		if err != nil {
			return nil, public(err)
		}
		end := int64(math.MaxInt64)
		if len(younger) > 0 {
			end = younger[0].Index
		}
		plan.To = min(end, exported.Order)
		for _, kind := range prunable(kept.Tokenize) {
			if err := s.countPrunable(ctx, &plan, kind, exported.Order); err != nil {
				return nil, public(err)
			}
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

func prunable(tokenize bool) []audit.Kind {
	if tokenize {
		return []audit.Kind{audit.KindTokenize}
	}
	var kinds []audit.Kind
	for _, info := range audit.Kinds() {
		if info.Kind != audit.KindTokenize && !slices.Contains(lasting, info.Kind) {
			kinds = append(kinds, info.Kind)
		}
	}
	return kinds
}

// countPrunable adds the leaves of a kind to a plan. Of what was pruned there is
// nothing to find any more.
func (s *Service) countPrunable(ctx context.Context, plan *PrunePlan, kind audit.Kind, exported int64) error {
	all, err := s.ledger.CountEntries(ctx, plan.Tenant, EntryQuery{Kind: string(kind), Until: plan.Before})
	if err != nil || all == 0 {
		return err
	}
	// Those that are not exported are the last of them, and few.
	waiting := int64(0)
	q := EntryQuery{Kind: string(kind), Until: plan.Before, HasCursor: true, Cursor: exported - 1, Limit: PageEntries}
	for {
		page, err := s.ledger.Entries(ctx, plan.Tenant, q)
		if err != nil {
			return err
		}
		if waiting += int64(len(page)); len(page) < PageEntries {
			break
		}
		q.Cursor = page[len(page)-1].Index
	}
	plan.Waiting += waiting
	if all > waiting {
		plan.Kinds = append(plan.Kinds, kind)
		plan.Leaves[string(kind)] = int(all - waiting)
	}
	return nil
}

// RecordPrune writes down that the leaves of a plan are taken out, before they are.
func (s *Service) RecordPrune(ctx context.Context, call Call, plan PrunePlan) error {
	s = s.under(call)
	entry := s.entry(call, audit.KindPrune, nil)
	entry.Decision = audit.Allow
	entry.Results = plan.Leaves
	entry.Counts = map[string]int{CountPruneFrom: int(plan.From), CountPruneTo: int(plan.To), "leaves": plan.Total()}
	_, err := s.commit(ctx, plan.Tenant, Record{}, entry)
	return public(err)
}
