package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type accessReviewCommands struct {
	Rights accessReviewRightsCommand `cmd:"" help:"List who can restore what for which reason, and when each right was last used."`
	Record accessReviewRecordCommand `cmd:"" help:"Write down what you say of each right."`
	List   accessReviewListCommand   `cmd:"" help:"List the access reviews, the newest first."`
}

type accessReviewRightsCommand struct{ remote }

// Run lists the rights.
func (c *accessReviewRightsCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, _ string) ([]client.Right, string, error) {
		matrix, err := service.Matrix(ctx)
		if err != nil {
			return nil, "", err
		}
		return matrix.Rights, "", nil
	}, "RULE ROLE REASON CLASS FORM APPROVALS USES LAST", func(r client.Right) []any {
		return []any{r.Rule, r.Role, r.Reason, r.Class, r.Form, r.Approvals, r.Uses, day(r.LastUsedAt)}
	})
}

type accessReviewRecordCommand struct {
	remote
	From      time.Time `required:"" format:"2006-01-02" help:"First day of the period that was looked at."`
	To        time.Time `required:"" format:"2006-01-02" help:"First day after it."`
	Reference string    `required:"" help:"Number of the review. It goes into the log: no names."`
	Decisions string    `required:"" type:"path" help:"File with what you say of each rule of 'access-review rights', - for standard input: [{\"rule\": \"\", \"decision\": \"keep\"}], or revoke, or change."`
}

// Run records the review.
func (c *accessReviewRecordCommand) Run(ctx context.Context, s streams) error {
	var decisions []client.RightDecision
	if err := readJSON(c.Decisions, &decisions); err != nil {
		return fmt.Errorf("--decisions: %w", err)
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.AccessReview, error) {
		return service.RecordAccessReview(ctx, client.AccessReviewRequest{
			From: c.From, To: c.To, Reference: c.Reference, Decisions: decisions,
		})
	}, func(w io.Writer, r *client.AccessReview) {
		lines(w, "review", r.ID, "by", r.Reviewer, "reference", r.Reference, "policy", r.PolicyVersion, "decisions", howMany(verdicts(r)))
		entryLine(w, r.Receipt)
	})
}

// verdicts counts what was said.
func verdicts(r *client.AccessReview) map[string]int {
	counts := map[string]int{}
	for _, d := range r.Decisions {
		counts[d.Decision]++
	}
	return counts
}

type accessReviewListCommand struct{ remote }

// Run lists all pages.
func (c *accessReviewListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.AccessReview, string, error) {
		page, err := service.AccessReviews(ctx, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Reviews, page.NextCursor, nil
	}, "REVIEW REFERENCE BY FROM TO DECISIONS", func(r client.AccessReview) []any {
		return []any{r.ID, r.Reference, r.Reviewer, day(&r.From), day(&r.To), howMany(verdicts(&r))}
	})
}
