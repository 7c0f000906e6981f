package client

import (
	"context"
	"time"
)

// What a reviewer says of a right.
const (
	RightKeep   = "keep"
	RightRevoke = "revoke"
	RightChange = "change"
)

// Right says that a role can have values back for a reason, and when one had.
type Right struct {
	Rule       string     `json:"rule"`
	Role       string     `json:"role"`
	Reason     string     `json:"reason"`
	Class      string     `json:"class"`
	Entities   []string   `json:"entities,omitempty"` // all of the class where it is empty
	Form       string     `json:"form"`
	Conditions []string   `json:"conditions"`
	Approvals  int        `json:"approvals"`
	MFA        bool       `json:"mfa"`
	Reference  string     `json:"reference,omitempty"`
	Places     []string   `json:"places"`
	Budgets    []string   `json:"budgets"`
	Uses       int        `json:"uses"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"` // nil: not since Matrix.UsesSince
}

// Matrix is who can restore what for which reason, under one policy.
type Matrix struct {
	PolicyVersion string    `json:"policy_version"`
	Rights        []Right   `json:"rights"`
	UsesSince     time.Time `json:"uses_since"`
	UsesTruncated bool      `json:"uses_truncated"` // the log has more uses than were looked at
}

// Matrix returns what an access review is about.
func (c *Client) Matrix(ctx context.Context) (*Matrix, error) {
	return fetch[Matrix](ctx, c, "policy/matrix", nil)
}

// RightDecision is what a reviewer says of the rights that one rule gives.
type RightDecision struct {
	Rule     string `json:"rule"`
	Decision string `json:"decision"`
}

// AccessReviewRequest writes down that the caller looked at who may have what
// back. It needs a decision about every rule of the Matrix.
type AccessReviewRequest struct {
	From, To  time.Time // the period that was looked at
	Reference string
	Decisions []RightDecision

	IdempotencyKey string // 128 random bits where it is empty
}

// AccessReview is one. It changes no right: that is a change of the policy.
type AccessReview struct {
	ID            string          `json:"id"`
	Reviewer      string          `json:"reviewer"`
	Reference     string          `json:"reference"`
	PolicyVersion string          `json:"policy_version"`
	From          time.Time       `json:"from"`
	To            time.Time       `json:"to"`
	Decisions     []RightDecision `json:"decisions"`
	At            time.Time       `json:"at"`
	Proof
}

// RecordAccessReview writes it down.
func (c *Client) RecordAccessReview(ctx context.Context, r AccessReviewRequest) (*AccessReview, error) {
	texts := []string{r.Reference}
	for _, d := range r.Decisions {
		texts = append(texts, d.Rule, d.Decision)
	}
	return send[AccessReview](ctx, c, "access-reviews", plain{struct {
		span
		Reference string          `json:"reference"`
		Decisions []RightDecision `json:"decisions"`
	}{between(&r.From, &r.To), r.Reference, r.Decisions}, texts}, r.IdempotencyKey)
}

// AccessReviewPage is a page of access reviews, the newest first.
type AccessReviewPage struct {
	Reviews    []AccessReview `json:"reviews"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// AccessReviews returns a page after a cursor, "" for the first.
func (c *Client) AccessReviews(ctx context.Context, cursor string) (*AccessReviewPage, error) {
	return fetch[AccessReviewPage](ctx, c, "access-reviews", pageAfter(cursor))
}
