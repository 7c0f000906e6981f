package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type subjectCommands struct {
	Search subjectSearchCommand `cmd:"" help:"Say where a person is found. Gives no value; the search is in the log."`
	Link   subjectLinkCommand   `cmd:"" help:"Tie stored values to a person, so that an erasure reaches them."`
	Unlink subjectUnlinkCommand `cmd:"" help:"Take such ties back."`
}

// person is whom a command is about, as it stands in a file.
type person struct {
	Subject     string              `json:"subject"`
	Identifiers []client.Identifier `json:"identifiers"`
}

type subjectSearchCommand struct {
	remote
	Who string `required:"" type:"path" help:"File with whom to look for, - for standard input: {\"subject\": \"\", \"identifiers\": [{\"entity\": \"\", \"value\": \"\"}]}, one of the two."`
}

// Run searches.
func (c *subjectSearchCommand) Run(ctx context.Context, s streams) error {
	var who person
	if err := readJSON(c.Who, &who); err != nil {
		return fmt.Errorf("--who: %w", err)
	}
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	answer, err := service.SearchSubjects(ctx, who.Subject, who.Identifiers...)
	if err != nil {
		return problem(err)
	}
	return c.print(s, answer, func(w io.Writer) { describeSightings(w, answer) })
}

func describeSightings(w io.Writer, a *client.SubjectsAnswer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SCOPE\tKIND\tENTITY\tVALUES\tEXPIRED\tFIRST\tLAST")
	for _, one := range a.Found {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", one.ScopeRef, one.Kind, one.Entity,
			one.Count, one.Expired, one.FirstCreatedAt.Format(time.DateOnly), one.LastCreatedAt.Format(time.DateOnly))
	}
	_ = table.Flush() // into memory
	_, _ = fmt.Fprintf(w, "subjects %v\n", a.SubjectRefs)
	if a.Ambiguous {
		_, _ = fmt.Fprintln(w, "found by name only: other people may have the same one")
	}
	if a.More {
		_, _ = fmt.Fprintln(w, "there is more than is listed")
	}
	entryLine(w, a.Receipt)
}

type subjectLinkCommand struct {
	remote
	Who string `required:"" type:"path" help:"File with whom and what, - for standard input: {\"subject\": \"\", \"identifiers\": [{\"entity\": \"\", \"value\": \"\"}]}."`
}

// Run ties.
func (c *subjectLinkCommand) Run(ctx context.Context, s streams) error {
	return c.tie(ctx, s, c.Who, (*client.Client).LinkSubject)
}

type subjectUnlinkCommand subjectLinkCommand

// Run unties.
func (c *subjectUnlinkCommand) Run(ctx context.Context, s streams) error {
	return c.tie(ctx, s, c.Who, (*client.Client).UnlinkSubject)
}

type tying func(c *client.Client, ctx context.Context, subject string, identifiers ...client.Identifier) (*client.LinkAnswer, error)

func (r *remote) tie(ctx context.Context, s streams, file string, tie tying) error {
	var who person
	if err := readJSON(file, &who); err != nil {
		return fmt.Errorf("--who: %w", err)
	}
	service, err := r.open()
	if err != nil {
		return err
	}
	defer service.Close()
	answer, err := tie(service, ctx, who.Subject, who.Identifiers...)
	if err != nil {
		return problem(err)
	}
	return r.print(s, answer, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "subject  %s\nchanged  %d\n", answer.SubjectRef, answer.Changed)
		entryLine(w, answer.Receipt)
	})
}
