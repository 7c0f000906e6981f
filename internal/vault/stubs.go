package vault

import (
	"context"
)

var errSoon = Errorf(CodeInternal, "not there")

func (s *Service) RequestRestoration(ctx context.Context, call Call, req DetokenizeRequest) (ApprovalResult, error) {
	return ApprovalResult{}, errSoon
}
func (s *Service) Restoration(ctx context.Context, call Call, id string) (ApprovalInfo, error) {
	return ApprovalInfo{}, errSoon
}
func (s *Service) Restorations(ctx context.Context, call Call, req ApprovalListRequest) (ApprovalPage, error) {
	return ApprovalPage{}, errSoon
}
func (s *Service) DecideRestoration(ctx context.Context, call Call, id string, d DecisionGiven) (ApprovalResult, error) {
	return ApprovalResult{}, errSoon
}

// RedeemRestoration takes the same scope, text or tokens, and reason as were asked for.
func (s *Service) RedeemRestoration(ctx context.Context, call Call, id string, req DetokenizeRequest) (DetokenizeResult, error) {
	return DetokenizeResult{}, errSoon
}
func (s *Service) RequestApproval(ctx context.Context, call Call, req ApprovalRequest) (ApprovalResult, error) {
	return ApprovalResult{}, errSoon
}
func (s *Service) Approval(ctx context.Context, call Call, id string) (ApprovalInfo, error) {
	return ApprovalInfo{}, errSoon
}
func (s *Service) Approvals(ctx context.Context, call Call, req ApprovalListRequest) (ApprovalPage, error) {
	return ApprovalPage{}, errSoon
}
func (s *Service) DecideApproval(ctx context.Context, call Call, id string, d DecisionGiven) (ApprovalResult, error) {
	return ApprovalResult{}, errSoon
}
func (s *Service) Reviews(ctx context.Context, call Call, req ReviewListRequest) (ReviewPage, error) {
	return ReviewPage{}, errSoon
}
func (s *Service) CloseReview(ctx context.Context, call Call, id, finding, reference string) (ReviewResult, error) {
	return ReviewResult{}, errSoon
}

// Quota takes a reason, or none for all that the caller may use.
func (s *Service) Quota(ctx context.Context, call Call, reason string) ([]QuotaLine, error) {
	return nil, errSoon
}
func (s *Service) Suspend(ctx context.Context, call Call, req SuspensionRequest) (SuspensionResult, error) {
	return SuspensionResult{}, errSoon
}
func (s *Service) Suspensions(ctx context.Context, call Call, req ProceedingListRequest) (SuspensionPage, error) {
	return SuspensionPage{}, errSoon
}
func (s *Service) LiftSuspension(ctx context.Context, call Call, id, reference string) (SuspensionResult, error) {
	return SuspensionResult{}, errSoon
}
func (s *Service) GiveConsent(ctx context.Context, call Call, req ConsentRequest) (ConsentResult, error) {
	return ConsentResult{}, errSoon
}

// Consents takes a subject, or none for all.
func (s *Service) Consents(ctx context.Context, call Call, subject string, req ProceedingListRequest) (ConsentPage, error) {
	return ConsentPage{}, errSoon
}
func (s *Service) WithdrawConsent(ctx context.Context, call Call, id, reference string) (ConsentResult, error) {
	return ConsentResult{}, errSoon
}
func (s *Service) AssessIncident(ctx context.Context, call Call, req AssessRequest) (Assessment, error) {
	return Assessment{}, errSoon
}
func (s *Service) OpenIncident(ctx context.Context, call Call, req IncidentRequest) (IncidentResult, error) {
	return IncidentResult{}, errSoon
}
func (s *Service) Incident(ctx context.Context, call Call, id string) (IncidentInfo, error) {
	return IncidentInfo{}, errSoon
}
func (s *Service) Incidents(ctx context.Context, call Call, req ProceedingListRequest) (IncidentPage, error) {
	return IncidentPage{}, errSoon
}
func (s *Service) NoteIncident(ctx context.Context, call Call, id string, kind IncidentEventKind, reference string) (IncidentResult, error) {
	return IncidentResult{}, errSoon
}
func (s *Service) CloseIncident(ctx context.Context, call Call, id string, outcome IncidentOutcome, reference string) (IncidentResult, error) {
	return IncidentResult{}, errSoon
}
func (s *Service) Exposure(ctx context.Context, call Call) ([]DestinationExposure, error) {
	return nil, errSoon
}
func (s *Service) RecordAccessReview(ctx context.Context, call Call, req AccessReviewRequest) (AccessReviewResult, error) {
	return AccessReviewResult{}, errSoon
}
func (s *Service) AccessReviews(ctx context.Context, call Call, req ProceedingListRequest) (AccessReviewPage, error) {
	return AccessReviewPage{}, errSoon
}
func (s *Service) ReloadPolicy(ctx context.Context, call Call) (ReloadResult, error) {
	return ReloadResult{}, errSoon
}
func (s *Service) ProposePolicy(ctx context.Context, call Call, req ProposeRequest) (ProposalResult, error) {
	return ProposalResult{}, errSoon
}
func (s *Service) Proposals(ctx context.Context, call Call, req ProceedingListRequest) (ProposalPage, error) {
	return ProposalPage{}, errSoon
}

// PromotePolicy takes the approval that the policy demands for it, or none.
func (s *Service) PromotePolicy(ctx context.Context, call Call, id, reference, approval string) (ProposalResult, error) {
	return ProposalResult{}, errSoon
}
func (s *Service) DropPolicy(ctx context.Context, call Call, id, reference string) (ProposalResult, error) {
	return ProposalResult{}, errSoon
}

// RollbackPolicy puts the policy before the one in force into force again.
func (s *Service) RollbackPolicy(ctx context.Context, call Call, reference string) (ProposalResult, error) {
	return ProposalResult{}, errSoon
}
