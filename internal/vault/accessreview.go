package vault

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// The decisions of an access review about a right.
const (
	rightKeep   = "keep"
	rightRevoke = "revoke"
	rightChange = "change"
)

// MaxReviewPeriod bounds the period of an access review: once a year is the least
// that SOC 2, ISO 27001 and HIPAA auditors expect.
const MaxReviewPeriod = 366 * 24 * time.Hour

// accessReviewBody is what is kept of an access review.
type accessReviewBody struct {
	Reference     string                 `json:"reference"`
	PolicyVersion string                 `json:"policy_version"`
	From          time.Time              `json:"from"`
	To            time.Time              `json:"to"`
	Decisions     []AccessReviewDecision `json:"decisions"`
}

// RecordAccessReview writes down that somebody looked at who may have what back, and
// what is to become of each right. It changes no right: that is a change of the
// policy.
func (s *Service) RecordAccessReview(ctx context.Context, call Call, req AccessReviewRequest) (AccessReviewResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionAccessReview, audit.KindAccessReview)
	if err != nil {
		return AccessReviewResult{}, err
	}
	if err := s.checkAccessReview(call.Caller, &req); err != nil {
		return AccessReviewResult{}, err
	}
	body := accessReviewBody{
		Reference: req.Reference, PolicyVersion: s.rules().Version(), From: instant(req.From), To: instant(req.To), Decisions: req.Decisions,
	}
	entry.Reference, entry.Counts = req.Reference, make(map[string]int)
	for _, d := range req.Decisions {
		entry.Counts[d.Decision]++
	}
	p, receipt, err := openProceeding(ctx, s, call, keys, entry, func() (Proceeding, error) {
		return Proceeding{Kind: ProceedingAccessReview, State: ProceedingStanding, Actor: call.Caller.Subject, Body: encodeBody(body)}, nil
	})
	if err != nil {
		return AccessReviewResult{}, err
	}
	return AccessReviewResult{Review: describeAccessReview(p, body), Audit: receipt}, nil
}

// checkAccessReview demands a decision about every right that there is, and about
// no other: one that nobody looked at is what a review is to find.
func (s *Service) checkAccessReview(caller Caller, req *AccessReviewRequest) error {
	if err := checkReference(req.Reference); err != nil {
		return err
	}
	switch {
	case req.Reviewer != "" && req.Reviewer != caller.Subject:
		return Invalid("/reviewer", "must be the caller")
	case req.From.IsZero() || !req.To.After(req.From):
		return Invalid("/to", "must be after from, and both are required")
	case req.To.Sub(req.From) > MaxReviewPeriod:
		return tooLarge("/to", "review_period_seconds", int(MaxReviewPeriod.Seconds()))
	}
	rules := s.rightsOf(caller.Tenant)
	seen := make(map[string]bool)
	for i, d := range req.Decisions {
		at := "/decisions/" + strconv.Itoa(i)
		switch {
		case !slices.Contains(rules, d.Rule):
			return Invalid(at+"/rule", "is no rule of the matrix")
		case seen[d.Rule]:
			return Invalid(at+"/rule", "is decided twice")
		case d.Decision != rightKeep && d.Decision != rightRevoke && d.Decision != rightChange:
			return Invalid(at+"/decision", "must be keep, revoke or change")
		}
		seen[d.Rule] = true
	}
	if len(seen) != len(rules) {
		return Invalid("/decisions", "must have one for each of the "+strconv.Itoa(len(rules))+" rules of the matrix")
	}
	return nil
}

func describeAccessReview(p Proceeding, b accessReviewBody) AccessReviewInfo {
	return AccessReviewInfo{
		ID: p.ID, Reviewer: p.Actor, Reference: b.Reference, PolicyVersion: b.PolicyVersion,
		From: b.From, To: b.To, At: p.CreatedAt, Decisions: b.Decisions,
	}
}

// AccessReviews returns a page of access reviews, the newest first.
func (s *Service) AccessReviews(ctx context.Context, call Call, req ProceedingListRequest) (AccessReviewPage, error) {
	s = s.under(call)
	var page AccessReviewPage
	next, err := listProceedings(ctx, s, call, access.ActionAccessReview, ProceedingQuery{Kind: ProceedingAccessReview}, req,
		func(p Proceeding, b accessReviewBody) {
			page.Reviews = append(page.Reviews, describeAccessReview(p, b))
		})
	page.Next = next
	return page, err
}

// rightsOf are the ids of the rules that give values back, sorted.
func (s *Service) rightsOf(tenant string) []string {
	var ids []string
	for _, right := range s.rules().Matrix(tenant) {
		ids = append(ids, right.Rule)
	}
	return unique(ids)
}
