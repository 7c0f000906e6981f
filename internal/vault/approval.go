package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// This file is what restorations and other operations that others have to agree to
// have in common.

// ApprovalLife is how long others have to agree, and the requester to use it: the
// next shift is to be able to answer.
const ApprovalLife = 24 * time.Hour

// approvalBody is what is kept of an approval: who asked for what, as identifiers
// and digests, and who said what.
type approvalBody struct {
	Operation string         `json:"operation"`
	Target    string         `json:"target,omitempty"`
	Asked     string         `json:"asked,omitempty"` // digest of a restoration, as it was asked for
	Reason    string         `json:"reason,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Entities  map[string]int `json:"entities,omitempty"`
	Tokens    []MappingRef   `json:"tokens,omitempty"`
	ScopeRefs []string       `json:"scope_refs,omitempty"`
	Required  int            `json:"required"`
	Client    string         `json:"client"`
	Requester []string       `json:"requester"` // every name of who asked, as digests
	Decisions []decisionBody `json:"decisions,omitempty"`
}

// decisionBody is what one person said.
type decisionBody struct {
	By       string    `json:"by"`
	Decision string    `json:"decision"`
	Note     string    `json:"note,omitempty"` // its digest
	At       time.Time `json:"at"`
	Person   []string  `json:"person"` // every name of who said it, as digests
}

// The decisions about an approval.
const (
	decisionApprove = "approve"
	decisionReject  = "reject"
)

// operationRestore stands for a restoration where others stand for access.Operation.
const operationRestore = "restore"

// approvers is the right to agree to each operation.
var approvers = map[string]access.Action{
	operationRestore:               access.ActionApproveRestore,
	string(access.OpErase):         access.ActionApproveErase,
	string(access.OpHoldRelease):   access.ActionApproveHoldRelease,
	string(access.OpPolicyPromote): access.ActionApprovePolicy,
	string(access.OpTrim):          access.ActionApproveTrim,
	string(access.OpTenantClose):   access.ActionApproveTenantClose,
}

// person is every name of who calls, as digests that do not tell them: whoever has
// one of them in common is the same person, whatever the account is called.
func person(caller Caller, keys *keySet) []string {
	var names []string
	for _, name := range []string{caller.Subject, caller.EndUser, caller.Person} {
		if name != "" {
			names = append(names, hexDigest(keys.index.Person(strings.ToLower(name))))
		}
	}
	return unique(names)
}

// samePerson tells whether two have a name in common.
func samePerson(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

func encodeBody(body any) []byte {
	b, err := json.Marshal(body)
	if err != nil {
		panic("vault: a proceeding that is no JSON: " + err.Error()) // strings, numbers and times only
	}
	return b
}

// storedProceeding reads one of a kind.
func (s *Service) storedProceeding(ctx context.Context, tenant string, kind ProceedingKind, id string, into any) (Proceeding, error) {
	if !audit.IsName(id) {
		return Proceeding{}, Errorf(CodeNotFound, "there is nothing of that id")
	}
	found, err := s.proceedings.Proceedings(ctx, tenant, ProceedingQuery{ID: id, Kind: kind, Limit: 1})
	if err != nil {
		return Proceeding{}, public(err)
	}
	if len(found) == 0 {
		return Proceeding{}, Errorf(CodeNotFound, "there is nothing of that id")
	}
	if err := json.Unmarshal(found[0].Body, into); err != nil {
		return Proceeding{}, public(fmt.Errorf("vault: a proceeding: %w", err))
	}
	return found[0], nil
}

// statusOfApproval is the status as the process can tell it.
func statusOfApproval(p Proceeding, now time.Time) ApprovalStatus {
	switch {
	case p.State == ProceedingDone:
		return ApprovalRedeemed
	case p.State == ProceedingRejected:
		return ApprovalRejected
	case expired(p, now):
		return ApprovalExpired
	case p.State == ProceedingApproved:
		return ApprovalApproved
	default:
		return ApprovalPending
	}
}

func (s *Service) describeApproval(p Proceeding, b approvalBody) ApprovalInfo {
	info := ApprovalInfo{
		ID: p.ID, Operation: b.Operation, Target: b.Target, Status: statusOfApproval(p, s.clock()), Requester: p.Actor,
		Reason: b.Reason, Reference: b.Reference, Entities: b.Entities, Tokens: len(b.Tokens), ScopeRefs: b.ScopeRefs,
		Required: b.Required, RequestedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, ClosedAt: p.ClosedAt,
	}
	for _, d := range b.Decisions {
		info.Decisions = append(info.Decisions, ApprovalDecision{By: d.By, Decision: d.Decision, NoteDigest: d.Note, At: d.At})
	}
	return info
}

// openApproval writes down what others have to agree to.
func (s *Service) openApproval(ctx context.Context, call Call, keys *keySet, kind ProceedingKind, body approvalBody, entry audit.Entry) (ApprovalResult, error) {
	body.Client, body.Requester = call.Caller.Client, person(call.Caller, keys)
	entry.Kind, entry.Code = audit.KindApprovalRequest, body.Operation
	entry.Counts = map[string]int{"approvals": body.Required, "tokens": len(body.Tokens)}
	p, receipt, err := openProceeding(ctx, s, call, keys, entry, func() (Proceeding, error) {
		p := Proceeding{
			Kind: kind, State: ProceedingPending, Actor: call.Caller.Subject,
			ExpiresAt: instant(s.clock().Add(ApprovalLife)), Body: encodeBody(body),
		}
		if len(p.Body) > MaxProceedingBody {
			return p, tooLarge("/", "proceeding_bytes", MaxProceedingBody)
		}
		return p, nil
	})
	if err != nil {
		return ApprovalResult{}, err
	}
	// Of a request that is repeated it is what became of the first.
	if err := json.Unmarshal(p.Body, &body); err != nil {
		return ApprovalResult{}, public(err)
	}
	return ApprovalResult{Approval: s.describeApproval(p, body), Audit: receipt}, nil
}

// proofAfter is the receipt of a commit, or of the one that a request repeats.
func (s *Service) proofAfter(ctx context.Context, tenant string, keys *keySet, changeID string, committed *Committed) (*audit.Receipt, error) {
	if committed == nil {
		_, receipt, err := s.entryOf(ctx, tenant, keys, changeID)
		return receipt, err
	}
	return s.receipt(keys, *committed)
}

// refusedEntry is an entry of something that was not done.
func refusedEntry(entry audit.Entry, about string) audit.Entry {
	entry.Kind, entry.Code = audit.KindRequestRefused, about
	entry.Tokens, entry.Counts, entry.Results = nil, nil, nil
	return entry
}

// decide lets a person agree to something, or reject it: never who asked for it
// under any name, and each person once.
func (s *Service) decide(ctx context.Context, call Call, kind ProceedingKind, id string, given DecisionGiven) (ApprovalResult, error) {
	for range MaxAttempts {
		result, err := s.decideOnce(ctx, call, kind, id, given)
		if err == nil || !plannable(err) {
			return result, public(err)
		}
	}
	return ApprovalResult{}, public(ErrConflict)
}

func (s *Service) decideOnce(ctx context.Context, call Call, kind ProceedingKind, id string, given DecisionGiven) (ApprovalResult, error) {
	tenant := call.Caller.Tenant
	var body approvalBody
	row, missing := s.storedProceeding(ctx, tenant, kind, id, &body)
	action := approvers[body.Operation]
	if missing != nil {
		// Who may not agree to anything of the kind is not told what there is.
		if action = access.ActionApprovalRead; kind == ProceedingRestoration {
			action = access.ActionApproveRestore
		}
	}
	keys, entry, err := s.authorise(ctx, call, action, audit.KindApprovalDecide)
	if err = firstError(err, missing); err != nil {
		return ApprovalResult{}, err
	}
	if given.Decision != decisionApprove && given.Decision != decisionReject {
		return ApprovalResult{}, Invalid("/decision", "must be approve or reject")
	}
	if len(given.Note) > MaxNoteBytes {
		return ApprovalResult{}, tooLarge("/note", "note_bytes", MaxNoteBytes)
	}
	entry.Reason, entry.Reference, entry.Code = body.Reason, body.Reference, given.Decision
	entry.Obligations = []string{audit.ObligationProceeding + row.ID}
	if given.Note != "" {
		entry.NoteDigest = hexDigest(keys.index.Note(given.Note))
	}
	who := person(call.Caller, keys)
	if err := s.mayDecide(ctx, tenant, entry, row, body, who); err != nil {
		return ApprovalResult{}, err
	}
	body.Decisions = append(body.Decisions, decisionBody{
		By: call.Caller.Subject, Decision: given.Decision, Note: entry.NoteDigest, At: instant(s.clock()), Person: who,
	})
	switch {
	case given.Decision == decisionReject:
		row.State = ProceedingRejected
	case len(body.Decisions) >= body.Required:
		row.State = ProceedingApproved
	}
	row.Body = encodeBody(body)
	committed, err := s.commitRiding(ctx, tenant, ChangeProceedings{[]Proceeding{row}}, entry, &claiming{}, s.notifying(entry))
	if err != nil {
		return ApprovalResult{}, err
	}
	if row.State.Closes() {
		row.ClosedAt = committed.At
	}
	receipt, err := s.receipt(keys, committed)
	return ApprovalResult{Approval: s.describeApproval(row, body), Audit: receipt}, err
}

// mayDecide refuses who may not decide about this one any more, or never might,
// with an entry.
func (s *Service) mayDecide(ctx context.Context, tenant string, entry audit.Entry, row Proceeding, body approvalBody, who []string) error {
	refuse := func(about, detail string) error {
		refused := refusedEntry(entry, about)
		return s.deny(ctx, tenant, refused, Errorf(CodeConflict, "%s", detail))
	}
	decided := slices.ContainsFunc(body.Decisions, func(d decisionBody) bool { return samePerson(d.Person, who) })
	switch status := statusOfApproval(row, s.clock()); {
	case samePerson(body.Requester, who) && !s.faults.ignoreRequester:
		return refuse("self_approval", "whoever asked for it does not agree to it, under no name")
	case decided && !s.faults.ignoreRequester:
		return refuse("decided_before", "you decided before")
	case status == ApprovalExpired:
		return refuse("approval_expired", "its time is over")
	case status != ApprovalPending:
		return refuse("approval_"+string(status), "it was decided before")
	}
	return nil
}

// approvalsOf returns a page of what others have to agree to: all of it to who may
// read that, else what the caller asked for.
func (s *Service) approvalsOf(ctx context.Context, call Call, kind ProceedingKind, req ApprovalListRequest) (ApprovalPage, error) {
	if _, err := s.begin(ctx, call); err != nil {
		return ApprovalPage{}, public(err)
	}
	if err := checkPage(&req.Limit, PageProceedings, "proceeding_page", req.Cursor); err != nil {
		return ApprovalPage{}, err
	}
	q := ProceedingQuery{Kind: kind, Before: req.Cursor, Limit: req.Limit + 1}
	switch req.Status {
	case "":
	case ApprovalPending, ApprovalExpired:
		q.Open = true // what has expired is not closed
	case ApprovalApproved:
		q.State = ProceedingApproved
	case ApprovalRejected:
		q.State = ProceedingRejected
	case ApprovalRedeemed:
		q.State = ProceedingDone
	default:
		return ApprovalPage{}, Invalid("/status", "must be pending, approved, rejected, expired or redeemed")
	}
	if !s.rules().Decide(s.plainRequest(call.Caller, access.ActionApprovalRead)).Allow {
		q.Actor = call.Caller.Subject
	}
	var page ApprovalPage
	next, err := pageProceedings(ctx, s, call.Caller.Tenant, q, func(row Proceeding, body approvalBody) {
		if info := s.describeApproval(row, body); req.Status == "" || info.Status == req.Status {
			page.Approvals = append(page.Approvals, info)
		}
	})
	if err != nil {
		return ApprovalPage{}, err
	}
	page.Next = next
	return page, nil
}

// approvalOf shows one: to who may read them, and to who asked for it.
func (s *Service) approvalOf(ctx context.Context, call Call, kind ProceedingKind, id string) (ApprovalInfo, error) {
	if _, err := s.begin(ctx, call); err != nil {
		return ApprovalInfo{}, public(err)
	}
	var body approvalBody
	row, missing := s.storedProceeding(ctx, call.Caller.Tenant, kind, id, &body)
	if missing != nil || row.Actor != call.Caller.Subject {
		if _, err := s.read(ctx, call, access.ActionApprovalRead); err != nil {
			return ApprovalInfo{}, err
		}
	}
	if missing != nil {
		return ApprovalInfo{}, missing
	}
	return s.describeApproval(row, body), nil
}
