package vault

import (
	"context"
	"encoding/json"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// The statuses of reviews in a list, and what somebody finds.
const (
	reviewOpen    = "open"
	reviewOverdue = "overdue"
	reviewClosed  = "closed"

	FindingJustified    = "justified"
	FindingNotJustified = "not_justified"
	FindingPolicyGap    = "policy_gap"
)

// Reviews returns a page of uses that somebody has to look at, the newest first.
func (s *Service) Reviews(ctx context.Context, call Call, req ReviewListRequest) (ReviewPage, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionReviewRead); err != nil {
		return ReviewPage{}, err
	}
	if err := checkPage(&req.Limit, PageProceedings, "proceeding_page", req.Cursor); err != nil {
		return ReviewPage{}, err
	}
	q := ProceedingQuery{Kind: ProceedingReview, Before: req.Cursor, Limit: req.Limit + 1}
	switch req.Status {
	case "":
	case reviewOpen:
		q.Open = true
	case reviewOverdue:
		q.Open, q.DueBefore = true, s.clock()
	case reviewClosed:
		q.State = ProceedingDone
	default:
		return ReviewPage{}, Invalid("/status", "must be open, overdue or closed")
	}
	var page ReviewPage
	next, err := pageProceedings(ctx, s, call.Caller.Tenant, q, func(row Proceeding, body useBody) {
		page.Reviews = append(page.Reviews, s.describeReview(row, body))
	})
	if err != nil {
		return ReviewPage{}, err
	}
	page.Next = next
	return page, nil
}

func (s *Service) describeReview(p Proceeding, b useBody) ReviewInfo {
	return ReviewInfo{
		ID: p.ID, Actor: p.Actor, Reason: b.Reason, Reference: b.Reference, Entities: b.Entities, Tokens: b.Tokens, ScopeRefs: b.ScopeRefs,
		OpenedAt: p.CreatedAt, DueAt: p.DueAt, Overdue: p.ClosedAt.IsZero() && !s.clock().Before(p.DueAt),
		Finding: b.Finding, FindingReference: b.FindingReference, ClosedBy: b.ClosedBy, ClosedAt: p.ClosedAt,
	}
}

// CloseReview says what somebody found who looked at a use: never who used it,
// under no name.
func (s *Service) CloseReview(ctx context.Context, call Call, id, finding, reference string) (ReviewResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionReviewClose, audit.KindReviewClose)
	if err != nil {
		return ReviewResult{}, err
	}
	switch finding {
	case FindingJustified, FindingNotJustified, FindingPolicyGap:
	default:
		return ReviewResult{}, Invalid("/finding", "must be justified, not_justified or policy_gap")
	}
	if err := checkReference(reference); err != nil {
		return ReviewResult{}, err
	}
	entry.Code, entry.Reference = finding, reference
	change := func(row *Proceeding, body *useBody) error {
		if samePerson(body.Person, person(call.Caller, keys)) && !s.faults.ignoreRequester {
			return s.deny(ctx, call.Caller.Tenant, refusedEntry(entry, "self_review"), Errorf(CodeConflict, "whoever used it does not review it, under no name"))
		}
		body.Finding, body.FindingReference, body.ClosedBy = finding, reference, call.Caller.Subject
		row.State = ProceedingDone
		return nil
	}
	row, body, receipt, err := changeProceeding(ctx, s, call, keys, ProceedingReview, id, entry, change)
	if err != nil {
		return ReviewResult{}, err
	}
	return ReviewResult{Review: s.describeReview(row, body), Audit: receipt}, nil
}

// Quota returns the budgets of the caller for a reason, or for all of them, and
// what is spent of them in this hour. Where a budget is of an end user, it is of the
// one whom the call names.
func (s *Service) Quota(ctx context.Context, call Call, reason string) ([]QuotaLine, error) {
	s = s.under(call)
	keys, err := s.read(ctx, call, access.ActionQuotaRead)
	if err != nil {
		return nil, err
	}
	var lines []QuotaLine
	var digests []Digest
	for _, known := range s.rules().Reasons() {
		r, _ := s.rules().ReasonOf(call.Caller.Tenant, known.Code)
		if reason != "" && r.Code != reason {
			continue
		}
		for _, b := range r.Budgets {
			lines = append(lines, QuotaLine{Reason: r.Code, Per: string(b.Per), Class: string(b.Class), Limit: b.Tokens})
			digests = append(digests, budgetKey(call.Caller, keys, r.Code, b))
		}
	}
	if _, known := s.rules().Reason(reason); reason != "" && !known {
		return nil, Invalid("/reason", "is not in the catalogue of reasons")
	}
	if len(lines) == 0 {
		return nil, nil
	}
	spent, resets, err := s.proceedings.Spent(ctx, call.Caller.Tenant, digests)
	if err != nil {
		return nil, public(err)
	}
	for i := range lines {
		lines[i].Used, lines[i].ResetsAt = spent[i], resets
	}
	return lines, nil
}

