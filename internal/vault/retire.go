package vault

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// This file is the end of a key epoch: versions of the wrapping key are destroyed
// once no backup that has to open was made while anything stood below them. From
// then on nobody opens anywhere what was erased under them. It goes in three
// steps, each of which may be the last before a crash:
//
//  1. RetireVersions is committed: nothing stands below, no hold keeps backups,
//     and no key is ever inserted there again. Nothing is destroyed yet.
//  2. The key service destroys the versions. It can be told so again.
//  3. Finality is committed: which erasures are final, and when.
//
// Who begins anew goes on where the log says that it stopped.

// CountOldestWrap is the count of an entry of kind key_rewrap that holds the
// oldest version of what was wrapped anew. Those before it was kept have none.
const CountOldestWrap = "oldest_wrap_version"

// TrimRequest says how far versions of the wrapping key are to be retired.
type TrimRequest struct {
	// Below is the oldest version that is left; zero chooses the highest for which
	// the backup horizon has passed, or with Now the highest that there is.
	Below int
	// Now does not wait for the backup horizon: younger backups open no more.
	// Reference says on whose word.
	Now       bool
	Reference string
	// Approvals are the ids of approvals by tenant, where the policy demands them.
	Approvals map[string]string
}

// TrimPlan is what retiring versions of a tenant's wrapping key ends.
type TrimPlan struct {
	Tenant string
	// Below is the oldest version that is left. Where Done is set there is nothing
	// to end: none is older than that.
	Below int
	Done  bool
	// Since is when the last key below was wrapped anew or destroyed: backups made
	// before it open no more.
	Since time.Time
	// NotBefore is when the backup horizon has passed; zero where it has, or is not
	// waited for.
	NotBefore time.Time
	// Stale counts keys that stand below, at most RewrapBatch.
	Stale int
	// Holds are those that stand and keep backups.
	Holds []string
	// Final are the erasures that are final by it.
	Final []Erasure

	retired bool // the first step is done
}

