package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type requestReportCommand struct {
	remote
	ID        string `arg:"" help:"The request, for access or an accounting."`
	HTML      string `name:"html" type:"path" help:"File to be made, with a page to print and hand over."`
	Values    bool   `help:"With the person's values, which is a restoration. Needs --reference."`
	Reference string `help:"Number of the request for which the values are wanted."`
	Actors    bool   `help:"Name who had values back, in place of their roles."`
}

// Run makes the report.
func (c *requestReportCommand) Run(ctx context.Context, s streams) error {
	request := client.ReportRequest{Actors: c.Actors}
	if c.Values {
		request.Reason = subjectAccess(c.Reference)
	}
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	if c.HTML != "" {
		return c.page(ctx, service, request)
	}
	report, err := service.ReportOnRequest(ctx, c.ID, request)
	if err != nil {
		return problem(err)
	}
	return c.print(s, report, func(w io.Writer) { describeReport(w, report) })
}

// page writes the report into a file that is this user's alone. It is made
// before the report is asked for: what cannot be kept is not given.
func (c *requestReportCommand) page(ctx context.Context, service *client.Client, request client.ReportRequest) error {
	file, err := os.OpenFile(c.HTML, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	page, err := service.ReportPage(ctx, c.ID, request)
	if err == nil {
		_, err = file.Write(page)
	}
	if err = errors.Join(problem(err), file.Close()); err != nil {
		return errors.Join(err, os.Remove(c.HTML))
	}
	return nil
}

func describeReport(w io.Writer, r *client.SubjectReport) {
	_, _ = fmt.Fprintf(w, "report   %s for %s, made %s\n", r.Kind, r.Reference, r.GeneratedAt.Format(time.RFC3339))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SCOPE\tKIND\tENTITY\tCLASS\tVALUES\tEXPIRED\tFIRST\tENDS")
	for _, h := range r.Holdings {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", h.ScopeRef, h.ScopeKind, h.Entity, h.Class,
			h.Values, h.Expired, h.FirstCreatedAt.Format(time.DateOnly), h.EndsAt.Format(time.DateOnly))
	}
	_ = table.Flush() // into memory
	for _, d := range r.Destinations {
		_, _ = fmt.Fprintf(w, "sent     %d to %s (%s, %s), %s to %s; kept there %d days\n", d.Values, d.Destination, d.Vendor, d.Region,
			d.FirstSent.Format(time.DateOnly), d.LastSent.Format(time.DateOnly), d.VendorRetentionDays)
	}
	for _, p := range r.Purposes {
		_, _ = fmt.Fprintf(w, "purpose  %s, %d times: %s (%s)\n", p.Reason, p.Restorations, p.Description, p.LegalBasis)
	}
	for _, one := range r.Restorations {
		who := strings.Join(one.Roles, ", ")
		if one.Actor != "" {
			who = one.Actor
		}
		_, _ = fmt.Fprintf(w, "given    %d on %s for %s to %s, entry %d\n", one.Values, one.At.Format(time.DateOnly), one.Reason, who, one.Index)
	}
	for _, v := range r.Values {
		_, _ = fmt.Fprintf(w, "value    %s %s\n", v.Entity, v.Value)
	}
	_, _ = fmt.Fprintf(w, "untold   %s\n", strings.Join(r.Limits, ", "))
	entryLine(w, r.Receipt)
}

type requestReceiptCommand struct {
	remote
	ID       string `arg:"" help:"The request."`
	Audience string `required:"" enum:"subject,internal" help:"For whom: subject, to be handed to the person, or internal."`
}

// Help says how a receipt is checked later.
func (requestReceiptCommand) Help() string {
	return "Keep what is printed. 'counterfoil verify --receipt FILE --log-key KEY' checks it without the service."
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

type requestSummaryCommand struct {
	remote
	From time.Time `required:"" format:"2006-01-02" help:"The first day of the period, when requests were received."`
	To   time.Time `required:"" format:"2006-01-02" help:"The day after its last."`
}

// Run counts the requests.
func (c *requestSummaryCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	summary, err := service.RequestSummary(ctx, c.From, c.To)
	if err != nil {
		return problem(err)
	}
	return c.print(s, summary, func(w io.Writer) { describeSummary(w, summary) })
}

func describeSummary(w io.Writer, sum *client.RequestSummary) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KIND\tREGIME\tRECEIVED\tBY STATUS\tREFUSED\tEXTENDED\tOVERDUE\tMEDIAN DAYS\tLONGEST")
	for _, line := range sum.Lines {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%d\t%d\t%s\t%s\n", line.Kind, line.Regime, line.Received,
			counted(line.ByStatus), counted(line.Refused), line.Extended, line.Overdue, days(line.MedianDays), days(line.LongestDays))
	}
	_ = table.Flush() // into memory
	if sum.More {
		_, _ = fmt.Fprintln(w, "there are more than could be counted")
	}
}

func counted(counts map[string]int) string {
	parts := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

func days(d *float64) string {
	if d == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *d)
}
