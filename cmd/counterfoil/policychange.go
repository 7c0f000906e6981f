package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/counterfoil/counterfoil/client"
)

// policyChangeCommands change the policy of a service, as its callers: operators
// of the tenant that manages it.
type policyChangeCommands struct {
	Propose   policyProposeCommand   `cmd:"" help:"Propose a packed policy to a service, on trial for some tenants."`
	Promote   policyPromoteCommand   `cmd:"" help:"Put a proposal into force for all tenants: somebody else than who proposed it."`
	Drop      policyDropCommand      `cmd:"" help:"End a proposal and its trial."`
	Rollback  policyRollbackCommand  `cmd:"" help:"Take the promoted policy out of force: somebody else than who proposed it."`
	Reload    policyReloadCommand    `cmd:"" help:"Let a service read its configured policy again."`
	Proposals policyProposalsCommand `cmd:"" help:"List the proposals, the newest first."`
}

type policyProposeCommand struct {
	remote
	Bundle string   `arg:"" type:"path" help:"What 'policy pack' made. Without a change.yaml in it the next four are required."`
	Trial  []string `help:"Tenant for which it decides at once; may be given several times."`
	PR     string   `name:"pr" help:"Where the change was reviewed."`
	Commit string   `help:"The commit that it is."`
	Tests  string   `help:"Digest of its tests, as 'policy test' prints it."`
	Notes  string   `help:"What it is for, in a few words."`
}

// Run proposes the policy.
func (c *policyProposeCommand) Run(ctx context.Context, s streams) error {
	bundle, err := os.ReadFile(c.Bundle)
	if err != nil {
		return err
	}
	request := client.ProposalRequest{Bundle: bundle, Tenants: c.Trial}
	if c.PR != "" || c.Commit != "" || c.Tests != "" || c.Notes != "" {
		request.Change = &client.PolicyChange{PR: c.PR, Commit: c.Commit, TestsDigest: c.Tests, Notes: c.Notes}
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.Proposal, error) {
		return service.ProposePolicy(ctx, request)
	}, describeProposal)
}

func describeProposal(w io.Writer, p *client.Proposal) {
	lines(w, "proposal", p.ID, "version", p.Version, "status", p.Status, "by", p.ProposedBy, "trial", strings.Join(p.Tenants, " "),
		"change", p.Change.PR+" "+p.Change.Commit, "closed", moment(p.ClosedAt))
}

type policyPromoteCommand struct {
	remote
	ID        string `arg:"" help:"The proposal."`
	Reference string `required:"" help:"Number of the change. It goes into the log: no names."`
	Approval  string `help:"Id of the approval, where the policy demands one: counterfoil approval request."`
}

// Run promotes the proposal.
func (c *policyPromoteCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Proposal, error) {
		return service.PromotePolicy(ctx, c.ID, c.Reference, c.Approval)
	}, describeProposal)
}

type policyDropCommand struct {
	remote
	ID        string `arg:"" help:"The proposal."`
	Reference string `required:"" help:"Number of the change. It goes into the log: no names."`
}

// Run drops the proposal.
func (c *policyDropCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Proposal, error) {
		return service.DropPolicy(ctx, c.ID, c.Reference)
	}, describeProposal)
}

type policyRollbackCommand struct {
	remote
	Reference string `required:"" help:"Number of the incident or change. It goes into the log: no names."`
}

// Run rolls it back.
func (c *policyRollbackCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Proposal, error) {
		return service.RollbackPolicy(ctx, c.Reference)
	}, describeProposal)
}

type policyReloadCommand struct{ remote }

// Help says which service.
func (policyReloadCommand) Help() string {
	return "The replica that answers. SIGHUP does the same to any."
}

// Run reloads the policy.
func (c *policyReloadCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Reload, error) { return service.ReloadPolicy(ctx) },
		func(w io.Writer, r *client.Reload) {
			lines(w, "version", r.Version, "changed", fmt.Sprint(r.Changed), "before", r.Before)
		})
}

type policyProposalsCommand struct {
	remote
	Open bool `help:"Only those on trial, in force or kept for a rollback."`
}

// Run lists all pages.
func (c *policyProposalsCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Proposal, string, error) {
		page, err := service.Proposals(ctx, c.Open, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Proposals, page.NextCursor, nil
	}, "PROPOSAL STATUS VERSION BY TRIAL CHANGE", func(p client.Proposal) []any {
		return []any{p.ID, p.Status, p.Version, p.ProposedBy, strings.Join(p.Tenants, " "), p.Change.PR}
	})
}