// checkReference checks a reference that is required.
func checkReference(reference string) error {
	if reference == "" {
		return Invalid("/reference", "is required")
	}
	return checkIdentifier("/reference", reference)
}

// changeProceeding changes one proceeding that is open: change says how, or why
// not. It tries until nobody comes in between.
func changeProceeding[B any](
	ctx context.Context, s *Service, call Call, keys *keySet, kind ProceedingKind, id string, entry audit.Entry,
	change func(row *Proceeding, body *B) error,
) (Proceeding, B, *audit.Receipt, error) {
	var none B
	tenant := call.Caller.Tenant
	entry.Obligations = append(entry.Obligations, audit.ObligationProceeding+id)
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		var body B
		row, err := s.storedProceeding(ctx, tenant, kind, id, &body)
		if err != nil {
			return row, none, nil, err
		}
		if err := claim.read(ctx, s, tenant, &entry); err != nil {
			return row, none, nil, public(err)
		}
		if entry.ReplayOf != "" {
			receipt, err := s.proofAfter(ctx, tenant, keys, entry.ReplayOf, nil)
			return row, body, receipt, err
		}
		if row.State.Closes() {
			return row, none, nil, Errorf(CodeConflict, "it is closed")
		}
		if err := change(&row, &body); err != nil {
			return row, none, nil, err
		}
		aboutPerson(&entry, row)
		row.Body = encodeBody(body)
		if len(row.Body) > MaxProceedingBody {
			return row, none, nil, Errorf(CodeConflict, "there is no more room in it")
		}
		committed, err := s.commitRiding(ctx, tenant, ChangeProceedings{[]Proceeding{row}}, entry, &claim, s.notifying(entry))
		if err == nil {
			if row.State.Closes() {
				row.ClosedAt = committed.At
			}
			receipt, err := s.receipt(keys, committed)
			return row, body, receipt, err
		}
		if !plannable(err) {
			return row, none, nil, public(err)
		}
	}
	return Proceeding{}, none, nil, public(ErrConflict)
}

// openProceeding opens one, and returns it as it stands.
func openProceeding(ctx context.Context, s *Service, call Call, keys *keySet, entry audit.Entry, make func() (Proceeding, error)) (Proceeding, *audit.Receipt, error) {
	tenant := call.Caller.Tenant
	claim := s.newClaiming(call, keys)
	for range MaxAttempts {
		p, err := make()
		if err == nil {
			err = claim.read(ctx, s, tenant, &entry)
		}
		if err != nil {
			return p, nil, public(err)
		}
		aboutPerson(&entry, p)
		if entry.ReplayOf != "" {
			var body json.RawMessage
			if p, err = s.storedProceeding(ctx, tenant, p.Kind, entry.ReplayOf, &body); err != nil {
				return p, nil, err
			}
			receipt, err := s.proofAfter(ctx, tenant, keys, p.ID, nil)
			return p, receipt, err
		}
		committed, err := s.commitRiding(ctx, tenant, OpenProceeding{p}, entry, &claim, func(c Change) Change {
			p.ID = c.id
			return s.notifying(entry)(c)
		})
		if err == nil {
			p.CreatedAt, p.Revision = committed.At, 1
			receipt, err := s.receipt(keys, committed)
			return p, receipt, err
		}
		if !plannable(err) {
			return p, nil, public(err)
		}
	}
	return Proceeding{}, nil, public(ErrConflict)
}

// aboutPerson names in an entry the person whom a proceeding is of.
func aboutPerson(entry *audit.Entry, p Proceeding) {
	if p.SubjectRef != "" {
		entry.SubjectRefs = []string{p.SubjectRef}
	}
}

// instant is a time as a proceeding keeps it.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
