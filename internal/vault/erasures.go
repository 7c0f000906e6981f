package vault

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// ErasureReceiptResult is what proves an erasure when its data are gone.
type ErasureReceiptResult struct {
	Erasure ErasureInfo
	Leaf    []byte        // the entry, exactly as it was hashed
	Proof   audit.Receipt // that it is in the log as it stands now
}

// ErasureReceipt returns the entry of an erasure and its proof in the log.
func (s *Service) ErasureReceipt(ctx context.Context, call Call, id string) (ErasureReceiptResult, error) {
	s = s.under(call)
	keys, err := s.read(ctx, call, access.ActionRequestRead)
	if err != nil {
		return ErasureReceiptResult{}, err
	}
	result, err := s.erased(ctx, call.Caller.Tenant, id)
	if err != nil {
		return ErasureReceiptResult{}, err
	}
	stored, err := s.entryOfErasure(ctx, call.Caller.Tenant, result.Erasure)
	if err != nil {
		return ErasureReceiptResult{}, err
	}
	proof, err := s.proveEntry(ctx, call.Caller.Tenant, keys, stored)
	return ErasureReceiptResult{Erasure: *result.Erasure, Leaf: stored.Leaf, Proof: proof}, err
}

// entryOfErasure finds the entry of the commit at ErasedAt. It is that of the
// change that opened the request, where that erased at once, else the one of that
// time which names the request.
func (s *Service) entryOfErasure(ctx context.Context, tenant string, e *ErasureInfo) (StoredEntry, error) {
	kind := string(audit.KindErase)
	for _, q := range []EntryQuery{
		{ChangeID: e.ID, Kind: kind, Limit: 1},
		{Kind: kind, Since: e.ErasedAt, Until: e.ErasedAt.Add(time.Microsecond), Limit: PageEntries},
	} {
		stored, err := s.ledger.Entries(ctx, tenant, q)
		if err != nil {
			return StoredEntry{}, public(err)
		}
		for _, one := range stored {
			entry, err := audit.ParseLeaf(one.Leaf)
			if err != nil {
				return StoredEntry{}, public(err)
			}
			if entry.ChangeID == e.ID || slices.Contains(entry.Obligations, "request:"+e.ID) {
				return one, nil
			}
		}
	}
	return s.entryOfReplay(ctx, tenant, e.ID)
}

// entryOfReplay finds the entry that says that an erasure was done again: the one
// that there is in the log of an older copy of the data, which took over.
func (s *Service) entryOfReplay(ctx context.Context, tenant, id string) (found StoredEntry, err error) {
	err = s.eachStored(ctx, tenant, audit.KindReplay, func(stored StoredEntry, entry audit.Entry) {
		if entry.ReplayOf == id && entry.Seq == 0 {
			found = stored
		}
	})
	if err == nil && found.Leaf == nil {
		err = Errorf(CodeNotFound, "the log has no entry of the erasure")
	}
	return found, public(err)
}

func (s *Service) erased(ctx context.Context, tenant, id string) (ErasureResult, error) {
	found, err := s.erasures.Erasures(ctx, tenant, ErasureQuery{ID: id, Limit: 1})
	if err != nil {
		return ErasureResult{}, public(err)
	}
	if len(found) == 0 {
		return ErasureResult{}, Errorf(CodeNotFound, "there is no such request")
	}
	return ErasureResult{Erasure: s.describeErasure(found[0])}, nil
}

// describeErasure tells of an erasure what may be told. Until its keys are final
// in the key service, that is expected one epoch after its last commit, when all
// that stands is wrapped anew, and the times that backups are kept.
func (s *Service) describeErasure(e Erasure) *ErasureInfo {
	info := &ErasureInfo{
		ID: e.ID, Regime: e.Regime, Reference: e.Reference, State: e.State, Identity: e.Identity,
		ErasedAt: e.ErasedAt, CompletedAt: e.CompletedAt, FinalAt: e.FinalAt,
		SuppressUntil: e.SuppressUntil, Counts: e.Counts,
	}
	for _, use := range e.Destinations {
		known, _ := s.rules().Destination(use.Destination)
		info.Destinations = append(info.Destinations, ToldOf{DestinationUse: use, Vendor: known.Vendor, Region: known.Region})
	}
	if last := e.CompletedAt; !last.IsZero() {
		info.ExpectedFinalAt = last.Add(s.finality.Epoch + s.finality.BackupHorizon + s.finality.KeyBackups)
	}
	return info
}

// ResumeErasures goes on with erasures of a tenant that a hold deferred, as far
// as holds were released since. It is called by the background work, and needs
// nobody's word: the erasure was decided when it began.
func (s *Service) ResumeErasures(ctx context.Context, tenant string) error {
	var failed error
	for before := ""; ; {
		deferred, err := s.erasures.Erasures(ctx, tenant, ErasureQuery{State: ErasureDeferred, Before: before, Limit: PageErasures})
		if err != nil {
			return errors.Join(failed, public(err))
		}
		for _, e := range deferred {
			failed = errors.Join(failed, s.resume(ctx, tenant, e))
			before = e.ID
		}
		if len(deferred) < PageErasures {
			return failed
		}
	}
}

// resume erases what was released. Where others come in between each time it is
// left to the next round.
func (s *Service) resume(ctx context.Context, tenant string, e Erasure) error {
	entry := s.entry(Call{Channel: "lifecycle"}, audit.KindErase, nil)
	entry.Reference, entry.Obligations = e.Reference, []string{"request:" + e.ID}
	job := &eraseJob{s: s, tenant: tenant, entry: entry, erasure: e}
	for range MaxAttempts {
		plan, err := job.plan(ctx)
		if err != nil {
			return public(err)
		}
		due, deferred := 0, 0
		for _, part := range plan.Parts {
			due, deferred = due+part.Erased+part.Shared, deferred+part.Deferred
		}
		if due == 0 && deferred > 0 {
			return nil // held as before
		}
		if _, _, err = job.commit(ctx, plan); !plannable(err) {
			return public(err)
		}
	}
	return nil
}