// Blocked says what stands in the way, nil where nothing does.
func (p *TrimPlan) Blocked() error {
	switch {
	case p.Done || p.retired: // decided before: the rest only follows
		return nil
	case p.Stale > 0:
		return Errorf(CodeConflict, "keys of %s stand below version %d: wrap them anew first", p.Tenant, p.Below)
	case len(p.Holds) > 0:
		return Errorf(CodeHeld, "%d holds of %s keep its backups", len(p.Holds), p.Tenant)
	case !p.NotBefore.IsZero():
		return Errorf(CodeConflict, "backups of %s made before %s have to open until %s", p.Tenant,
			p.Since.Format(time.RFC3339), p.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// PlanTrim tells what retiring versions of a tenant's wrapping key would end, or
// what stands in the way.
func (s *Service) PlanTrim(ctx context.Context, tenant string, req TrimRequest) (TrimPlan, error) {
	head, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return TrimPlan{}, public(err)
	}
	past, err := s.readEpochs(ctx, tenant)
	if err != nil {
		return TrimPlan{}, public(err)
	}
	p := TrimPlan{Tenant: tenant, Below: req.Below}
	if req.Below == 0 {
		p.Below = s.chooseBelow(head, past, req.Now)
	}
	p.retired = p.Below <= head.RetiredBelow
	// Finality is said of exactly those that were retired.
	if p.Done = p.retired && (p.Below < head.RetiredBelow || past.final >= head.RetiredBelow); p.Done {
		return p, nil
	}
	if p.Since, err = s.nothingBelowSince(ctx, tenant, past, p.Below); err != nil {
		return TrimPlan{}, public(err)
	}
	if end := p.Since.Add(s.finality.BackupHorizon); !req.Now && end.After(s.clock()) {
		p.NotBefore = end
	}
	stale, err := s.registry.StaleKeys(ctx, tenant, p.Below, RewrapBatch)
	if err != nil {
		return TrimPlan{}, public(err)
	}
	p.Stale = len(stale)
	if p.Holds, err = s.holdsOnBackups(ctx, tenant); err != nil {
		return TrimPlan{}, public(err)
	}
	p.Final, err = s.finalBelow(ctx, tenant, p.Below)
	return p, public(err)
}

// epochs is what the log says of the versions of a wrapping key.
type epochs struct {
	minimums []epochStep // as they rose
	rewraps  []epochStep // with the oldest version that was moved
	final    int         // below which versions are said to be destroyed
}

type epochStep struct {
	version int
	at      time.Time
}

// readEpochs reads the entries of all epochs: a few for each week.
func (s *Service) readEpochs(ctx context.Context, tenant string) (epochs, error) {
	e := epochs{final: 1}
	for kind, take := range map[audit.Kind]func(audit.Entry){
		audit.KindKeyRotate: func(entry audit.Entry) {
			e.minimums = append(e.minimums, epochStep{entry.Counts[CountMinWrapVersion], entry.Time})
		},
		audit.KindKeyRewrap: func(entry audit.Entry) {
			e.rewraps = append(e.rewraps, epochStep{entry.Counts[CountOldestWrap], entry.Time})
		},
		audit.KindFinality: func(entry audit.Entry) { e.final = max(e.final, entry.Counts[CountRetiredBelow]) },
	} {
		if err := s.eachEntry(ctx, tenant, kind, take); err != nil {
			return epochs{}, err
		}
	}
	return e, nil
}

// eachEntry reads the entries of a kind, the oldest first.
func (s *Service) eachEntry(ctx context.Context, tenant string, kind audit.Kind, do func(audit.Entry)) error {
	return s.eachStored(ctx, tenant, kind, func(_ StoredEntry, entry audit.Entry) { do(entry) })
}

// eachStored is eachEntry with the entries as they were hashed.
func (s *Service) eachStored(ctx context.Context, tenant string, kind audit.Kind, do func(StoredEntry, audit.Entry)) error {
	q := EntryQuery{Kind: string(kind), Limit: PageEntries}
	for {
		page, err := s.ledger.Entries(ctx, tenant, q)
		if err != nil {
			return err
		}
		for _, stored := range page {
			entry, err := audit.ParseLeaf(stored.Leaf)
			if err != nil {
				return err
			}
			do(stored, entry)
		}
		if len(page) < PageEntries {
			return nil
		}
		q.HasCursor, q.Cursor = true, page[len(page)-1].Index
	}
}

// chooseBelow is the highest version for which the horizon has passed. Where it
// has for none it is the lowest that could be retired next, and where nothing
// could be the one that was.
func (s *Service) chooseBelow(head Head, past epochs, now bool) int {
	if now {
		return head.MinWrapVersion
	}
	below := 0
	for _, step := range past.minimums {
		switch {
		case step.version <= head.RetiredBelow:
		case below == 0, !past.since(step.version).Add(s.finality.BackupHorizon).After(s.clock()):
			below = step.version
		}
	}
	unripe := below == 0 || past.since(below).Add(s.finality.BackupHorizon).After(s.clock())
	if unripe && (below == 0 || past.final < head.RetiredBelow) {
		return head.RetiredBelow // what was begun is brought to its end first
	}
	return below
}

// since is when the last key below a version was wrapped anew, or when no such
// key was written any more where that is later.
func (e epochs) since(below int) time.Time {
	var at time.Time
	for _, step := range e.minimums {
		if step.version >= below {
			at = step.at
			break
		}
	}
	for _, step := range e.rewraps {
		if step.version < below && step.at.After(at) {
			at = step.at
		}
	}
	return at
}

// nothingBelowSince is when the last key below a version was wrapped anew or
// destroyed by an erasure, which moved what stayed of it.
func (s *Service) nothingBelowSince(ctx context.Context, tenant string, past epochs, below int) (time.Time, error) {
	at := past.since(below)
	err := s.eachTombstone(ctx, tenant, TombstoneQuery{Since: at}, func(z Tombstone) {
		if z.WrapVersion < below && z.Rekeyed && z.At.After(at) {
			at = z.At
		}
	})
	return at, err
}

// eachTombstone reads tombstones page by page.
func (s *Service) eachTombstone(ctx context.Context, tenant string, q TombstoneQuery, do func(Tombstone)) error {
	for {
		page, err := s.remains.Tombstones(ctx, tenant, q)
		if err != nil {
			return err
		}
		for _, z := range page {
			do(z)
		}
		if len(page) == 0 {
			return nil
		}
		q.Since, q.After = page[len(page)-1].At, page[len(page)-1].KeyID
	}
}

func (s *Service) holdsOnBackups(ctx context.Context, tenant string) (ids []string, err error) {
	for q := (HoldQuery{Standing: true, Limit: PageHolds}); ; {
		page, err := s.custody.Holds(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		for _, h := range page {
			if h.Backups {
				ids = append(ids, h.ID)
			}
		}
		if len(page) < PageHolds {
			return ids, nil
		}
		q.Before = page[len(page)-1].ID
	}
}

// finalBelow are erasures that are completed, not final yet, and whose keys were
// all wrapped by a version below the given one.
func (s *Service) finalBelow(ctx context.Context, tenant string, below int) (final []Erasure, err error) {
	younger := make(map[string]bool) // erasures with a key that is not below
	err = s.eachTombstone(ctx, tenant, TombstoneQuery{}, func(z Tombstone) {
		if z.WrapVersion >= below || z.WrapVersion == 0 {
			younger[z.ErasureID] = true
		}
	})
	if err != nil {
		return nil, err
	}
	for q := (ErasureQuery{State: ErasureCompleted, Limit: PageErasures}); ; {
		page, err := s.erasures.Erasures(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if e.FinalAt.IsZero() && !younger[e.ID] {
				final = append(final, e)
			}
		}
		if len(page) < PageErasures {
			slices.Reverse(final)
			return final, nil
		}
		q.Before = page[len(page)-1].ID
	}
}

// Trim retires the versions of the plans, in the three steps; destroy does the
// second, for all of them. It tells how many erasures of each tenant are final by
// it. Where any plan is blocked nothing is done.
func (s *Service) Trim(ctx context.Context, call Call, plans []TrimPlan, req TrimRequest, destroy func(context.Context) error) ([]int, error) {
	s = s.under(call)
	if req.Now && !audit.IsIdentifier(req.Reference) {
		return nil, Invalid("/reference", "is required where the backup horizon is not waited for, and must be an identifier")
	}
	for i := range plans {
		if err := plans[i].Blocked(); err != nil {
			return nil, err
		}
	}
	approved := make([]*redeeming, len(plans))
	for i := range plans {
		var err error
		if approved[i], err = s.trimApproval(ctx, call, &plans[i], req); err != nil {
			return nil, err
		}
	}
	for i := range plans {
		if err := s.retire(ctx, call, &plans[i], req, approved[i]); err != nil {
			return nil, err
		}
	}
	if err := destroy(ctx); err != nil {
		return nil, public(err)
	}
	final := make([]int, len(plans))
	for i := range plans {
		if plans[i].Done {
			continue
		}
		entry := s.entry(call, audit.KindFinality, nil)
		entry.Reference = req.Reference
		effect := Finality{Below: plans[i].Below, Backups: s.finality.KeyBackups}
		committed, err := s.commit(ctx, plans[i].Tenant, effect, entry)
		if err != nil {
			return final, s.trimmed(err, plans[i].Tenant)
		}
		final[i] = committed.Outcome.Final
	}
	return final, nil
}

// trimApproval reads the approval of a trim where the policy demands one. Nobody
// calls for the system's own log, and nobody could approve there.
func (s *Service) trimApproval(ctx context.Context, call Call, p *TrimPlan, req TrimRequest) (*redeeming, error) {
	if p.retired || p.Tenant == SystemTenant {
		return nil, nil
	}
	entry := s.entry(call, audit.KindKeyRetire, nil)
	return s.operationApproval(ctx, call, p.Tenant, access.OpTrim, strconv.Itoa(p.Below), req.Approvals[p.Tenant], entry)
}

// retire is the first step.
func (s *Service) retire(ctx context.Context, call Call, p *TrimPlan, req TrimRequest, approved *redeeming) error {
	if p.retired {
		return nil
	}
	entry := s.entry(call, audit.KindKeyRetire, nil)
	entry.Reference = req.Reference
	entry.Counts = map[string]int{CountRetiredBelow: p.Below}
	if req.Now {
		entry.Obligations = []string{"backup_horizon_not_passed"}
	}
	entry.Obligations = append(entry.Obligations, approved.obligations()...)
	_, err := s.commitRiding(ctx, p.Tenant, RetireVersions{Below: p.Below}, entry, &claiming{}, approved.on)
	return s.trimmed(err, p.Tenant)
}

// trimmed says what a commit of a trim came to.
func (s *Service) trimmed(err error, tenant string) error {
	if errors.Is(err, ErrConflict) {
		return Errorf(CodeConflict, "the keys of %s changed meanwhile, or another trim was faster: begin again", tenant).Because(err)
	}
	return public(err)
}
