package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type holdCommands struct {
	Place   holdPlaceCommand   `cmd:"" help:"Place a legal hold, or see what one would reach."`
	List    holdListCommand    `cmd:"" help:"List the holds, the newest first."`
	Show    holdShowCommand    `cmd:"" help:"Show one hold and what it reaches now."`
	Review  holdReviewCommand  `cmd:"" help:"Say when somebody has to look at a hold again."`
	Release holdReleaseCommand `cmd:"" help:"Release a hold for good."`
}

type holdPlaceCommand struct {
	remote
	Matter      string    `required:"" help:"Number of the matter. It goes into the log: no names."`
	Reference   string    `required:"" help:"Number of the order."`
	Custodian   string    `help:"Code of who answers for it."`
	About       string    `type:"path" help:"File with what it is about, - for standard input: {\"subjects\": [], \"identifiers\": [{\"entity\": \"\", \"value\": \"\"}], \"scopes\": [], \"entities\": [], \"classes\": [], \"from\": \"\", \"to\": \"\"}, each of them optional."`
	Destination []string  `help:"Only what was sent to this destination; may be given several times."`
	TimeField   string    `enum:",created,sent" default:"" help:"What from and to bound: created, when a value was tokenized, or sent, when it was sent."`
	Existing    bool      `help:"Leave out what is tokenized after the hold was placed."`
	Backups     bool      `help:"Keep the versions of the wrapping key that open backups, too."`
	ReviewBy    time.Time `format:"2006-01-02" help:"Day by which somebody has to look at it again."`
	DryRun      bool      `help:"Place nothing and tell what it would reach."`
}

// Run places the hold.
func (c *holdPlaceCommand) Run(ctx context.Context, s streams) error {
	request := client.HoldRequest{
		Matter: c.Matter, Reference: c.Reference, Custodian: c.Custodian, ExistingOnly: c.Existing, Backups: c.Backups,
	}
	if c.About != "" {
		if err := readJSON(c.About, &request.Match); err != nil {
			return fmt.Errorf("--about: %w", err)
		}
	}
	request.Match.Destinations = append(request.Match.Destinations, c.Destination...)
	if c.TimeField != "" {
		request.Match.TimeField = c.TimeField
	}
	if !c.ReviewBy.IsZero() {
		request.ReviewBy = &c.ReviewBy
	}
	return c.about(s, func(service *client.Client) (*client.HoldAnswer, error) {
		if c.DryRun {
			return service.TryHold(ctx, request)
		}
		return service.PlaceHold(ctx, request)
	})
}

// about asks something of a hold and prints the answer.
func (r *remote) about(s streams, ask func(*client.Client) (*client.HoldAnswer, error)) error {
	service, err := r.open()
	if err != nil {
		return err
	}
	defer service.Close()
	answer, err := ask(service)
	if err != nil {
		return problem(err)
	}
	return r.print(s, answer, func(w io.Writer) {
		if answer.Hold != nil {
			describeHold(w, answer.Hold)
		}
		if reach := answer.Reach; reach != nil {
			_, _ = fmt.Fprintf(w, "reaches  values %d, of them expired %d, subjects %d, scopes %d\n",
				reach.Mappings, reach.Expired, reach.Subjects, reach.Scopes)
		}
		entryLine(w, answer.Receipt)
	})
}

func describeHold(w io.Writer, h *client.Hold) {
	_, _ = fmt.Fprintf(w, "hold     %s\nmatter   %s, by %s\n", h.ID, h.Matter, h.Reference)
	m := h.Match
	_, _ = fmt.Fprintf(w, "about    subjects %d, values %d, scopes %d, entities %v, classes %v, destinations %v (%s)\n",
		m.Subjects, m.Identifiers, m.Scopes, m.Entities, m.Classes, m.Destinations, h.AppliesTo)
	if m.From != nil || m.To != nil {
		_, _ = fmt.Fprintf(w, "between  %s and %s, %s\n", day(m.From), day(m.To), m.TimeField)
	}
	if h.Backups {
		_, _ = fmt.Fprintln(w, "backups  are kept openable")
	}
	_, _ = fmt.Fprintf(w, "placed   %s\n", h.CreatedAt.Format(time.RFC3339))
	if h.ReviewBy != nil {
		_, _ = fmt.Fprintf(w, "review   %s\n", h.ReviewBy.Format(time.RFC3339))
	}
	if h.ReleasedAt != nil {
		_, _ = fmt.Fprintf(w, "released %s\n", h.ReleasedAt.Format(time.RFC3339))
	}
}

// entryLine says where what was done is written, as checked by the client.
func entryLine(w io.Writer, r *client.Receipt) {
	if r != nil {
		_, _ = fmt.Fprintf(w, "entry    %d of %s\n", r.Index, r.Log)
	}
}

type holdListCommand struct {
	remote
	Standing bool `help:"Only those that are not released."`
}

// Run lists all pages.
func (c *holdListCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	holds := []client.Hold{}
	for cursor := ""; ; {
		page, err := service.Holds(ctx, c.Standing, cursor)
		if err != nil {
			return problem(err)
		}
		holds = append(holds, page.Holds...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	return c.print(s, holds, func(w io.Writer) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "HOLD\tMATTER\tREFERENCE\tPLACED\tREVIEW\tRELEASED")
		for _, h := range holds {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, h.Matter, h.Reference,
				h.CreatedAt.Format(time.DateOnly), day(h.ReviewBy), day(h.ReleasedAt))
		}
		_ = table.Flush() // into memory
	})
}

func day(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.DateOnly)
}

type holdShowCommand struct {
	remote
	ID string `arg:"" help:"The hold."`
}

// Run shows the hold.
func (c *holdShowCommand) Run(ctx context.Context, s streams) error {
	return c.about(s, func(service *client.Client) (*client.HoldAnswer, error) { return service.Hold(ctx, c.ID) })
}

type holdReviewCommand struct {
	remote
	ID string    `arg:"" help:"The hold."`
	By time.Time `format:"2006-01-02" help:"The day. Without it nobody has to look again."`
}

// Run says when.
func (c *holdReviewCommand) Run(ctx context.Context, s streams) error {
	var by *time.Time
	if !c.By.IsZero() {
		by = &c.By
	}
	return c.about(s, func(service *client.Client) (*client.HoldAnswer, error) { return service.ReviewHold(ctx, c.ID, by) })
}

type holdReleaseCommand struct {
	remote
	ID        string `arg:"" help:"The hold."`
	Reference string `required:"" help:"Number of the order that releases it."`
	Approval  string `help:"Id of the approval, where the policy demands one: counterfoil approval request."`
}

// Run releases the hold.
func (c *holdReleaseCommand) Run(ctx context.Context, s streams) error {
	return c.about(s, func(service *client.Client) (*client.HoldAnswer, error) {
		return service.ReleaseHold(ctx, c.ID, c.Reference, c.Approval)
	})
}
