package vault

import (
	"cmp"
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// How a grant ends, as codes of its closing entry.
const (
	closeEnded   = "ended"   // its stream did
	closeRevoked = "revoked" // somebody closed it
	closeExpired = "expired" // its time was over
)

// RenewGrant lets a grant stand for longer, from now on: only one that was opened
// so, by whom it was given to, while it stands and the policy still gives anything
// for its reason, and never past MaxGrantLife from its beginning.
func (s *Service) RenewGrant(ctx context.Context, call Call, id string, ttl time.Duration) (GrantResult, error) {
	s = s.under(call)
	if err := checkWish("", &GrantWish{TTL: ttl}); err != nil {
		return GrantResult{}, err
	}
	u, err := s.useGrant(ctx, call, id)
	if err != nil {
		return GrantResult{}, err
	}
	if !u.body.Renewable {
		return GrantResult{}, Errorf(CodeConflict, "the grant is not renewable")
	}
	job, err := s.justified(ctx, call, DetokenizeRequest{Reason: ReasonGiven{Code: u.body.Reason, Reference: u.body.Reference}})
	if err != nil {
		return GrantResult{}, err
	}
	if some, why := job.anyEntity(); !some {
		entry := job.entry
		entry.Code = string(why)
		return GrantResult{}, s.deny(ctx, call.Caller.Tenant, entry, Errorf(CodeDenied, "the policy does not allow this"))
	}
	most := u.row.CreatedAt.Add(MaxGrantLife).Sub(s.clock()).Truncate(time.Second)
	if ttl = min(cmp.Or(ttl, GrantLife), most); ttl <= 0 {
		refusal := Errorf(CodeConflict, "the grant has stood for as long as one may")
		refusal.Limit = "grant_renewed_seconds"
		return GrantResult{}, refusal
	}
	entry := s.entry(call, audit.KindGrantRenew, u.keys)
	entry.Decision = audit.Allow
	entry.Counts = map[string]int{audit.CountTTL: int(ttl / time.Second)}
	until := instant(s.clock().Add(ttl))
	return s.changeGrant(ctx, u, entry, func(row *Proceeding) { row.DueAt, row.ExpiresAt = until, until })
}

// CloseGrant ends a grant for good: from the next flush on it gives nothing. Whom it
// was given to may end it, and who may suspend restorations.
func (s *Service) CloseGrant(ctx context.Context, call Call, id string) (GrantResult, error) {
	s = s.under(call)
	u, err := s.ownGrant(ctx, call, id, access.ActionSuspend)
	if err != nil {
		return GrantResult{}, err
	}
	return s.closeGrant(ctx, u, s.entry(call, audit.KindGrantClose, u.keys), closeRevoked)
}

// ownGrant finds a grant for whom it was given to, also one that is over, or for
// whom the action is allowed.
func (s *Service) ownGrant(ctx context.Context, call Call, id string, action access.Action) (*grantUse, error) {
	keys, err := s.begin(ctx, call)
	if err != nil {
		return nil, public(err)
	}
	u := &grantUse{s: s, call: call, keys: keys}
	u.row, err = s.storedProceeding(ctx, call.Caller.Tenant, ProceedingGrant, id, &u.body)
	if err != nil {
		return nil, err
	}
	if u.body.of(u.row.Actor, call.Caller, keys) || s.faults.ignoreGrantee {
		return u, nil
	}
	if !s.rules().Decide(s.plainRequest(call.Caller, action)).Allow {
		return nil, errNoGrant()
	}
	return u, nil
}

// closeGrant commits the closing entry: what the grant gave, and how it ended.
func (s *Service) closeGrant(ctx context.Context, u *grantUse, entry audit.Entry, code string) (GrantResult, error) {
	uses, err := s.grants.Uses(ctx, u.call.Caller.Tenant, u.row.ID)
	if err != nil {
		return GrantResult{}, public(err)
	}
	ids := make([]string, len(uses))
	for i, use := range uses {
		ids[i] = use.TokenID
	}
	entry.Code, entry.Tokens = code, unique(ids)
	if entry.Client.ClientID != "" {
		entry.Decision = audit.Allow
	}
	if len(uses) > 0 {
		entry.Results = map[string]int{string(StatusRestored): len(uses)}
	}
	return s.changeGrant(ctx, u, entry, func(row *Proceeding) {
		// What it named is in the log. Gateways have a grant for each prompt.
		short := u.body
		short.Named, short.Tokens = u.body.count(), nil
		row.State, row.Body = ProceedingDone, encodeBody(short)
	})
}

// changeGrant commits a change of a grant that is as it was read.
func (s *Service) changeGrant(ctx context.Context, u *grantUse, entry audit.Entry, change func(row *Proceeding)) (GrantResult, error) {
	tenant := u.call.Caller.Tenant
	entry.Reason, entry.Reference = u.body.Reason, u.body.Reference
	entry.Obligations = []string{audit.ObligationGrant + u.row.ID}
	for _, scope := range u.body.Scopes {
		entry.ScopeRefs = append(entry.ScopeRefs, scope.ID)
	}
	for range MaxAttempts {
		row := u.row
		if row.State.Closes() {
			return GrantResult{}, Errorf(CodeConflict, "the grant is closed")
		}
		change(&row)
		committed, err := s.commit(ctx, tenant, ChangeProceedings{[]Proceeding{row}}, entry)
		if err == nil {
			if row.State.Closes() {
				row.ClosedAt = committed.At
			}
			receipt, err := s.receipt(u.keys, committed)
			return GrantResult{Grant: s.describeGrant(row, u.body), Audit: receipt}, err
		}
		if !plannable(err) {
			return GrantResult{}, public(err)
		}
		// Somebody renewed or closed it in between.
		if u.row, err = s.storedProceeding(ctx, tenant, ProceedingGrant, u.row.ID, &u.body); err != nil {
			return GrantResult{}, err
		}
	}
	return GrantResult{}, public(ErrConflict)
}

// Grant shows a grant to whom it was given to, and to who may see suspensions.
func (s *Service) Grant(ctx context.Context, call Call, id string) (GrantInfo, error) {
	s = s.under(call)
	u, err := s.ownGrant(ctx, call, id, access.ActionSuspensionRead)
	if err != nil {
		return GrantInfo{}, err
	}
	return s.describeGrant(u.row, u.body), nil
}

// OpenGrants returns a page of grants, the newest first, to who may see
// suspensions: whoever stops restorations has to know what is under way.
func (s *Service) OpenGrants(ctx context.Context, call Call, req ProceedingListRequest) (GrantPage, error) {
	s = s.under(call)
	var page GrantPage
	next, err := listProceedings(ctx, s, call, access.ActionSuspensionRead, ProceedingQuery{Kind: ProceedingGrant}, req,
		func(p Proceeding, b grantBody) { page.Grants = append(page.Grants, s.describeGrant(p, b)) })
	page.Next = next
	return page, err
}

// CloseExpiredGrants writes the closing entries of grants of a tenant whose time is
// over, at most PageGrants, and tells whether there may be more. That they give
// nothing any more does not wait for it.
func (s *Service) CloseExpiredGrants(ctx context.Context, tenant string) (more bool, err error) {
	keys, err := s.tenants.get(ctx, tenant)
	if err != nil {
		return false, public(err)
	}
	rows, err := s.proceedings.Proceedings(ctx, tenant, ProceedingQuery{
		Kind: ProceedingGrant, Open: true, DueBefore: s.clock(), Limit: PageGrants,
	})
	if err != nil {
		return false, public(err)
	}
	call := Call{Channel: "process", Caller: Caller{Tenant: tenant}}
	for _, row := range rows {
		u := &grantUse{s: s, call: call, keys: keys, row: row}
		if u.body, err = readGrant(row); err != nil {
			return false, public(err)
		}
		entry := s.entry(Call{Channel: "process"}, audit.KindGrantClose, nil)
		if _, err := s.closeGrant(ctx, u, entry, closeExpired); err != nil && CodeOf(err) != CodeConflict {
			return false, err
		}
	}
	return len(rows) == PageGrants, nil
}

// ForgetGrants deletes what is kept of grants that are closed: what they gave, which
// the closing entry says, and GrantKept later the grants. It tells whether there may be
// more.
func (s *Service) ForgetGrants(ctx context.Context, tenant string) (more bool, err error) {
	uses, err := s.grants.ForgetUses(ctx, tenant, ClaimSweep)
	if err != nil {
		return false, public(err)
	}
	grants, err := s.proceedings.ForgetGrants(ctx, tenant, ClaimSweep)
	return uses == ClaimSweep || grants == ClaimSweep, public(err)
}
