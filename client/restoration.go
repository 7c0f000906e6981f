package client

import (
	"context"
	"time"
)

// How far an approval has come, also one of a restoration.
const (
	ApprovalPending  = "pending"
	ApprovalApproved = "approved" // it can be used, once and in time
	ApprovalRejected = "rejected"
	ApprovalExpired  = "expired"
	ApprovalRedeemed = "redeemed"
)

// What somebody says who is asked.
const (
	Approve = "approve"
	Reject  = "reject"
)

// Decision is what one person said. Of a note only the keyed digest is kept.
type Decision struct {
	By         string    `json:"by"`
	Decision   string    `json:"decision"`
	NoteDigest string    `json:"note_digest,omitempty"`
	At         time.Time `json:"at"`
}

// Restoration is one that others have to agree to: which tokens, and never what
// they stand for.
type Restoration struct {
	ID        string         `json:"id"`
	Status    string         `json:"status"`
	Reason    string         `json:"reason"`
	Reference string         `json:"reference,omitempty"`
	Tokens    int            `json:"tokens"`
	Entities  map[string]int `json:"entities"`
	ScopeRefs []string       `json:"scope_refs"`
	Requester string         `json:"requester"`
	// ApprovalsRequired is how many others have to agree.
	ApprovalsRequired int        `json:"approvals_required"`
	Decisions         []Decision `json:"decisions"`
	RequestedAt       time.Time  `json:"requested_at"`
	ExpiresAt         time.Time  `json:"expires_at"`
	ClosedAt          *time.Time `json:"closed_at,omitempty"` // nil while it is open
	Proof
}

const restorations = "restorations"

// RequestRestoration asks that others agree to what Detokenize answers with
// StatusNeedsApproval: with the same request, but for OnRefused, which counts
// when it is redeemed. No value comes back.
func (c *Client) RequestRestoration(ctx context.Context, r DetokenizeRequest) (*Restoration, error) {
	r.OnRefused = ""
	b, err := r.body()
	if err != nil {
		return nil, err
	}
	var answer Restoration
	seen, err := c.post(ctx, restorations, b, r.OnBehalfOf, r.IdempotencyKey, &answer)
	if err != nil {
		return nil, err
	}
	if r.IdempotencyKey != "" {
		seen = 0 // asked before under this key, the entry is the one of then
	}
	if err := c.accept(ctx, answer.Receipt, seen); err != nil {
		return nil, err
	}
	return &answer, nil
}

// RedeemRestoration puts the values back that were asked for and approved: for
// the requester alone, in time, with the request that was approved, and once. An
// answer that is lost has used it up.
func (c *Client) RedeemRestoration(ctx context.Context, id string, r DetokenizeRequest) (*DetokenizeAnswer, error) {
	path, err := pathOf(restorations, id, "redeem")
	if err != nil {
		return nil, err
	}
	return c.restore(ctx, path, r)
}

// DecideRestoration says Approve or Reject, for callers who may and who are not
// the requester, under no name. The note may be empty.
func (c *Client) DecideRestoration(ctx context.Context, id, decision, note string) (*Restoration, error) {
	return sendTo[Restoration](ctx, c, restorations, id, "approvals", deciding(decision, note))
}

func deciding(decision, note string) plain {
	return plain{struct {
		Decision string `json:"decision"`
		Note     string `json:"note,omitempty"`
	}{decision, note}, []string{decision, note}}
}

// Restoration returns one as it stands: for its requester, and for those who may
// read approvals.
func (c *Client) Restoration(ctx context.Context, id string) (*Restoration, error) {
	path, err := pathOf(restorations, id)
	if err != nil {
		return nil, err
	}
	return fetch[Restoration](ctx, c, path, nil)
}

// RestorationPage is a page of restorations, the newest first.
type RestorationPage struct {
	Restorations []Restoration `json:"restorations"`
	NextCursor   string        `json:"next_cursor,omitempty"`
}

// Restorations returns a page after a cursor, "" for the first; of one status, or
// of all where it is empty.
func (c *Client) Restorations(ctx context.Context, status, cursor string) (*RestorationPage, error) {
	return fetch[RestorationPage](ctx, c, restorations, pageAfter(cursor, "status", status))
}
