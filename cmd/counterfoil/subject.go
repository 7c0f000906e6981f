package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type subjectCommands struct {
	Search subjectSearchCommand `cmd:"" help:"Say where a person is found. Gives no value; the search is in the log."`
	Link   subjectLinkCommand   `cmd:"" help:"Tie stored values to a person, so that an erasure reaches them."`
	Unlink subjectUnlinkCommand `cmd:"" help:"Take such ties back."`
	Names  subjectNamesCommand  `cmd:"" help:"Have the callers' own names of scopes and people back. A restoration, and in the log."`
}

// person is whom a command is about, as it stands in a file.
type person struct {
	Subject     string              `json:"subject"`
	Identifiers []client.Identifier `json:"identifiers"`
}

type subjectSearchCommand struct {
	remote
	Who   string `required:"" type:"path" help:"File with whom to look for, - for standard input: {\"subject\": \"\", \"identifiers\": [{\"entity\": \"\", \"value\": \"\"}]}, one of the two."`
	Match string `enum:"exact,variants" default:"exact" help:"variants looks for other ways to write the identifiers, too."`
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
	answer, err := service.SearchSubjects(ctx, client.SubjectSearch{
		Subject: who.Subject, Identifiers: who.Identifiers, Variants: c.Match == "variants",
	})
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
	describeSent(w, a.Found)
	_, _ = fmt.Fprintf(w, "subjects %v\n", a.SubjectRefs)
	if a.Ambiguous {
		_, _ = fmt.Fprintln(w, "found by name only: other people may have the same one")
	}
	if a.More {
		_, _ = fmt.Fprintln(w, "there is more than is listed")
	}
	entryLine(w, a.Receipt)
}

// describeSent says where what was found was sent, by destination.
func describeSent(w io.Writer, found []client.Sighting) {
	for _, one := range found {
		for _, d := range one.Destinations {
			_, _ = fmt.Fprintf(w, "sent     %s of %s to %s, %d, last %s\n",
				one.Entity, one.ScopeRef, d.Destination, d.Mappings, d.LastSent.Format(time.DateOnly))
		}
	}
}

type subjectNamesCommand struct {
	remote
	ScopeRef   []string `help:"Reference of a scope, as a search or an entry has it; may be given several times."`
	SubjectRef []string `help:"Reference of a person; may be given several times."`
	Reference  string   `required:"" help:"Number of the request for which the names are wanted. It goes into the log: no names."`
}

// Run asks for the names.
func (c *subjectNamesCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	answer, err := service.RestoreNames(ctx, client.NamesRequest{
		ScopeRefs: c.ScopeRef, SubjectRefs: c.SubjectRef, Reason: subjectAccess(c.Reference),
	})
	if err != nil {
		return problem(err)
	}
	return c.print(s, answer, func(w io.Writer) {
		for _, names := range []struct {
			what string
			by   map[string]string
		}{{"scope", answer.Scopes}, {"subject", answer.Subjects}} {
			for _, ref := range slices.Sorted(maps.Keys(names.by)) {
				_, _ = fmt.Fprintf(w, "%-8s %s %s\n", names.what, ref, names.by[ref])
			}
		}
		entryLine(w, answer.Receipt)
	})
}

// subjectAccess is the reason for which a person's own data are given back.
func subjectAccess(reference string) client.Reason {
	return client.Reason{Code: "SUBJECT_ACCESS", Reference: reference}
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
