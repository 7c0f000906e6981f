package vault

import (
	"context"
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// regimes are whose clock may run, and until when a request has to be answered:
// GDPR Art. 12(3), one calendar month; CCPA 1798.130(a)(2), 45 days; HIPAA, 30
// days as 164.524(b)(2) has for access.
var regimes = map[string]func(asked time.Time) time.Time{
	"gdpr":  func(asked time.Time) time.Time { return asked.AddDate(0, 1, 0) },
	"ccpa":  func(asked time.Time) time.Time { return asked.AddDate(0, 0, 45) },
	"hipaa": func(asked time.Time) time.Time { return asked.AddDate(0, 0, 30) },
}

// ErasureListRequest asks for a page of erasures.
type ErasureListRequest struct {
	State  ErasureState // empty: all
	Limit  int          // zero means PageErasures
	Cursor string
}

// ErasurePage is a page of erasures, the newest first.
type ErasurePage struct {
	Erasures []ErasureInfo
	Next     string
}

// ErasureReceiptResult is what proves an erasure when its data are gone.
type ErasureReceiptResult struct {
	Erasure ErasureInfo
	Leaf    []byte        // the entry, exactly as it was hashed
	Proof   audit.Receipt // that it is in the log as it stands now
}

// Erasures returns a page of erasures, the newest first.
func (s *Service) Erasures(ctx context.Context, call Call, req ErasureListRequest) (ErasurePage, error) {
	if _, err := s.read(ctx, call, access.ActionRequestRead); err != nil {
		return ErasurePage{}, err
	}
	if err := checkPage(&req.Limit, PageErasures, "erasure_page", req.Cursor); err != nil {
		return ErasurePage{}, err
	}
	if req.State != "" && req.State != ErasureDeferred && req.State != ErasureCompleted {
		return ErasurePage{}, Invalid("/state", "must be deferred or completed")
	}
	found, err := s.erasures.Erasures(ctx, call.Caller.Tenant, ErasureQuery{
		State: req.State, Before: req.Cursor, Limit: req.Limit + 1, // one more tells whether there is a next page
	})
	if err != nil {
		return ErasurePage{}, public(err)
	}
	var page ErasurePage
	if len(found) > req.Limit {
		found = found[:req.Limit]
		page.Next = found[req.Limit-1].ID
	}
	for _, e := range found {
		page.Erasures = append(page.Erasures, describeErasure(e))
	}
	return page, nil
}

// Erasure returns one erasure.
func (s *Service) Erasure(ctx context.Context, call Call, id string) (ErasureInfo, error) {
	if _, err := s.read(ctx, call, access.ActionRequestRead); err != nil {
		return ErasureInfo{}, err
	}
	result, err := s.erased(ctx, call.Caller.Tenant, id)
	if err != nil {
		return ErasureInfo{}, err
	}
	return *result.Erasure, nil
}

// ErasureReceipt returns the entry of an erasure and its proof in the log.
func (s *Service) ErasureReceipt(ctx context.Context, call Call, id string) (ErasureReceiptResult, error) {
	keys, err := s.read(ctx, call, access.ActionRequestRead)
	if err != nil {
		return ErasureReceiptResult{}, err
	}
	result, err := s.erased(ctx, call.Caller.Tenant, id)
	if err != nil {
		return ErasureReceiptResult{}, err
	}
	stored, err := s.ledger.Entries(ctx, call.Caller.Tenant, EntryQuery{ChangeID: id, Limit: 1})
	if err != nil {
		return ErasureReceiptResult{}, public(err)
	}
	if len(stored) == 0 {
		return ErasureReceiptResult{}, Errorf(CodeNotFound, "the log has no entry of the erasure")
	}
	proof, err := s.proveEntry(ctx, call.Caller.Tenant, keys, stored[0])
	return ErasureReceiptResult{Erasure: *result.Erasure, Leaf: stored[0].Leaf, Proof: proof}, err
}

func (s *Service) erased(ctx context.Context, tenant, id string) (ErasureResult, error) {
	found, err := s.erasures.Erasures(ctx, tenant, ErasureQuery{ID: id, Limit: 1})
	if err != nil {
		return ErasureResult{}, public(err)
	}
	if len(found) == 0 {
		return ErasureResult{}, Errorf(CodeNotFound, "there is no such request")
	}
	info := describeErasure(found[0])
	return ErasureResult{Erasure: &info}, nil
}

func describeErasure(e Erasure) ErasureInfo {
	info := ErasureInfo{
		ID: e.ID, Regime: e.Regime, Reference: e.Reference, State: e.State, Identity: e.Identity,
		ErasedAt: e.ErasedAt, CompletedAt: e.CompletedAt, Counts: e.Counts,
	}
	if due, known := regimes[e.Regime]; known {
		info.DueAt = due(e.ErasedAt)
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

// resume erases what was released. Where a value came in between it is tried
// again in the next round.
func (s *Service) resume(ctx context.Context, tenant string, e Erasure) error {
	entry := s.entry(Call{Channel: "lifecycle"}, audit.KindErase, nil)
	entry.Reference = e.Reference
	job := &eraseJob{s: s, tenant: tenant, entry: entry, erasure: e}
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
	if _, _, err = job.commit(ctx, plan); plannable(err) {
		return nil
	}
	return public(err)
}
