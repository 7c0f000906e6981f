package vault

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// OpenSubjectRequest writes down what a person asked for, and starts its clock
// at the time when the person asked.
func (s *Service) OpenSubjectRequest(ctx context.Context, call Call, req IntakeRequest) (RequestResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionRequestManage, audit.KindRequestOpen)
	if err != nil {
		return RequestResult{}, err
	}
	row, err := s.intake(keys, &req)
	if err != nil {
		return RequestResult{}, err
	}
	entry.Reference, entry.Code = row.Reference, string(row.Kind)
	entry.Obligations = append(entry.Obligations, audit.ObligationRegime+row.Regime)
	entry.SetInstant(audit.CountDueAt, row.DueAt)
	tenant := call.Caller.Tenant
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		if err := claim.read(ctx, s, tenant, &entry); err != nil {
			return RequestResult{}, public(err)
		}
		if entry.ReplayOf != "" {
			return s.requestBefore(ctx, tenant, keys, entry.ReplayOf, entry.ReplayOf)
		}
		change, err := NewChange(tenant, OpenRequest{Request: row}, entry)
		if err != nil {
			return RequestResult{}, public(err)
		}
		committed, err := s.write(ctx, tenant, claim.on(change))
		if err == nil {
			return s.requestAfter(ctx, tenant, keys, change.ID(), committed)
		}
		if !plannable(err) {
			return RequestResult{}, public(err)
		}
	}
	return RequestResult{}, public(ErrConflict)
}

// intake checks what was asked for and makes a row of it.
func (s *Service) intake(keys *keySet, req *IntakeRequest) (SubjectRequest, error) {
	if !slices.Contains(requestKinds(), req.Kind) {
		return SubjectRequest{}, Invalid("/kind", "must be one of access, erasure, restriction, objection, accounting")
	}
	if _, known := regimes[req.Regime]; !known {
		return SubjectRequest{}, Invalid("/regime", "must be one of gdpr, ccpa, hipaa")
	}
	if req.Reference == "" {
		return SubjectRequest{}, Invalid("/reference", "is required")
	}
	if err := errors.Join(checkIdentifier("/reference", req.Reference), checkIdentifier("/assignee", req.Assignee)); err != nil {
		return SubjectRequest{}, err
	}
	// A store whose clock is behind must not find the time in its future.
	latest := s.clock().Add(-maxAhead)
	switch {
	case req.ReceivedAt.After(s.clock().Add(maxAhead)):
		return SubjectRequest{}, Invalid("/received_at", "must be a time that is over")
	case req.ReceivedAt.IsZero(), req.ReceivedAt.After(latest):
		req.ReceivedAt = latest
	case req.ReceivedAt.Before(latest.Add(-maxReceivedAgo)):
		return SubjectRequest{}, Invalid("/received_at", "must not be more than a year ago")
	}
	received := req.ReceivedAt.UTC().Truncate(time.Microsecond)
	row := SubjectRequest{
		Kind: req.Kind, Regime: req.Regime, Reference: req.Reference, Assignee: req.Assignee,
		ReceivedAt: received, DueAt: dueAt(req.Kind, req.Regime, received), State: StateReceived,
	}
	if err := s.nameIn(keys, &row, req.Subject, req.Identifiers); err != nil {
		return SubjectRequest{}, err
	}
	if row.named() {
		row.State = StateAwaitingIdentity
	}
	if req.Identity == nil {
		return row, nil
	}
	if !row.named() {
		return SubjectRequest{}, Invalid("/subject", "must be given with identity, or identifiers")
	}
	row.Identity, row.State = *req.Identity, StateOpen
	return row, s.checkIdentity(&row.Identity)
}

// maxReceivedAgo bounds how long ago a person may have asked: a clock that ran
// out long before is a mistake of writing.
const maxReceivedAgo = 366 * 24 * time.Hour

func requestKinds() []RequestKind {
	return []RequestKind{RequestAccess, RequestErasure, RequestRestriction, RequestObjection, RequestAccounting}
}

// nameIn writes into a request whom it is about, as digests.
func (s *Service) nameIn(keys *keySet, row *SubjectRequest, subject string, identifiers []Identifier) error {
	if err := checkName("/subject", subject, false); err != nil {
		return err
	}
	if len(identifiers) > MaxIdentifiers {
		return tooLarge("/identifiers", "subject_identifiers", MaxIdentifiers)
	}
	if err := s.checkIdentifiers("/identifiers", identifiers); err != nil {
		return err
	}
	if subject != "" {
		row.Subject = keys.index.Subject(subject)
	}
	if len(identifiers) > 0 {
		row.Lookups = s.lookups(keys, identifiers)
	}
	return nil
}

// named tells whether the request says whom it is about.
func (r *SubjectRequest) named() bool { return r.Subject != Digest{} || len(r.Lookups) > 0 }

// checkIdentity checks who established how that the person asks.
func (s *Service) checkIdentity(identity *IdentityCheck) error {
	for _, named := range []struct{ field, name string }{
		{"/identity/method", identity.Method}, {"/identity/reference", identity.Reference},
		{"/identity/verified_by", identity.VerifiedBy},
	} {
		if named.name == "" {
			return Invalid(named.field, "is required")
		}
		if err := checkIdentifier(named.field, named.name); err != nil {
			return err
		}
	}
	if identity.At.IsZero() || identity.At.After(s.clock().Add(maxAhead)) {
		return Invalid("/identity/at", "must be a time that is over")
	}
	identity.At = identity.At.UTC().Truncate(time.Microsecond)
	return nil
}

// maxAhead is how far the clock of whoever gives a time may be ahead.
const maxAhead = 2 * time.Second

