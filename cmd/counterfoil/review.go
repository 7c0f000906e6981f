package main

import (
	"context"
	"io"
	"strings"

	"github.com/counterfoil/counterfoil/client"
)

type reviewCommands struct {
	List  reviewListCommand  `cmd:"" help:"List the uses of emergency reasons that somebody looks at, the newest first."`
	Close reviewCloseCommand `cmd:"" help:"Say what was found."`
}

type reviewListCommand struct {
	remote
	Status string `enum:",open,overdue,closed" default:"" help:"Only those with this status: open, overdue or closed."`
}

// Run lists all pages.
func (c *reviewListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Review, string, error) {
		page, err := service.Reviews(ctx, c.Status, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Reviews, page.NextCursor, nil
	}, "REVIEW STATUS ACTOR REASON REFERENCE TOKENS DUE FINDING", func(r client.Review) []any {
		return []any{r.ID, r.Status, r.Actor, r.Reason, r.Reference, howMany(r.Entities), moment(&r.DueAt), r.Finding}
	})
}

type reviewCloseCommand struct {
	remote
	ID        string `arg:"" help:"The review."`
	Finding   string `required:"" enum:"justified,not_justified,policy_gap" help:"justified, not_justified or policy_gap."`
	Reference string `required:"" help:"Number of the report. It goes into the log: no names."`
}

// Run closes the review.
func (c *reviewCloseCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Review, error) {
		return service.CloseReview(ctx, c.ID, c.Finding, c.Reference)
	}, func(w io.Writer, r *client.Review) {
		lines(w, "review", r.ID, "status", r.Status, "actor", r.Actor, "reason", strings.TrimSpace(r.Reason+" "+r.Reference),
			"finding", r.Finding+" "+r.FindingReference, "by", r.ClosedBy)
		entryLine(w, r.Receipt)
	})
}

type quotaCommand struct {
	remote
	Reason string `help:"Only the budgets of this reason."`
}

// Run says what is left.
func (c *quotaCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, _ string) ([]client.Budget, string, error) {
		budgets, err := service.Quota(ctx, c.Reason)
		return budgets, "", err
	}, "REASON PER CLASS LIMIT USED LEFT UNTIL", func(b client.Budget) []any {
		class := b.Class
		if class == "" {
			class = "any"
		}
		return []any{b.Reason, b.Per, class, b.Limit, b.Used, b.Remaining, moment(&b.ResetsAt)}
	})
}
