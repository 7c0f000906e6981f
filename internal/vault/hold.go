package vault

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// PlaceHold places a legal hold: from its commit on nothing that it matches is
// destroyed, whatever comes later or was expired already, until it is released.
// A dry run places nothing and says what the hold would reach; who asks that is
// recorded like a search. Asking again under the same idempotency key places no
// second hold.
func (s *Service) PlaceHold(ctx context.Context, call Call, req HoldRequest) (HoldResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionHoldPlace, audit.KindHoldPlace)
	if err != nil {
		return HoldResult{}, err
	}
	match, err := s.matchOf(keys, &req)
	if err != nil {
		return HoldResult{}, err
	}
	tenant := call.Caller.Tenant
	if err := s.checkSentThere(ctx, tenant, match.Destinations); err != nil {
		return HoldResult{}, err
	}
	entry.Reference = req.Reference
	entry.Counts = map[string]int{
		"subjects": len(match.Subjects), "identifiers": len(match.Lookups), "scopes": len(match.Scopes),
		"entities": len(match.Entities), "classes": len(match.Classes), "destinations": len(match.Destinations),
	}
	if req.DryRun {
		return s.wouldHold(ctx, tenant, keys, entry, match)
	}
	effect := PlaceHold{Hold{
		Matter: req.Matter, Reference: req.Reference, Custodian: req.Custodian,
		Match: match, ExistingOnly: req.ExistingOnly, Backups: req.Backups, ReviewBy: req.ReviewBy,
	}}
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		result, err := s.placeOnce(ctx, tenant, keys, effect, entry, &claim)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return HoldResult{}, public(ErrConflict)
}

func (s *Service) placeOnce(ctx context.Context, tenant string, keys *keySet, effect PlaceHold, entry audit.Entry, claim *claiming) (HoldResult, error) {
	if err := claim.read(ctx, s, tenant, &entry); err != nil {
		return HoldResult{}, err
	}
	if entry.ReplayOf != "" {
		return s.placed(ctx, tenant, keys, entry.ReplayOf)
	}
	change, err := NewChange(tenant, effect, entry)
	if err != nil {
		return HoldResult{}, err
	}
	committed, err := s.write(ctx, tenant, claim.on(change))
	if err != nil {
		return HoldResult{}, err
	}
	return s.heldBy(ctx, tenant, keys, change.ID(), committed)
}

// wouldHold answers a dry run.
func (s *Service) wouldHold(ctx context.Context, tenant string, keys *keySet, entry audit.Entry, match HoldMatch) (HoldResult, error) {
	reach, err := s.custody.Reach(ctx, tenant, match)
	if err != nil {
		return HoldResult{}, public(err)
	}
	entry.Kind = audit.KindSubjectSearch
	committed, err := s.commit(ctx, tenant, Record{}, entry)
	if err != nil {
		return HoldResult{}, public(err)
	}
	receipt, err := s.receipt(keys, committed)
	return HoldResult{Reach: &reach, Audit: receipt}, err
}

// heldBy answers a change of a hold.
func (s *Service) heldBy(ctx context.Context, tenant string, keys *keySet, id string, committed Committed) (HoldResult, error) {
	result, err := s.hold(ctx, tenant, id)
	if err != nil {
		return HoldResult{}, err
	}
	result.Audit, err = s.receipt(keys, committed)
	return result, err
}

// placed answers a repeated request with the hold that the first one placed,
// and the proof of its entry.
func (s *Service) placed(ctx context.Context, tenant string, keys *keySet, id string) (HoldResult, error) {
	result, err := s.hold(ctx, tenant, id)
	if err != nil {
		return HoldResult{}, err
	}
	_, result.Audit, err = s.entryOf(ctx, tenant, keys, id)
	return result, err
}

func (s *Service) hold(ctx context.Context, tenant, id string) (HoldResult, error) {
	h, err := s.storedHold(ctx, tenant, id)
	if err != nil {
		return HoldResult{}, err
	}
	info := describeHold(h)
	return HoldResult{Hold: &info}, nil
}

func (s *Service) storedHold(ctx context.Context, tenant, id string) (Hold, error) {
	holds, err := s.custody.Holds(ctx, tenant, HoldQuery{ID: id, Limit: 1})
	if err != nil {
		return Hold{}, public(err)
	}
	if len(holds) == 0 {
		return Hold{}, Errorf(CodeNotFound, "there is no such hold")
	}
	return holds[0], nil
}

// Hold returns one hold and what it reaches now.
func (s *Service) Hold(ctx context.Context, call Call, id string) (HoldResult, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionHoldRead); err != nil {
		return HoldResult{}, err
	}
	h, err := s.storedHold(ctx, call.Caller.Tenant, id)
	if err != nil {
		return HoldResult{}, err
	}
	match := h.Match
	if h.ExistingOnly {
		// What came in the microsecond of the placing is there, and is held.
		end := h.CreatedAt.Add(time.Microsecond)
		if match.To.IsZero() || match.To.After(end) {
			match.To = end
		}
	}
	reach, err := s.custody.Reach(ctx, call.Caller.Tenant, match)
	if err != nil {
		return HoldResult{}, public(err)
	}
	info := describeHold(h)
	return HoldResult{Hold: &info, Reach: &reach}, nil
}