// SubjectRequests returns a page of requests, the newest first.
func (s *Service) SubjectRequests(ctx context.Context, call Call, req RequestListRequest) (RequestPage, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionRequestRead); err != nil {
		return RequestPage{}, err
	}
	if err := checkPage(&req.Limit, PageRequests, "request_page", req.Cursor); err != nil {
		return RequestPage{}, err
	}
	if req.Kind != "" && !slices.Contains(requestKinds(), req.Kind) {
		return RequestPage{}, Invalid("/kind", "must be one of access, erasure, restriction, objection, accounting")
	}
	if req.Status != "" && !slices.Contains(requestStates(), req.Status) {
		return RequestPage{}, Invalid("/status", "is none of the states")
	}
	found, err := s.requests.Requests(ctx, call.Caller.Tenant, RequestQuery{
		Kind: req.Kind, State: req.Status, Open: req.Open, From: req.From, To: req.To,
		Before: req.Cursor, Limit: req.Limit + 1, // one more tells whether there is a next page
	})
	if err != nil {
		return RequestPage{}, public(err)
	}
	var page RequestPage
	if len(found) > req.Limit {
		found = found[:req.Limit]
		page.Next = found[req.Limit-1].ID
	}
	for i := range found {
		page.Requests = append(page.Requests, s.describeRequest(&found[i]))
	}
	return page, nil
}

func requestStates() []RequestState {
	return []RequestState{
		StateReceived, StateAwaitingIdentity, StateOpen, StateRunning, StateDeferred,
		StatePartial, StateCompleted, StateRefused, StateWithdrawn,
	}
}

// SubjectRequest returns one request.
func (s *Service) SubjectRequest(ctx context.Context, call Call, id string) (RequestInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionRequestRead); err != nil {
		return RequestInfo{}, err
	}
	return s.requestInfo(ctx, call.Caller.Tenant, id)
}

// requestInfo describes a stored request, with the erasure that it led to.
func (s *Service) requestInfo(ctx context.Context, tenant, id string) (RequestInfo, error) {
	row, err := s.storedRequest(ctx, tenant, id)
	if err != nil {
		return RequestInfo{}, err
	}
	info := s.describeRequest(&row)
	if row.Kind != RequestErasure {
		return info, nil
	}
	erased, err := s.erasures.Erasures(ctx, tenant, ErasureQuery{ID: id, Limit: 1})
	if err != nil {
		return RequestInfo{}, public(err)
	}
	if len(erased) > 0 {
		info.Erasure = s.describeErasure(erased[0])
		// The person was answered then; what a hold kept went later.
		info.Overdue = erased[0].ErasedAt.After(row.DueAt)
	}
	return info, nil
}

func (s *Service) storedRequest(ctx context.Context, tenant, id string) (SubjectRequest, error) {
	if !audit.IsName(id) {
		return SubjectRequest{}, Errorf(CodeNotFound, "there is no such request")
	}
	found, err := s.requests.Requests(ctx, tenant, RequestQuery{ID: id, Limit: 1})
	if err != nil {
		return SubjectRequest{}, public(err)
	}
	if len(found) == 0 {
		return SubjectRequest{}, Errorf(CodeNotFound, "there is no such request")
	}
	return found[0], nil
}

// describeRequest tells of a request what may be told: of digests that they are.
func (s *Service) describeRequest(r *SubjectRequest) RequestInfo {
	info := RequestInfo{
		ID: r.ID, Kind: r.Kind, Regime: r.Regime, Reference: r.Reference, Assignee: r.Assignee, Status: r.State,
		SubjectRef: r.SubjectRef, Named: r.Subject != Digest{}, Identifiers: len(r.Lookups),
		RefusalCode: RefusalCode(r.RefusalCode), Extended: r.Extended,
		ReceivedAt: r.ReceivedAt, DueAt: r.DueAt, ClosedAt: r.ClosedAt, Overdue: r.overdue(s.clock()),
	}
	if r.Identity != (IdentityCheck{}) {
		identity := r.Identity
		info.Identity = &identity
	}
	return info
}

// overdue tells whether the person waits, or had to wait, for longer than the
// clock allows. A restriction that is in force is its answer, and so is an
// erasure of which a hold keeps a part.
func (r *SubjectRequest) overdue(now time.Time) bool {
	switch {
	case !r.ClosedAt.IsZero():
		return r.ClosedAt.After(r.DueAt)
	case r.State == StateDeferred, r.State == StateRunning && r.Kind == RequestRestriction:
		return false
	default:
		return now.After(r.DueAt)
	}
}

// requestAfter answers a change of a request.
func (s *Service) requestAfter(ctx context.Context, tenant string, keys *keySet, id string, committed Committed) (RequestResult, error) {
	info, err := s.requestInfo(ctx, tenant, id)
	if err != nil {
		return RequestResult{}, err
	}
	receipt, err := s.receipt(keys, committed)
	return RequestResult{
		Request: info, Restricted: committed.Outcome.Restricted, Shared: committed.Outcome.Shared, Audit: receipt,
	}, err
}

// requestBefore answers a repeated call with the request as it stands, and the
// entry of the first.
func (s *Service) requestBefore(ctx context.Context, tenant string, keys *keySet, id, changeID string) (RequestResult, error) {
	info, err := s.requestInfo(ctx, tenant, id)
	if err != nil {
		return RequestResult{}, err
	}
	entry, receipt, err := s.entryOf(ctx, tenant, keys, changeID)
	return RequestResult{Request: info, Restricted: entry.Counts["mappings"], Shared: entry.Counts["shared"], Audit: receipt}, err
}
