package client

import (
	"context"
	"time"
)

// What somebody found who looked at the use of an emergency reason.
const (
	FindingJustified    = "justified"
	FindingNotJustified = "not_justified"
	FindingPolicyGap    = "policy_gap"
)

// The statuses of a review.
const (
	ReviewOpen    = "open"
	ReviewOverdue = "overdue"
	ReviewClosed  = "closed"
)

// Review is a use that somebody else has to look at.
type Review struct {
	ID        string         `json:"id"`
	Status    string         `json:"status"`
	Actor     string         `json:"actor"`
	Reason    string         `json:"reason"`
	Reference string         `json:"reference,omitempty"`
	Tokens    int            `json:"tokens"`
	Entities  map[string]int `json:"entities"`
	ScopeRefs []string       `json:"scope_refs"`
	OpenedAt  time.Time      `json:"opened_at"`
	DueAt     time.Time      `json:"due_at"`
	// The rest is of one that is closed.
	Finding          string     `json:"finding,omitempty"`
	FindingReference string     `json:"finding_reference,omitempty"`
	ClosedBy         string     `json:"closed_by,omitempty"`
	ClosedAt         *time.Time `json:"closed_at,omitempty"`
	Proof
}

// CloseReview says what was found, for callers who may and who are not the one
// whose use it was.
func (c *Client) CloseReview(ctx context.Context, id, finding, reference string) (*Review, error) {
	return sendTo[Review](ctx, c, "reviews", id, "close", plain{struct {
		Finding   string `json:"finding"`
		Reference string `json:"reference"`
	}{finding, reference}, []string{finding, reference}})
}

// ReviewPage is a page of reviews, the newest first.
type ReviewPage struct {
	Reviews    []Review `json:"reviews"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

// Reviews returns a page after a cursor, "" for the first; of one status, or of
// all where it is empty.
func (c *Client) Reviews(ctx context.Context, status, cursor string) (*ReviewPage, error) {
	return fetch[ReviewPage](ctx, c, "reviews", pageAfter(cursor, "status", status))
}

// Budget is how many values the caller may still have back for a reason, in this
// hour.
type Budget struct {
	Reason    string    `json:"reason"`
	Per       string    `json:"per"`             // caller, end_user or tenant
	Class     string    `json:"class,omitempty"` // all together where it is empty
	Limit     int       `json:"limit"`
	Used      int       `json:"used"`
	Remaining int       `json:"remaining"`
	ResetsAt  time.Time `json:"resets_at"`
}

// Quota returns the budgets of the caller for a reason, or for all where it is
// empty.
func (c *Client) Quota(ctx context.Context, reason string) ([]Budget, error) {
	answer, err := fetch[struct {
		Budgets []Budget `json:"budgets"`
	}](ctx, c, "quota", pageAfter("", "reason", reason))
	if err != nil {
		return nil, err
	}
	return answer.Budgets, nil
}