// Holds returns a page of holds, the newest first.
func (s *Service) Holds(ctx context.Context, call Call, req HoldListRequest) (HoldPage, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionHoldRead); err != nil {
		return HoldPage{}, err
	}
	if err := checkPage(&req.Limit, PageHolds, "hold_page", req.Cursor); err != nil {
		return HoldPage{}, err
	}
	holds, err := s.custody.Holds(ctx, call.Caller.Tenant, HoldQuery{
		Standing: req.Standing, Before: req.Cursor, Limit: req.Limit + 1, // one more tells whether there is a next page
	})
	if err != nil {
		return HoldPage{}, public(err)
	}
	var page HoldPage
	if len(holds) > req.Limit {
		holds = holds[:req.Limit]
		page.Next = holds[req.Limit-1].ID
	}
	for _, h := range holds {
		page.Holds = append(page.Holds, describeHold(h))
	}
	return page, nil
}

// ReviewHold says until when somebody has to look at a hold again; zero says
// that nobody has to.
func (s *Service) ReviewHold(ctx context.Context, call Call, id string, reviewBy time.Time) (HoldResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionHoldPlace, audit.KindHoldReview)
	if err != nil {
		return HoldResult{}, err
	}
	if !reviewBy.IsZero() && !reviewBy.After(s.clock()) {
		return HoldResult{}, Invalid("/review_by", "must be in the future")
	}
	return s.changeHold(ctx, call, keys, entry, id, ReviewHold{ID: id, ReviewBy: reviewBy.UTC().Truncate(time.Microsecond)}, nil)
}

// ReleaseHold ends a hold for good, on somebody's word: somebody else's than who
// placed it, where the policy says so, and with an approval where it demands one.
func (s *Service) ReleaseHold(ctx context.Context, call Call, id, reference, approval string) (HoldResult, error) {
	s = s.under(call)
	request := s.plainRequest(call.Caller, access.ActionHoldRelease)
	request.SecondPerson = s.isSecondPerson(ctx, call.Caller, id)
	keys, entry, err := s.authoriseAs(ctx, call, request, audit.KindHoldRelease)
	if err != nil {
		return HoldResult{}, err
	}
	if reference == "" {
		return HoldResult{}, Invalid("/reference", "is required")
	}
	if err := checkIdentifier("/reference", reference); err != nil {
		return HoldResult{}, err
	}
	entry.Reference = reference
	redeems, err := s.operationApproval(ctx, call, call.Caller.Tenant, access.OpHoldRelease, id, approval, entry)
	if err != nil {
		return HoldResult{}, err
	}
	entry.Obligations = append(entry.Obligations, redeems.obligations()...)
	return s.changeHold(ctx, call, keys, entry, id, ReleaseHold{ID: id}, redeems)
}

// isSecondPerson tells whether a caller is another one than who placed a hold. Who
// that was is in the log; where it cannot be told, the caller may be the same.
func (s *Service) isSecondPerson(ctx context.Context, caller Caller, holdID string) bool {
	stored, err := s.ledger.Entries(ctx, caller.Tenant, EntryQuery{ChangeID: holdID, Limit: 1})
	if err != nil || len(stored) == 0 {
		return false
	}
	placed, err := audit.ParseLeaf(stored[0].Leaf)
	return err == nil && placed.Kind == audit.KindHoldPlace && placed.Actor != caller.Subject
}

// changeHold commits what is said of a standing hold.
func (s *Service) changeHold(
	ctx context.Context, call Call, keys *keySet, entry audit.Entry, id string, effect Effect, redeems *redeeming,
) (HoldResult, error) {
	tenant := call.Caller.Tenant
	if _, err := s.hold(ctx, tenant, id); err != nil {
		return HoldResult{}, err
	}
	entry.HoldIDs = []string{id}
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		if err := claim.read(ctx, s, tenant, &entry); err != nil {
			return HoldResult{}, public(err)
		}
		committed, err := s.commitRiding(ctx, tenant, effect, entry, &claim, redeems.on)
		switch {
		case err == nil:
			return s.heldBy(ctx, tenant, keys, id, committed)
		case errors.Is(err, ErrConflict):
			return s.releasedBefore(ctx, tenant, keys, id, entry.ReplayOf)
		case !plannable(err):
			return HoldResult{}, public(err)
		}
	}
	return HoldResult{}, public(ErrConflict)
}

// releasedBefore answers for a hold that does not stand: with what the first
// request came to where this one repeats it, else with a conflict.
func (s *Service) releasedBefore(ctx context.Context, tenant string, keys *keySet, id, replayOf string) (HoldResult, error) {
	if replayOf == "" {
		return HoldResult{}, Errorf(CodeConflict, "the hold was released")
	}
	result, err := s.hold(ctx, tenant, id)
	if err != nil {
		return HoldResult{}, err
	}
	_, result.Audit, err = s.entryOf(ctx, tenant, keys, replayOf)
	return result, err
}

// describeHold tells of a hold what may be told: of digests their number.
func describeHold(h Hold) HoldInfo {
	return HoldInfo{
		ID: h.ID, Matter: h.Matter, Reference: h.Reference, Custodian: h.Custodian,
		Subjects: len(h.Match.Subjects), Identifiers: len(h.Match.Lookups), Scopes: len(h.Match.Scopes),
		Entities: h.Match.Entities, Classes: h.Match.Classes, Destinations: h.Match.Destinations,
		From: h.Match.From, To: h.Match.To, BySent: h.Match.BySent,
		ExistingOnly: h.ExistingOnly, Backups: h.Backups, ReviewBy: h.ReviewBy, CreatedAt: h.CreatedAt, ReleasedAt: h.ReleasedAt,
	}
}

// uniqueDigests sorts digests and leaves out what is there twice.
func uniqueDigests(digests []Digest) []Digest {
	slices.SortFunc(digests, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(digests)
}
