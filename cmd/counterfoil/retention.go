package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type retentionCommands struct {
	Report retentionReportCommand `cmd:"" help:"Say what is kept for how long, and what there is."`
}

type retentionReportCommand struct{ remote }

// Run makes the report.
func (c *retentionReportCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	report, err := service.RetentionReport(ctx)
	if err != nil {
		return problem(err)
	}
	return c.print(s, report, func(w io.Writer) { describeRetention(w, report) })
}

func describeRetention(w io.Writer, r *client.RetentionReport) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "CLASS\tENTITY\tDESTINATION\tSCOPES\tKEPT FOR")
	for _, line := range r.Settings {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", cmp.Or(line.Class, "any"), cmp.Or(line.Entity, "any"),
			cmp.Or(line.Destination, "any"), cmp.Or(line.ScopeKind, "any"), lasting(line.Seconds))
	}
	_, _ = fmt.Fprintln(table, "\nCLASS\tSCOPES\tLIVE\tEXPIRED\tHELD\tRETIRED\tERASED\tOLDEST\tLAST ENDS")
	for _, line := range r.Inventory.Mappings {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", line.Class, line.ScopeKind, line.Live, line.Expired,
			line.Held, line.Retired, line.Erased, day(line.OldestAt), day(line.LastEndsAt))
	}
	_ = table.Flush() // into memory
	i := &r.Inventory
	_, _ = fmt.Fprintf(w, "\nthere    scopes %d, people %d, data keys %d, holds %d, kept out %d\n", i.Scopes, i.Subjects, i.DataKeys, i.Holds, i.Suppressions)
	_, _ = fmt.Fprintf(w, "requests open %d, closed %d; erasures %d, deferred %d, destroyed keys %d\n",
		i.RequestsOpen, i.RequestsClosed, i.Erasures, i.Deferred, i.Tombstones)
	_, _ = fmt.Fprintf(w, "records  requests %s, idempotency keys %s, kept out %s, tombstones %s, log %s\n", lasting(r.Records.RequestsSeconds),
		lasting(r.Records.IdempotencySeconds), r.Records.Suppressions, r.Records.Tombstones, r.Records.Log)
	if r.LastSweep != nil {
		_, _ = fmt.Fprintf(w, "swept    %s: %s\n", r.LastSweep.At.Format(time.RFC3339), counted(r.LastSweep.Counts))
	}
}

// lasting is a length of time in days, or in hours where it has no whole ones.
func lasting(seconds int64) string {
	const anHour, aDay = 60 * 60, 24 * 60 * 60
	if seconds%aDay == 0 {
		return fmt.Sprintf("%d d", seconds/aDay)
	}
	return fmt.Sprintf("%.1f h", float64(seconds)/anHour)
}
