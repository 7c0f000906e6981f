package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// The policy changes in two ways. The configured bundle of a replica is read again
// on a signal or on request (reload). Or a bundle is proposed through the API,
// decides for the tenants of its trial, and is promoted for all by a second person;
// then it decides instead of the configured one on every replica, until it is
// rolled back. Proposals are proceedings of the system's own log, where the entries
// of both are, too.

// policyBody is what is kept of a proposed policy.
type policyBody struct {
	Version   string        `json:"version"`
	Tenants   []string      `json:"tenants,omitempty"`
	Change    access.Change `json:"change"`
	Bundle    []byte        `json:"bundle"`
	By        []string      `json:"by"`                 // every name of who proposed it, as digests
	Replaces  string        `json:"replaces,omitempty"` // the proposal that was in force before it
	DroppedOn string        `json:"dropped_on,omitempty"`
	InForce   bool          `json:"in_force,omitempty"` // it was promoted once
}

// The statuses of a proposed policy.
const (
	proposalTrial   = "trial"
	proposalInForce = "in_force"
	proposalKept    = "kept" // the one before it, for a rollback
	proposalRetired = "retired"
	proposalDropped = "dropped"
)

// administers tells whether the caller's tenant manages the policy of all.
func (s *Service) administers(caller Caller) bool {
	return s.policies.administrator != "" && caller.Tenant == s.policies.administrator
}

// administer opens the door to what changes the policy. Keys are those of the
// system's own log, where it is written down.
func (s *Service) administer(ctx context.Context, call Call, kind audit.Kind) (own, system *keySet, entry audit.Entry, err error) {
	own, entry, err = s.authorise(ctx, call, access.ActionPolicyManage, kind)
	if err != nil {
		return nil, nil, entry, err
	}
	if !s.administers(call.Caller) {
		refused := refusedEntry(entry, "policy_of_another")
		return nil, nil, entry, s.deny(ctx, call.Caller.Tenant, refused, Errorf(CodeDenied, "the policy is managed by another tenant"))
	}
	entry.Obligations = append(entry.Obligations, "tenant:"+call.Caller.Tenant)
	system, err = s.tenants.get(ctx, SystemTenant)
	return own, system, entry, public(err)
}

// ReloadPolicy reads the configured bundle of this replica again and takes it if it
// is good. Other replicas are asked each on their own.
func (s *Service) ReloadPolicy(ctx context.Context, call Call) (ReloadResult, error) {
	s = s.under(call)
	_, keys, entry, err := s.administer(ctx, call, audit.KindPolicyLoad)
	if err != nil {
		return ReloadResult{}, err
	}
	return s.reload(ctx, keys, entry)
}

// Reload is ReloadPolicy on a signal to the process.
func (s *Service) Reload(ctx context.Context) (ReloadResult, error) {
	keys, err := s.tenants.get(ctx, SystemTenant)
	if err != nil {
		return ReloadResult{}, public(err)
	}
	return s.reload(ctx, keys, s.entry(Call{Channel: "process"}, audit.KindPolicyLoad, nil))
}

func (s *Service) reload(ctx context.Context, keys *keySet, entry audit.Entry) (ReloadResult, error) {
	p := s.policies
	if p.source == nil {
		return ReloadResult{}, Errorf(CodeConflict, "the policy is built in: there is none to read again")
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	bundle, err := p.source(ctx)
	if err != nil {
		return ReloadResult{}, badBundle(err)
	}
	policy, err := p.believe(ctx, bundle)
	if err != nil {
		return ReloadResult{}, badBundle(err)
	}
	before := p.now.Load()
	result := ReloadResult{Version: policy.Version(), Before: before.configured.Version()}
	if result.Changed = result.Version != result.Before; !result.Changed {
		return result, nil
	}
	// Written down first: no entry names a version that the log does not have.
	entry.Code, entry.Reference = "reload", result.Version
	committed, err := s.commit(ctx, SystemTenant, Record{}, entry)
	if err != nil {
		return ReloadResult{}, public(err)
	}
	next := *before
	next.configured = policy
	p.now.Store(&next)
	result.Audit, err = s.receipt(keys, committed)
	return result, err
}

// badBundle tells what is wrong with a bundle. What access says of one names files,
// lines, rules and never a value of anybody.
func badBundle(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return public(err)
	}
	return (&Error{Code: CodeInvalid, Detail: "the bundle is refused: " + err.Error()}).Because(err)
}

// ProposePolicy keeps a bundle as a proposal. It is checked whole before anything is
// written. For the tenants of its trial it decides from the commit on, on other
// replicas within seconds.
func (s *Service) ProposePolicy(ctx context.Context, call Call, req ProposeRequest) (ProposalResult, error) {
	s = s.under(call)
	own, system, entry, err := s.administer(ctx, call, audit.KindPolicyPropose)
	if err != nil {
		return ProposalResult{}, err
	}
	body, err := s.proposal(ctx, req)
	if err != nil {
		return ProposalResult{}, err
	}
	open, err := s.openPolicies(ctx)
	if err != nil {
		return ProposalResult{}, err
	}
	if len(open) >= MaxProposals {
		refusal := Errorf(CodeConflict, "%d proposals are open: drop one first", MaxProposals)
		refusal.Limit = "proposals"
		return ProposalResult{}, refusal
	}
	body.By = person(call.Caller, own)
	entry.Reference, entry.Code = body.Version, body.Change.PR
	id, committed, err := s.openInSystem(ctx, entry, Proceeding{
		Kind: ProceedingPolicy, State: ProceedingPending, Actor: call.Caller.Subject, Body: encodeBody(body),
	})
	if err != nil {
		return ProposalResult{}, err
	}
	return s.proposalAfter(ctx, system, id, committed)
}

