package vault

import (
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
)

// ControlInfo is a control and how it went when it was last tried.
type ControlInfo struct {
	ID, Title, Query, Frequency string
	Clauses                     []string // of the frameworks that it is evidence for
	Result                      string   // pass, fail, partial or not_tested; empty: never tried
	Population, Exceptions      int
	Entries                     []int64  // of the exceptions, the first of them; only where it was tried just now
	Detail                      []string // likewise
	At, Due                     time.Time
}

// The counts of an entry of kind control.
const (
	CountPopulation = "population"
	CountExceptions = "exceptions"
	CountUnknown    = "unknown"
)

// controlEvery is how often a control is tried by itself: for each try the log is
// walked.
func controlEvery(f controls.Frequency) time.Duration {
	const day = 24 * time.Hour
	switch f {
	case controls.Continuous:
		return time.Hour
	case controls.Daily:
		return day
	case controls.Weekly:
		return 7 * day
	case controls.Monthly:
		return 30 * day
	default:
		return 91 * day
	}
}

// controlPeriod is what a control that is tried by itself looks at: the time since
// the last try, and a day at least.
func controlPeriod(f controls.Frequency) time.Duration {
	return max(controlEvery(f), 24*time.Hour)
}

// checkedPeriod is what all controls look at that somebody tries by hand: a quarter.
const checkedPeriod = 92 * 24 * time.Hour

// Controls returns all controls with their last results.
func (s *Service) Controls(ctx context.Context, call Call) ([]ControlInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionControls); err != nil {
		return nil, err
	}
	return s.lastControls(ctx, call.Caller.Tenant)
}

// lastControls reads the last results of all controls from the log.
func (s *Service) lastControls(ctx context.Context, tenant string) ([]ControlInfo, error) {
	infos := make([]ControlInfo, len(s.controls.Controls))
	for i, c := range s.controls.Controls {
		infos[i] = describeControl(c)
		last, err := s.ledger.Entries(ctx, tenant, EntryQuery{Kind: string(audit.KindControl), Reference: c.ID, Descending: true, Limit: 1})
		if err != nil {
			return nil, public(err)
		}
		if len(last) == 0 || last[0].Leaf == nil {
			continue
		}
		entry, err := audit.ParseLeaf(last[0].Leaf)
		if err != nil {
			return nil, public(err)
		}
		infos[i].Result, infos[i].At, infos[i].Due = entry.Code, entry.Time, entry.Time.Add(controlEvery(c.Frequency))
		infos[i].Population, infos[i].Exceptions = entry.Counts[CountPopulation], entry.Counts[CountExceptions]
	}
	return infos, nil
}

func describeControl(c controls.Control) ControlInfo {
	return ControlInfo{ID: c.ID, Title: c.Title, Query: c.Query, Frequency: string(c.Frequency), Clauses: c.Clauses}
}

// CheckControls tries all controls over the last quarter; each result is an entry.
func (s *Service) CheckControls(ctx context.Context, call Call) ([]ControlInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionControls); err != nil {
		return nil, err
	}
	return s.tryControls(ctx, call, call.Caller.Tenant, s.controls, checkedPeriod)
}

// TryDueControls tries the controls of a tenant whose time has come.
func (s *Service) TryDueControls(ctx context.Context, tenant string) (bool, error) {
	last, err := s.lastControls(ctx, tenant)
	if err != nil {
		return false, err
	}
	due := make(map[time.Duration][]controls.Control)
	for i, c := range s.controls.Controls {
		if !s.clock().Before(last[i].Due) {
			due[controlPeriod(c.Frequency)] = append(due[controlPeriod(c.Frequency)], c)
		}
	}
	for period, list := range due {
		some := s.controls
		some.Controls = list
		if _, err := s.tryControls(ctx, Call{Channel: "lifecycle"}, tenant, some, period); err != nil {
			return false, err
		}
	}
	return false, nil
}

// tryControls tries some controls over the time up to now.
func (s *Service) tryControls(ctx context.Context, call Call, tenant string, some controls.Catalogue, length time.Duration) ([]ControlInfo, error) {
	head, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return nil, public(err)
	}
	facts, err := s.Facts(ctx, tenant)
	if err != nil {
		return nil, err
	}
	// Periods are whole seconds; this one ends with the second that is under way.
	to := s.clock().UTC().Truncate(time.Second).Add(time.Second)
	period := evidence.Period{From: to.Add(-length), To: to}
	results, err := controls.Run(ctx, some, s.Log(ctx, tenant, head.Frontier.Size), facts, period)
	if err != nil {
		return nil, public(err)
	}
	infos := make([]ControlInfo, len(results))
	for i, r := range results {
		entry := s.entry(call, audit.KindControl, nil)
		entry.Reference, entry.Code = r.ID, string(r.Outcome)
		entry.Counts = map[string]int{CountPopulation: r.Population, CountExceptions: r.Exceptions, CountUnknown: r.Unknown}
		committed, err := s.commit(ctx, tenant, Record{}, entry)
		if err != nil {
			return nil, public(err)
		}
		infos[i] = describeControl(r.Control)
		infos[i].Result, infos[i].At, infos[i].Due = string(r.Outcome), committed.At, committed.At.Add(controlEvery(r.Frequency))
		infos[i].Population, infos[i].Exceptions = r.Population, r.Exceptions
		infos[i].Entries, infos[i].Detail = slices.Clone(r.Entries), slices.Clone(r.Detail)
	}
	return infos, nil
}

// ControlsTable tries all controls over a period, for its evidence. Nothing is
// recorded: the bundle says it.
func (s *Service) ControlsTable(ctx context.Context, log evidence.Source, facts evidence.Facts, period evidence.Period) (evidence.Table, error) {
	results, err := controls.Run(ctx, s.controls, log, facts, period)
	if err != nil {
		return evidence.Table{}, public(err)
	}
	return controls.Table(results), nil
}

// ControlIDs are the names of all controls.
func (s *Service) ControlIDs() []string {
	ids := make([]string, len(s.controls.Controls))
	for i, c := range s.controls.Controls {
		ids[i] = c.ID
	}
	return ids
}
