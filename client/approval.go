package client

import (
	"context"
	"time"
)

// What, besides a restoration, others may have to agree to.
const (
	OperationErase           = "erase"
	OperationHoldRelease     = "hold_release"
	OperationPolicyPromotion = "policy_promotion"
	OperationTrim            = "trim"
	OperationTenantClose     = "tenant_close"
)

// Approval is what others have to agree to.
type Approval struct {
	ID                string     `json:"id"`
	Status            string     `json:"status"`
	Operation         string     `json:"operation"`
	Target            string     `json:"target"`
	Reference         string     `json:"reference,omitempty"`
	Requester         string     `json:"requester"`
	ApprovalsRequired int        `json:"approvals_required"`
	Decisions         []Decision `json:"decisions"`
	RequestedAt       time.Time  `json:"requested_at"`
	ExpiresAt         time.Time  `json:"expires_at"`
	ClosedAt          *time.Time `json:"closed_at,omitempty"` // nil while it is open
	Proof
}

// ApprovalRequest asks others to agree to an operation that the caller may do.
// All but the key are required.
type ApprovalRequest struct {
	Operation string
	// Target is what it is about: the preview of an erasure, a hold, a proposed
	// policy, the lowest version of a wrapping key that stays, a tenant.
	Target    string
	Reference string // a number, which goes into the log

	IdempotencyKey string // 128 random bits where it is empty
}

const approvals = "approvals"

// RequestApproval asks. The id of what comes back goes with the operation, once
// others agreed.
func (c *Client) RequestApproval(ctx context.Context, r ApprovalRequest) (*Approval, error) {
	return send[Approval](ctx, c, approvals, plain{struct {
		Operation string `json:"operation"`
		Target    string `json:"target"`
		Reference string `json:"reference"`
	}{r.Operation, r.Target, r.Reference}, []string{r.Operation, r.Target, r.Reference}}, r.IdempotencyKey)
}

// DecideApproval says Approve or Reject, for callers who may and who are not the
// requester, under no name. The note may be empty.
func (c *Client) DecideApproval(ctx context.Context, id, decision, note string) (*Approval, error) {
	return sendTo[Approval](ctx, c, approvals, id, "decisions", deciding(decision, note))
}

// Approval returns one as it stands.
func (c *Client) Approval(ctx context.Context, id string) (*Approval, error) {
	path, err := pathOf(approvals, id)
	if err != nil {
		return nil, err
	}
	return fetch[Approval](ctx, c, path, nil)
}

// ApprovalPage is a page of approvals, the newest first.
type ApprovalPage struct {
	Approvals  []Approval `json:"approvals"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// Approvals returns a page after a cursor, "" for the first; of one status, or of
// all where it is empty.
func (c *Client) Approvals(ctx context.Context, status, cursor string) (*ApprovalPage, error) {
	return fetch[ApprovalPage](ctx, c, approvals, pageAfter(cursor, "status", status))
}
