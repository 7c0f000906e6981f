package client

import (
	"context"
	"time"
)

// PolicyChange says where a policy comes from.
type PolicyChange struct {
	PR          string `json:"pr,omitempty"`
	Commit      string `json:"commit,omitempty"`
	TestsDigest string `json:"tests_digest,omitempty"` // as `counterfoil policy test` prints it
	Notes       string `json:"notes,omitempty"`
}

// ProposalRequest proposes a policy. Bundle is required, and Change where the
// bundle brings none.
type ProposalRequest struct {
	Bundle  []byte   // as `counterfoil policy pack` made it
	Tenants []string // for whom it decides at once, on trial; may be empty
	Change  *PolicyChange
}

// Proposal is a policy that was proposed.
type Proposal struct {
	ID         string       `json:"id"`
	Version    string       `json:"version"`
	Status     string       `json:"status"` // trial, in_force, kept, retired or dropped
	ProposedBy string       `json:"proposed_by"`
	Tenants    []string     `json:"tenants"`
	Change     PolicyChange `json:"change"`
	ProposedAt time.Time    `json:"proposed_at"`
	ClosedAt   *time.Time   `json:"closed_at,omitempty"`
	// Receipt is of the system's own log. It is passed on and not checked: a
	// client has the keys of its tenant's log.
	Receipt *Receipt `json:"audit,omitempty"`
}

// Reload says what one replica decides under after it read its bundle again.
type Reload struct {
	Version string   `json:"version"`
	Before  string   `json:"before"`
	Changed bool     `json:"changed"`
	Receipt *Receipt `json:"audit,omitempty"` // as for a Proposal; nil where nothing changed
}

const proposals = "policy/proposals"

// ProposePolicy keeps a policy as a proposal, for operators of the tenant that
// manages the policy, as all that follows.
func (c *Client) ProposePolicy(ctx context.Context, r ProposalRequest) (*Proposal, error) {
	texts := r.Tenants
	if r.Change != nil {
		texts = append(texts[:len(texts):len(texts)], r.Change.PR, r.Change.Commit, r.Change.TestsDigest, r.Change.Notes)
	}
	return ofSystem[Proposal](ctx, c, proposals, plain{struct {
		Bundle  []byte        `json:"bundle"`
		Tenants []string      `json:"tenants,omitempty"`
		Change  *PolicyChange `json:"change,omitempty"`
	}{r.Bundle, r.Tenants, r.Change}, texts})
}

// PromotePolicy puts a proposal into force for all tenants: by somebody else than
// who proposed it. approvalID is "" where the policy demands no approval.
func (c *Client) PromotePolicy(ctx context.Context, id, reference, approvalID string) (*Proposal, error) {
	path, err := pathOf(proposals, id, "promote")
	if err != nil {
		return nil, err
	}
	return ofSystem[Proposal](ctx, c, path, approved(reference, approvalID))
}

// approved is a body with a reference and the approval of others.
func approved(reference, approvalID string) plain {
	return plain{struct {
		Reference  string `json:"reference"`
		ApprovalID string `json:"approval_id,omitempty"`
	}{reference, approvalID}, []string{reference, approvalID}}
}

// DropPolicy ends a proposal that was not promoted, and its trial.
func (c *Client) DropPolicy(ctx context.Context, id, reference string) (*Proposal, error) {
	path, err := pathOf(proposals, id, "drop")
	if err != nil {
		return nil, err
	}
	return ofSystem[Proposal](ctx, c, path, referring(reference))
}

// RollbackPolicy takes the promoted policy out of force for good: by somebody
// else than who proposed it.
func (c *Client) RollbackPolicy(ctx context.Context, reference string) (*Proposal, error) {
	return ofSystem[Proposal](ctx, c, "policy/rollback", referring(reference))
}

// ReloadPolicy lets the replica that answers read its configured bundle again.
func (c *Client) ReloadPolicy(ctx context.Context) (*Reload, error) {
	return ofSystem[Reload](ctx, c, "policy/reload", plain{value: struct{}{}})
}

// ofSystem sends what is written down in the system's own log.
func ofSystem[A any](ctx context.Context, c *Client, path string, b plain) (*A, error) {
	answer := new(A)
	if _, err := c.post(ctx, path, b, "", "", answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// ProposalPage is a page of proposed policies, the newest first.
type ProposalPage struct {
	Proposals  []Proposal `json:"proposals"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// Proposals returns a page after a cursor, "" for the first; with open only those
// that are on trial, in force or kept for a rollback.
func (c *Client) Proposals(ctx context.Context, open bool, cursor string) (*ProposalPage, error) {
	return fetch[ProposalPage](ctx, c, proposals, pageAfter(cursor, "open", onlyOpen(open)))
}
