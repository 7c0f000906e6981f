package vault

import (
	"context"
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// CloseScope ends a scope of the caller's: from the commit on nothing of it is
// restored, and the next request under the name makes another scope. What a
// hold keeps stays, for reasons that reach it. A scope of somebody else is not
// told from one that does not exist.
func (s *Service) CloseScope(ctx context.Context, call Call, req CloseScopeRequest) (CloseScopeResult, error) {
	s = s.under(call)
	if err := checkName("/scope", req.Scope, true); err != nil {
		return CloseScopeResult{}, err
	}
	keys, entry, err := s.authorise(ctx, call, access.ActionScope, audit.KindScopeClose)
	if err != nil {
		return CloseScopeResult{}, err
	}
	tenant := call.Caller.Tenant
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		if err := claim.read(ctx, s, tenant, &entry); err != nil {
			return CloseScopeResult{}, public(err)
		}
		if entry.ReplayOf != "" {
			// Another scope of the name may live by now: it is not meant.
			return s.closedBefore(ctx, tenant, keys, entry.ReplayOf)
		}
		result, err := s.closeOnce(ctx, call.Caller, keys, req, entry, &claim)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return CloseScopeResult{}, public(ErrConflict)
}

func (s *Service) closeOnce(ctx context.Context, caller Caller, keys *keySet, req CloseScopeRequest, entry audit.Entry, claim *claiming) (CloseScopeResult, error) {
	missing := Errorf(CodeNotFound, "there is no such scope for this caller")
	scope, err := s.store.Scope(ctx, caller.Tenant, Digest(keys.index.Scope(req.Scope)))
	if errors.Is(err, ErrNotFound) {
		return CloseScopeResult{}, missing
	}
	if err != nil {
		return CloseScopeResult{}, err
	}
	entry.ScopeRefs = []string{scope.ID}
	request := s.plainRequest(caller, access.ActionScope)
	request.SameClient, request.EndUser = binding(scope, caller, keys)
	decision := s.rules().Decide(request)
	if !decision.Allow && !s.faults.ignoreBinding {
		entry.Kind, entry.Code = audit.KindRequestRefused, string(access.ActionScope)
		return CloseScopeResult{}, s.deny(ctx, caller.Tenant, entry, missing)
	}
	entry.RuleIDs = decision.RuleIDs
	committed, err := s.commitClaiming(ctx, caller.Tenant, CloseScope{ScopeID: scope.ID}, entry, claim)
	if err != nil {
		return CloseScopeResult{}, err
	}
	receipt, err := s.receipt(keys, committed)
	return CloseScopeResult{ScopeRef: scope.ID, ClosedAt: committed.At, Audit: receipt}, err
}

// closedBefore answers a repeated request from the entry of the first.
func (s *Service) closedBefore(ctx context.Context, tenant string, keys *keySet, changeID string) (CloseScopeResult, error) {
	entry, receipt, err := s.entryOf(ctx, tenant, keys, changeID)
	if err != nil {
		return CloseScopeResult{}, err
	}
	result := CloseScopeResult{ClosedAt: entry.Time.UTC().Truncate(time.Microsecond), Audit: receipt}
	if len(entry.ScopeRefs) > 0 {
		result.ScopeRef = entry.ScopeRefs[0]
	}
	return result, nil
}
