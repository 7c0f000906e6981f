package main

import (
	"context"
	"io"

	"github.com/counterfoil/counterfoil/client"
)

type approvalCommands struct {
	Request approvalRequestCommand `cmd:"" help:"Ask that others agree to an operation."`
	Approve approvalApproveCommand `cmd:"" help:"Agree to somebody else's operation."`
	Reject  approvalRejectCommand  `cmd:"" help:"Do not agree, which ends it."`
	List    approvalListCommand    `cmd:"" help:"List the operations that wait or waited for others, the newest first."`
}

type approvalRequestCommand struct {
	remote
	Operation string `required:"" enum:"erase,hold_release,policy_promotion,trim,tenant_close" help:"erase, hold_release, policy_promotion, trim or tenant_close."`
	Target    string `required:"" help:"What it is about: the preview of an erasure, a hold, a proposed policy, the lowest version of the wrapping key that stays, the tenant."`
	Reference string `required:"" help:"Number of the ticket or order. It goes into the log: no names."`
}

// Run asks.
func (c *approvalRequestCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Approval, error) {
		return service.RequestApproval(ctx, client.ApprovalRequest{Operation: c.Operation, Target: c.Target, Reference: c.Reference})
	}, describeApproval)
}

func describeApproval(w io.Writer, a *client.Approval) {
	lines(w, "approval", a.ID, "status", a.Status, "by", a.Requester, "operation", a.Operation, "target", a.Target, "reference", a.Reference)
	describeDecisions(w, a.Decisions, a.ApprovalsRequired)
	lines(w, "until", moment(&a.ExpiresAt), "closed", moment(a.ClosedAt))
	entryLine(w, a.Receipt)
}

func (v verdict) ofApproval(ctx context.Context, s streams, decision string) error {
	note, err := v.note()
	if err != nil {
		return err
	}
	return ask(&v.remote, s, func(service *client.Client) (*client.Approval, error) {
		return service.DecideApproval(ctx, v.ID, decision, note)
	}, describeApproval)
}

type approvalApproveCommand struct{ verdict }

// Run agrees.
func (c *approvalApproveCommand) Run(ctx context.Context, s streams) error {
	return c.ofApproval(ctx, s, client.Approve)
}

type approvalRejectCommand struct{ verdict }

// Run does not agree.
func (c *approvalRejectCommand) Run(ctx context.Context, s streams) error {
	return c.ofApproval(ctx, s, client.Reject)
}

type approvalListCommand struct {
	remote
	Status string `enum:",pending,approved,rejected,expired,redeemed" default:"" help:"Only those with this status: pending, approved, rejected, expired or redeemed."`
}

// Run lists all pages.
func (c *approvalListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Approval, string, error) {
		page, err := service.Approvals(ctx, c.Status, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Approvals, page.NextCursor, nil
	}, "APPROVAL STATUS OPERATION TARGET REFERENCE BY UNTIL", func(a client.Approval) []any {
		return []any{a.ID, a.Status, a.Operation, a.Target, a.Reference, a.Requester, moment(&a.ExpiresAt)}
	})
}
