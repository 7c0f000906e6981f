package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type requestCommands struct {
	Erase   requestEraseCommand   `cmd:"" help:"Erase what there is of a person, or see what would be erased."`
	List    requestListCommand    `cmd:"" help:"List the requests of persons, the newest first."`
	Show    requestShowCommand    `cmd:"" help:"Show a request as it stands."`
	Receipt requestReceiptCommand `cmd:"" help:"Print the receipt of an erasure, after its proof was checked."`
}

type requestEraseCommand struct {
	remote
	Who       string `required:"" type:"path" help:"File with whom, - for standard input: {\"subject\": \"\", \"confirm_subject\": \"\"}; the second is not needed for a dry run."`
	Regime    string `required:"" enum:"gdpr,ccpa,hipaa" help:"Under which law the person asks: gdpr, ccpa or hipaa."`
	Reference string `required:"" help:"Number of the request. It goes into the log: no names."`
	Preview   string `help:"The preview of a dry run: where another match would be erased by now, nothing is."`
	DryRun    bool   `help:"Erase nothing and tell what would be erased."`

	IdentityMethod    string    `required:"" help:"How it was established that the person asks, such as in_person."`
	IdentityReference string    `required:"" help:"Number of that check."`
	VerifiedBy        string    `required:"" help:"Code of who did it."`
	VerifiedAt        time.Time `format:"2006-01-02T15:04:05Z07:00" help:"When; now, if it is left out."`
}

// Run erases.
func (c *requestEraseCommand) Run(ctx context.Context, s streams) error {
	var who struct {
		Subject        string `json:"subject"`
		ConfirmSubject string `json:"confirm_subject"`
	}
	if err := readJSON(c.Who, &who); err != nil {
		return fmt.Errorf("--who: %w", err)
	}
	if c.VerifiedAt.IsZero() {
		c.VerifiedAt = time.Now()
	}
	request := client.ErasureRequest{
		Regime: c.Regime, Subject: who.Subject, ConfirmSubject: who.ConfirmSubject, Reference: c.Reference, PreviewID: c.Preview,
		Identity: client.IdentityCheck{
			Method: c.IdentityMethod, Reference: c.IdentityReference, VerifiedBy: c.VerifiedBy, At: c.VerifiedAt,
		},
	}
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	ask := service.Erase
	if c.DryRun {
		ask = service.TryErasure
	}
	answer, err := ask(ctx, request)
	if err != nil {
		return problem(err)
	}
	return c.print(s, answer, func(w io.Writer) {
		if answer.Request != nil {
			describeRequest(w, answer.Request)
		}
		if answer.Counts != nil {
			describeCounts(w, *answer.Counts)
			_, _ = fmt.Fprintf(w, "preview  %s\n", answer.PreviewID)
		}
		for _, p := range answer.Parts {
			_, _ = fmt.Fprintf(w, "scope    %s erased %d, deferred %d, shared %d\n", p.ScopeRef, p.Erased, p.Deferred, p.Shared)
		}
		entryLine(w, answer.Receipt)
	})
}

func describeCounts(w io.Writer, n client.ErasureCounts) {
	_, _ = fmt.Fprintf(w, "values   erased %d, deferred %d, shared %d\n", n.Erased, n.Deferred, n.Shared)
}

func describeRequest(w io.Writer, r *client.SubjectRequest) {
	_, _ = fmt.Fprintf(w, "request  %s\nstate    %s\n", r.ID, r.State)
	_, _ = fmt.Fprintf(w, "asked    %s %s, to be answered by %s\n", r.Regime, r.Reference, r.DueAt.Format(time.DateOnly))
	_, _ = fmt.Fprintf(w, "erased   %s\n", r.ErasedAt.Format(time.RFC3339))
	if r.CompletedAt != nil {
		_, _ = fmt.Fprintf(w, "complete %s\n", r.CompletedAt.Format(time.RFC3339))
	}
	describeCounts(w, r.Counts)
}

type requestListCommand struct {
	remote
	Deferred bool `help:"Only those of which a hold keeps a part."`
}

// Run lists all pages.
func (c *requestListCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	state := ""
	if c.Deferred {
		state = "deferred"
	}
	requests := []client.SubjectRequest{}
	for cursor := ""; ; {
		page, err := service.SubjectRequests(ctx, state, cursor)
		if err != nil {
			return problem(err)
		}
		requests = append(requests, page.Requests...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	return c.print(s, requests, func(w io.Writer) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "REQUEST\tREFERENCE\tSTATE\tERASED\tDUE\tVALUES\tDEFERRED")
		for _, r := range requests {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", r.ID, r.Reference, r.State,
				r.ErasedAt.Format(time.DateOnly), r.DueAt.Format(time.DateOnly), r.Counts.Erased, r.Counts.Deferred)
		}
		_ = table.Flush() // into memory
	})
}

type requestShowCommand struct {
	remote
	ID string `arg:"" help:"The request."`
}

// Run shows the request.
func (c *requestShowCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	request, err := service.SubjectRequest(ctx, c.ID)
	if err != nil {
		return problem(err)
	}
	return c.print(s, request, func(w io.Writer) { describeRequest(w, request) })
}

type requestReceiptCommand struct {
	remote
	ID       string `arg:"" help:"The request."`
	Audience string `required:"" enum:"subject,internal" help:"For whom: subject, to be handed to the person, or internal."`
}

// Run prints the receipt, which is JSON in any case: it is to be kept.
func (c *requestReceiptCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	receipt, err := service.ErasureReceipt(ctx, c.ID, c.Audience)
	if err != nil {
		return problem(err)
	}
	indented, err := json.MarshalIndent(receipt, "", "  ")
	if err != nil {
		return fmt.Errorf("print the receipt: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "%s\n", indented)
	return err
}
