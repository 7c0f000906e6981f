package vault

import (
	"context"
	"slices"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// RequestRestoration asks others to agree to a restoration for which the policy
// demands approvals. Nothing is given back: ids of tokens and a keyed digest of the
// request are kept, never its text. Who may not have any of it, and for what no
// approval is needed, is refused.
func (s *Service) RequestRestoration(ctx context.Context, call Call, req DetokenizeRequest) (ApprovalResult, error) {
	s = s.under(call)
	job, err := s.newRestoreJob(ctx, call, req, &redeeming{asking: true})
	if err != nil {
		return ApprovalResult{}, err
	}
	if err := job.readMappings(ctx); err != nil {
		return ApprovalResult{}, public(err)
	}
	job.decideMappings()
	body := approvalBody{
		Operation: operationRestore, Asked: job.asked(), Reason: req.Reason.Code, Reference: req.Reason.Reference,
		Entities: make(map[string]int), ScopeRefs: job.scopeRefs(),
	}
	for i := range job.found {
		o := &job.found[i]
		if !o.gives() {
			continue
		}
		if ref := (MappingRef{o.mapping.ScopeID, o.mapping.TokenID}); !slices.Contains(body.Tokens, ref) {
			body.Tokens = append(body.Tokens, ref)
			body.Entities[o.mapping.Entity]++
		}
		body.Required = max(body.Required, o.decision.Approvals)
	}
	switch {
	case len(body.Tokens) == 0:
		return ApprovalResult{}, s.deny(ctx, call.Caller.Tenant, job.describe(), Errorf(CodeDenied, "nothing of it can be restored"))
	case body.Required == 0:
		return ApprovalResult{}, Errorf(CodeConflict, "no approval is needed: detokenize it")
	}
	entry := job.entry
	entry.Decision, entry.ScopeRefs, entry.Entities = audit.Allow, body.ScopeRefs, body.Entities
	return s.openApproval(ctx, call, job.keys, ProceedingRestoration, body, entry)
}

// Restoration shows one that others have to agree to.
func (s *Service) Restoration(ctx context.Context, call Call, id string) (ApprovalInfo, error) {
	s = s.under(call)
	return s.approvalOf(ctx, call, ProceedingRestoration, id)
}

// Restorations returns a page of them, the newest first: all to who may read
// them, else the caller's own.
func (s *Service) Restorations(ctx context.Context, call Call, req ApprovalListRequest) (ApprovalPage, error) {
	s = s.under(call)
	return s.approvalsOf(ctx, call, ProceedingRestoration, req)
}

// DecideRestoration agrees to a restoration or rejects it. Who asked for it cannot,
// under no name (invariant 14).
func (s *Service) DecideRestoration(ctx context.Context, call Call, id string, d DecisionGiven) (ApprovalResult, error) {
	s = s.under(call)
	return s.decide(ctx, call, ProceedingRestoration, id, d)
}

// RedeemRestoration carries out what was approved: once, in time, by who asked for
// it, and exactly that: the same scope, text or tokens, reason and recipient. It is
// otherwise as Detokenize, and decided anew.
func (s *Service) RedeemRestoration(ctx context.Context, call Call, id string, req DetokenizeRequest) (DetokenizeResult, error) {
	s = s.under(call)
	r := &redeeming{}
	job, err := s.newRestoreJob(ctx, call, req, r)
	if err != nil {
		return DetokenizeResult{}, err
	}
	if err := r.read(ctx, s, call.Caller.Tenant, ProceedingRestoration, id); err != nil {
		return DetokenizeResult{}, err
	}
	if err := r.check(ctx, s, call, refusedEntry(job.entry, ""), job.keys, job.asked()); err != nil {
		return DetokenizeResult{}, err
	}
	job.claim = s.newClaiming(call, job.keys)
	return job.run(ctx)
}

// newRestoreJob checks a request and decides it by the labels of its tokens.
func (s *Service) newRestoreJob(ctx context.Context, call Call, req DetokenizeRequest, r *redeeming) (*restoreJob, error) {
	job, err := s.justified(ctx, call, req)
	if err != nil {
		return nil, err
	}
	job.redeems = r
	if err := checkDetokenize(&req); err != nil {
		return nil, err
	}
	// Whatever was done on the way out, tokens are looked for everywhere.
	if job.doc, job.parts, err = readParts(req.Text, req.Payload, req.Shape, access.UnknownEveryLeaf); err != nil {
		return nil, public(err)
	}
	job.scan()
	return job, job.decideLabels(ctx)
}

// justified begins a job of somebody who has a reason.
func (s *Service) justified(ctx context.Context, call Call, req DetokenizeRequest) (*restoreJob, error) {
	return s.justifiedIn(ctx, call, "", req)
}

// justifiedIn is justified where the reason stands elsewhere in the request.
func (s *Service) justifiedIn(ctx context.Context, call Call, at string, req DetokenizeRequest) (*restoreJob, error) {
	keys, err := s.begin(ctx, call)
	if err != nil {
		return nil, public(err)
	}
	job := &restoreJob{s: s, call: call, req: req, at: at, keys: keys, entry: s.entry(call, audit.KindRestore, keys)}
	if err := job.justify(ctx); err != nil {
		return nil, err
	}
	job.entry.Recipient = req.Recipient
	return job, nil
}

// asked is the digest of what is asked for: all that it depends on, in fields.
func (j *restoreJob) asked() string {
	fields := []string{operationRestore, j.req.Scope, strconv.Itoa(len(j.req.ReadScopes))}
	fields = append(fields, j.req.ReadScopes...)
	fields = append(fields, j.req.Reason.Code, j.req.Reason.Reference, j.req.Recipient, j.call.Caller.EndUser)
	switch {
	case j.req.Text != nil:
		fields = append(fields, "text", *j.req.Text)
	case j.req.Payload != nil:
		fields = append(fields, "payload", j.req.Shape, string(j.req.Payload))
	default:
		fields = append(append(fields, "tokens"), j.req.Tokens...)
	}
	return hexDigest(j.keys.index.Asked(fields...))
}
