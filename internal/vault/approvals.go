package vault

import (
	"context"
	"slices"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// RequestApproval asks others to agree to an operation for which the policy demands
// approvals. Whoever asks must be allowed the operation itself.
func (s *Service) RequestApproval(ctx context.Context, call Call, req ApprovalRequest) (ApprovalResult, error) {
	s = s.under(call)
	op := access.Operation(req.Operation)
	if !slices.Contains(access.Operations(), op) {
		if _, err := s.begin(ctx, call); err != nil {
			return ApprovalResult{}, public(err)
		}
		return ApprovalResult{}, Invalid("/operation", "must be erase, hold_release, policy_promotion, trim or tenant_close")
	}
	keys, entry, err := s.authoriseAs(ctx, call, s.operationRequest(ctx, call.Caller, op, req.Target), audit.KindApprovalRequest)
	if err != nil {
		return ApprovalResult{}, err
	}
	if err := s.checkTarget(ctx, call, op, req); err != nil {
		return ApprovalResult{}, err
	}
	rule := s.rules().Operation(op)
	if rule.Approvals == 0 {
		return ApprovalResult{}, Errorf(CodeConflict, "the policy demands no approval for it")
	}
	entry.Reference = req.Reference
	return s.openApproval(ctx, call, keys, ProceedingApproval, approvalBody{
		Operation: req.Operation, Target: req.Target, Reference: req.Reference, Required: rule.Approvals,
	}, entry)
}

// operationRequest is what the policy is asked about who wants to do an operation.
func (s *Service) operationRequest(ctx context.Context, caller Caller, op access.Operation, target string) access.Request {
	actions := map[access.Operation]access.Action{
		access.OpErase: access.ActionErase, access.OpHoldRelease: access.ActionHoldRelease, access.OpPolicyPromote: access.ActionPolicyManage,
		access.OpTrim: access.ActionKeyManage, access.OpTenantClose: access.ActionTenantManage,
	}
	request := s.plainRequest(caller, actions[op])
	if op == access.OpHoldRelease {
		request.SecondPerson = s.isSecondPerson(ctx, caller, target)
	}
	return request
}

// checkTarget checks what an approval is to be about.
func (s *Service) checkTarget(ctx context.Context, call Call, op access.Operation, req ApprovalRequest) error {
	if req.Reference == "" {
		return Invalid("/reference", "is required")
	}
	if err := checkIdentifier("/reference", req.Reference); err != nil {
		return err
	}
	if !audit.IsName(req.Target) {
		return Invalid("/target", "must be the id of what it is about")
	}
	switch op {
	case access.OpTenantClose:
		if req.Target != call.Caller.Tenant {
			return Invalid("/target", "must be the caller's tenant")
		}
	case access.OpTrim:
		if version, err := strconv.Atoi(req.Target); err != nil || version < 2 || strconv.Itoa(version) != req.Target {
			return Invalid("/target", "must be the lowest version of the wrapping key that stays, at least 2")
		}
	case access.OpPolicyPromote:
		if !s.administers(call.Caller) {
			return Errorf(CodeDenied, "the policy is managed by another tenant")
		}
		var body policyBody
		_, err := s.storedProceeding(ctx, SystemTenant, ProceedingPolicy, req.Target, &body)
		return err
	case access.OpHoldRelease:
		_, err := s.storedHold(ctx, call.Caller.Tenant, req.Target)
		return err
	}
	return nil
}

// Approval shows one approval.
func (s *Service) Approval(ctx context.Context, call Call, id string) (ApprovalInfo, error) {
	s = s.under(call)
	return s.approvalOf(ctx, call, ProceedingApproval, id)
}

// Approvals returns a page of them, the newest first: all to who may read them,
// else the caller's own.
func (s *Service) Approvals(ctx context.Context, call Call, req ApprovalListRequest) (ApprovalPage, error) {
	s = s.under(call)
	return s.approvalsOf(ctx, call, ProceedingApproval, req)
}

// DecideApproval agrees to an operation or rejects it. Who asked for it cannot,
// under no name (invariant 14).
func (s *Service) DecideApproval(ctx context.Context, call Call, id string, d DecisionGiven) (ApprovalResult, error) {
	s = s.under(call)
	return s.decide(ctx, call, ProceedingApproval, id, d)
}

// operationApproval is the approval of an operation that is to be carried out. Where
// the policy demands none it is nil; where it demands one that was not given, or the
// one that was given is of something else, the operation is refused with an entry.
func (s *Service) operationApproval(ctx context.Context, call Call, tenant string, op access.Operation, target, id string, entry audit.Entry) (*redeeming, error) {
	rule := s.rules().Operation(op)
	if rule.Approvals == 0 && id == "" {
		return nil, nil
	}
	refused := refusedEntry(entry, "needs_approval")
	refuse := func(about, detail string) error {
		refused.Code = about
		return s.deny(ctx, tenant, refused, Errorf(CodeConflict, "%s", detail))
	}
	if id == "" {
		return nil, refuse("needs_approval", "the policy demands approvals ("+strconv.Itoa(rule.Approvals)+"): ask for them first")
	}
	r := &redeeming{}
	if err := r.read(ctx, s, tenant, ProceedingApproval, id); err != nil {
		return nil, err
	}
	refused.Obligations = r.obligations()
	status := statusOfApproval(r.row, s.clock())
	// A command on a machine of the service names nobody: there the approvers' word
	// is what counts. Calls from outside always name somebody.
	mine := call.Caller.Subject == "" || r.row.Actor == call.Caller.Subject && r.body.Client == call.Caller.Client
	switch {
	case !mine:
		return nil, refuse("not_the_requester", "the approval was asked for by somebody else")
	case r.body.Operation != string(op), r.body.Target != target:
		return nil, refuse("approval_of_another", "the approval is of something else")
	case status != ApprovalApproved:
		return nil, refuse("approval_"+string(status), "the approval is "+string(status))
	case len(r.body.Decisions) < rule.Approvals:
		return nil, refuse("approval_of_fewer", "the policy demands more approvals by now")
	}
	return r, nil
}
