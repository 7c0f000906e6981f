package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type requestCommands struct {
	Open     requestOpenCommand     `cmd:"" help:"Write down what a person asks for, and start its clock."`
	List     requestListCommand     `cmd:"" help:"List the requests of persons, the newest first."`
	Show     requestShowCommand     `cmd:"" help:"Show a request as it stands."`
	Identity requestIdentityCommand `cmd:"" help:"Say that it was established who asks."`
	Assign   requestAssignCommand   `cmd:"" help:"Say who works on a request."`
	Note     requestNoteCommand     `cmd:"" help:"Write a note, which is sealed and goes with the request."`
	Notes    requestNotesCommand    `cmd:"" help:"Read the notes on a request. The reading is in the log."`
	Extend   requestExtendCommand   `cmd:"" help:"Extend the time for the answer, once."`
	Refuse   requestRefuseCommand   `cmd:"" help:"Refuse a request, for a reason of a closed list."`
	Withdraw requestWithdrawCommand `cmd:"" help:"Close a request that the person took back."`
	Execute  requestExecuteCommand  `cmd:"" help:"Erase or restrict what an open request asks for, or see what would be erased."`
	Complete requestCompleteCommand `cmd:"" help:"Close a request that is answered."`
	Lift     requestLiftCommand     `cmd:"" help:"Lift a restriction, and complete its request."`
	Report   requestReportCommand   `cmd:"" help:"Report to a person what there is, where it went and who had it back."`
	Receipt  requestReceiptCommand  `cmd:"" help:"Print the receipt of an erasure, after its proof was checked."`
	Summary  requestSummaryCommand  `cmd:"" help:"Count the requests of a period, as regulators ask for it."`
	Erase    requestEraseCommand    `cmd:"" help:"Erase at once what there is of a person, or see what would be erased."`
}

// step does a step on a request and prints what became of it.
func (r *remote) step(s streams, take func(*client.Client) (*client.SubjectRequestStep, error)) error {
	service, err := r.open()
	if err != nil {
		return err
	}
	defer service.Close()
	answer, err := take(service)
	if err != nil {
		return problem(err)
	}
	return r.print(s, answer, func(w io.Writer) { describeStep(w, answer) })
}

func describeStep(w io.Writer, a *client.SubjectRequestStep) {
	if a.Request != nil {
		describeRequest(w, a.Request)
	}
	if a.Counts != nil {
		describeCounts(w, *a.Counts)
		_, _ = fmt.Fprintf(w, "preview  %s\n", a.PreviewID)
	}
	for _, p := range a.Parts {
		_, _ = fmt.Fprintf(w, "scope    %s %s: erased %d, deferred %d, shared %d\n", p.ScopeRef, p.Outcome, p.Erased, p.Deferred, p.Shared)
	}
	if a.Outcome != "" {
		_, _ = fmt.Fprintf(w, "outcome  %s\n", a.Outcome)
	}
	if a.Restricted > 0 || a.Shared > 0 {
		_, _ = fmt.Fprintf(w, "changed  %d, shared %d\n", a.Restricted, a.Shared)
	}
	entryLine(w, a.Receipt)
}

func describeCounts(w io.Writer, n client.ErasureCounts) {
	_, _ = fmt.Fprintf(w, "values   erased %d, deferred %d, shared %d\n", n.Erased, n.Deferred, n.Shared)
}

func describeRequest(w io.Writer, r *client.SubjectRequest) {
	_, _ = fmt.Fprintf(w, "request  %s\nkind     %s\nstatus   %s\n", r.ID, r.Kind, r.Status)
	_, _ = fmt.Fprintf(w, "asked    %s %s, on %s, to be answered by %s\n",
		r.Regime, r.Reference, r.ReceivedAt.Format(time.DateOnly), r.DueAt.Format(time.DateOnly))
	if r.Identity != nil {
		_, _ = fmt.Fprintf(w, "identity %s %s, by %s\n", r.Identity.Method, r.Identity.Reference, r.Identity.VerifiedBy)
	}
	for _, line := range []struct{ what, text string }{
		{"assignee", r.Assignee}, {"subject", r.SubjectRef}, {"refused", r.RefusalCode},
	} {
		if line.text != "" {
			_, _ = fmt.Fprintf(w, "%-8s %s\n", line.what, line.text)
		}
	}
	if r.Overdue {
		_, _ = fmt.Fprintln(w, "overdue  yes")
	}
	if r.ClosedAt != nil {
		_, _ = fmt.Fprintf(w, "closed   %s\n", r.ClosedAt.Format(time.RFC3339))
	}
	if r.Erasure != nil {
		describeErasure(w, r.Erasure)
	}
}

func describeErasure(w io.Writer, e *client.Erasure) {
	_, _ = fmt.Fprintf(w, "erased   %s\n", e.ErasedAt.Format(time.RFC3339))
	for _, line := range []struct {
		what string
		at   *time.Time
	}{{"complete", e.CompletedAt}, {"backups", e.ExpectedFinalAt}, {"final", e.FinalAt}, {"kept out", e.SuppressUntil}} {
		if line.at != nil {
			_, _ = fmt.Fprintf(w, "%-8s %s\n", line.what, line.at.Format(time.RFC3339))
		}
	}
	if e.SuppressedForever {
		_, _ = fmt.Fprintln(w, "kept out for ever")
	}
	describeCounts(w, e.Counts)
	for _, d := range e.Destinations {
		_, _ = fmt.Fprintf(w, "tell     %s, %d values, last sent %s\n", d.Destination, d.Mappings, d.LastSent.Format(time.DateOnly))
	}
}

type requestListCommand struct {
	remote
	Kind   string    `enum:",access,erasure,restriction,objection,accounting" default:"" help:"Only requests for access, erasure, restriction, objection or accounting."`
	Status string    `help:"Only requests with this status, such as deferred."`
	Open   bool      `help:"Only those that are not closed."`
	From   time.Time `format:"2006-01-02" help:"Received on this day or after it."`
	To     time.Time `format:"2006-01-02" help:"Received before this day."`
}

// Help says what the mark in the list means.
func (requestListCommand) Help() string {
	return "A ! after the day on which an answer is due says that the person waits, or had to wait, for longer."
}

// Run lists all pages.
func (c *requestListCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	filter := client.RequestFilter{Kind: c.Kind, Status: c.Status, Open: c.Open, From: given(&c.From), To: given(&c.To)}
	requests := []client.SubjectRequest{}
	for cursor := ""; ; {
		page, err := service.SubjectRequests(ctx, filter, cursor)
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
		_, _ = fmt.Fprintln(table, "REQUEST\tREFERENCE\tKIND\tSTATUS\tRECEIVED\tDUE\tCLOSED\tASSIGNEE")
		for _, r := range requests {
			due := r.DueAt.Format(time.DateOnly)
			if r.Overdue {
				due += "!"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Reference, r.Kind, r.Status,
				r.ReceivedAt.Format(time.DateOnly), due, day(r.ClosedAt), r.Assignee)
		}
		_ = table.Flush() // into memory
	})
}

// given is a time of the command line, nil where there was none.
func given(t *time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return t
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