// proposal checks a bundle and what is said of its change.
func (s *Service) proposal(ctx context.Context, req ProposeRequest) (policyBody, error) {
	bundle, err := access.ReadBundle(req.Bundle)
	if err != nil {
		return policyBody{}, badBundle(err)
	}
	s.policies.changing.Lock()
	policy, err := s.policies.believe(ctx, bundle)
	s.policies.changing.Unlock()
	if err != nil {
		return policyBody{}, badBundle(err)
	}
	body := policyBody{Version: policy.Version(), Tenants: unique(slices.Clone(req.Tenants)), Change: bundle.Change(), Bundle: req.Bundle}
	if body.Change == (access.Change{}) {
		body.Change = req.Change
	}
	switch c := body.Change; {
	case c.PR == "" || c.Commit == "" || c.TestsDigest == "":
		return policyBody{}, Invalid("/change", "pr, commit and tests_digest are required, here or in the bundle")
	case c.TestsDigest != bundle.TestsDigest():
		return policyBody{}, Invalid("/change/tests_digest", "is not that of the bundle's tests")
	}
	if err := errors.Join(checkIdentifier("/change/pr", body.Change.PR), checkIdentifier("/change/commit", body.Change.Commit)); err != nil {
		return policyBody{}, err
	}
	for i, tenant := range body.Tenants {
		if err := checkTenantName(tenant); err != nil {
			return policyBody{}, Invalid(fmt.Sprintf("/tenants/%d", i), "is not the name of a tenant")
		}
	}
	if len(encodeBody(body)) > MaxProceedingBody {
		return policyBody{}, tooLarge("/bundle", "proceeding_bytes", MaxProceedingBody)
	}
	return body, nil
}

// openInSystem opens a proceeding of the system's own log.
func (s *Service) openInSystem(ctx context.Context, entry audit.Entry, p Proceeding) (string, Committed, error) {
	id := ""
	committed, err := s.commitRiding(ctx, SystemTenant, OpenProceeding{p}, entry, &claiming{}, func(c Change) Change {
		id = c.id
		return s.notifying(entry)(c)
	})
	return id, committed, public(err)
}

// proposalAfter takes the ruling that follows from a commit, and describes a
// proposal as it stands.
func (s *Service) proposalAfter(ctx context.Context, keys *keySet, id string, committed Committed) (ProposalResult, error) {
	if err := s.SyncPolicies(ctx); err != nil {
		return ProposalResult{}, err
	}
	var body policyBody
	row, err := s.storedProceeding(ctx, SystemTenant, ProceedingPolicy, id, &body)
	if err != nil {
		return ProposalResult{}, err
	}
	receipt, err := s.receipt(keys, committed)
	return ProposalResult{Proposal: describeProposal(row, body), Audit: receipt}, err
}

func describeProposal(p Proceeding, b policyBody) ProposalInfo {
	info := ProposalInfo{
		ID: p.ID, Version: b.Version, ProposedBy: p.Actor, Tenants: b.Tenants, Change: b.Change,
		ProposedAt: p.CreatedAt, ClosedAt: p.ClosedAt, Status: proposalTrial,
	}
	switch {
	case p.State == ProceedingStanding:
		info.Status = proposalInForce
	case p.State == ProceedingApproved:
		info.Status = proposalKept
	case p.State.Closes() && b.InForce:
		info.Status = proposalRetired
	case p.State.Closes():
		info.Status = proposalDropped
	}
	return info
}

// Proposals returns a page of proposed policies, the newest first.
func (s *Service) Proposals(ctx context.Context, call Call, req ProceedingListRequest) (ProposalPage, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionPolicyRead); err != nil {
		return ProposalPage{}, err
	}
	if err := checkPage(&req.Limit, PageProposals, "proposal_page", req.Cursor); err != nil {
		return ProposalPage{}, err
	}
	if !s.administers(call.Caller) {
		return ProposalPage{}, Errorf(CodeDenied, "the policy is managed by another tenant")
	}
	var page ProposalPage
	q := ProceedingQuery{Kind: ProceedingPolicy, Open: req.Open, Before: req.Cursor, Limit: req.Limit + 1}
	next, err := pageProceedings(ctx, s, SystemTenant, q, func(p Proceeding, body policyBody) {
		page.Proposals = append(page.Proposals, describeProposal(p, body))
	})
	page.Next = next
	return page, err
}

// MaxProposals bounds the proposals that are not closed: every replica reads them
// once a second.
const MaxProposals = 8

// PageProposals bounds a page of proposals: each is read with its bundle.
const PageProposals = 20

// steer opens the door to what becomes of a proposal, on somebody's word.
func (s *Service) steer(ctx context.Context, call Call, code, reference string) (own, system *keySet, entry audit.Entry, err error) {
	own, system, entry, err = s.administer(ctx, call, audit.KindPolicyChange)
	if err == nil {
		err = checkReference(reference)
	}
	entry.Code, entry.Reference = code, reference
	return own, system, entry, err
}

// notProposer refuses who proposed it, under any name, with an entry.
func (s *Service) notProposer(ctx context.Context, call Call, own *keySet, chosen *openPolicy, refused audit.Entry) error {
	if !samePerson(chosen.body.By, person(call.Caller, own)) || s.faults.ignoreRequester {
		return nil
	}
	return s.deny(ctx, call.Caller.Tenant, refused, Errorf(CodeConflict, "whoever proposed it does not decide what becomes of it, under no name"))
}

// PromotePolicy puts a proposal into force for all tenants: by somebody else than
// who proposed it, under any name, and with the approval that the policy demands.
func (s *Service) PromotePolicy(ctx context.Context, call Call, id, reference, approval string) (ProposalResult, error) {
	s = s.under(call)
	own, system, entry, err := s.steer(ctx, call, "promote", reference)
	if err != nil {
		return ProposalResult{}, err
	}
	return s.changePolicies(ctx, system, id, entry, func(chosen *openPolicy, all []openPolicy) ([]Proceeding, error) {
		if chosen.row.State != ProceedingPending {
			return nil, Errorf(CodeConflict, "it is not on trial")
		}
		if err := s.notProposer(ctx, call, own, chosen, refusedEntry(entry, "self_promotion")); err != nil {
			return nil, err
		}
		if err := s.approvePromotion(ctx, call, id, approval, entry); err != nil {
			return nil, err
		}
		// The one in force is kept for a rollback; the one that was kept is done with.
		var rows []Proceeding
		for _, other := range all {
			switch other.row.State {
			case ProceedingStanding:
				chosen.body.Replaces = other.row.ID
				rows = append(rows, other.in(ProceedingApproved))
			case ProceedingApproved:
				rows = append(rows, other.in(ProceedingDone))
			}
		}
		chosen.body.InForce, chosen.row.State = true, ProceedingStanding
		chosen.row.Body = encodeBody(chosen.body)
		return append(rows, chosen.row), nil
	})
}

// approvePromotion uses the approval in the caller's own tenant, where approvals
// are, before the promotion in the system's log: one that then fails has used it.
func (s *Service) approvePromotion(ctx context.Context, call Call, id, approval string, entry audit.Entry) error {
	redeems, err := s.operationApproval(ctx, call, call.Caller.Tenant, access.OpPolicyPromote, id, approval, entry)
	if err != nil || redeems == nil {
		return err
	}
	entry.Kind, entry.Code = audit.KindApprovalDecide, "redeem"
	entry.Obligations = redeems.obligations()
	row := redeems.row
	row.State = ProceedingDone
	_, err = s.commit(ctx, call.Caller.Tenant, ChangeProceedings{[]Proceeding{row}}, entry)
	return public(err)
}

// DropPolicy ends a proposal that was not promoted: its trial is over.
func (s *Service) DropPolicy(ctx context.Context, call Call, id, reference string) (ProposalResult, error) {
	s = s.under(call)
	_, system, entry, err := s.steer(ctx, call, "drop", reference)
	if err != nil {
		return ProposalResult{}, err
	}
	return s.changePolicies(ctx, system, id, entry, func(chosen *openPolicy, _ []openPolicy) ([]Proceeding, error) {
		if chosen.row.State != ProceedingPending {
			return nil, Errorf(CodeConflict, "it is in force: roll it back")
		}
		chosen.body.DroppedOn, chosen.row.State = reference, ProceedingRejected
		chosen.row.Body = encodeBody(chosen.body)
		return []Proceeding{chosen.row}, nil
	})
}

// RollbackPolicy takes the promoted policy out of force for good, by somebody else
// than who proposed it. The one that it replaced decides again: the promoted one
// before it, or where there was none the configured bundle.
func (s *Service) RollbackPolicy(ctx context.Context, call Call, reference string) (ProposalResult, error) {
	s = s.under(call)
	own, system, entry, err := s.steer(ctx, call, "rollback", reference)
	if err != nil {
		return ProposalResult{}, err
	}
	return s.changePolicies(ctx, system, "", entry, func(chosen *openPolicy, all []openPolicy) ([]Proceeding, error) {
		if err := s.notProposer(ctx, call, own, chosen, refusedEntry(entry, "self_rollback")); err != nil {
			return nil, err
		}
		rows := []Proceeding{chosen.in(ProceedingDone)}
		for _, other := range all {
			if other.row.ID == chosen.body.Replaces && other.row.State == ProceedingApproved {
				rows = append(rows, other.in(ProceedingStanding))
			}
		}
		return rows, nil
	})
}
