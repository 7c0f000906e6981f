package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type incidentCommands struct {
	Assess incidentAssessCommand `cmd:"" help:"Say who was exposed by what happened in a time, from the log."`
	Open   incidentOpenCommand   `cmd:"" help:"Write an incident down, and start its clocks."`
	Note   incidentNoteCommand   `cmd:"" help:"Write down what happened in it. Two of the events stop its clocks."`
	Close  incidentCloseCommand  `cmd:"" help:"Close an incident."`
	Show   incidentShowCommand   `cmd:"" help:"Show an incident and its clocks."`
	List   incidentListCommand   `cmd:"" help:"List the incidents, the newest first."`
}

type incidentAssessCommand struct {
	remote
	From        time.Time `required:"" help:"From then on, as 2026-01-31T08:00:00Z."`
	To          time.Time `required:"" help:"Before."`
	Actor       string    `help:"Only what this caller did."`
	Client      string    `help:"Only what was done through this client."`
	For         string    `name:"reason" help:"Only what was restored for this reason."`
	Entity      string    `help:"Only values of this kind."`
	Destination string    `help:"Only what was sent to this destination."`
	Scope       string    `help:"Only values of this scope."`
	SubjectRef  string    `help:"Only what is about this person, by the reference of the log."`
	Tokenized   bool      `help:"What was sent to destinations, not what was restored."`
}

// Run assesses.
func (c *incidentAssessCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Assessment, error) {
		return service.AssessIncident(ctx, client.AssessRequest{
			From: c.From, To: c.To, Actor: c.Actor, Client: c.Client, Reason: c.For, Entity: c.Entity,
			Destination: c.Destination, Scope: c.Scope, SubjectRef: c.SubjectRef, Tokenized: c.Tokenized,
		})
	}, func(w io.Writer, a *client.Assessment) {
		lines(w, "entries", fmt.Sprint(a.Entries), "tokens", fmt.Sprint(a.Tokens), "entities", howMany(a.Entities),
			"actors", howMany(a.Actors), "subjects", strings.Join(a.SubjectRefs, " "), "scopes", strings.Join(a.ScopeRefs, " "))
		if a.Truncated {
			lines(w, "there is", "more: look at a shorter time")
		}
		entryLine(w, a.Receipt)
	})
}

type incidentOpenCommand struct {
	remote
	Reference string    `required:"" help:"Number of the incident. It goes into the log: no names."`
	AwareAt   time.Time `help:"When somebody became aware of it, as 2026-01-31T08:00:00Z; now if it is left out."`
	From      time.Time `help:"When it happened, from then on, as far as that is known."`
	To        time.Time `help:"When it happened, before."`
}

// Run opens the incident.
func (c *incidentOpenCommand) Run(ctx context.Context, s streams) error {
	return c.aboutIncident(s, func(service *client.Client) (*client.Incident, error) {
		return service.OpenIncident(ctx, client.IncidentRequest{
			Reference: c.Reference, AwareAt: given(&c.AwareAt), From: given(&c.From), To: given(&c.To),
		})
	})
}

// aboutIncident asks something about an incident and prints the answer.
func (r *remote) aboutIncident(s streams, question func(*client.Client) (*client.Incident, error)) error {
	return ask(r, s, question, func(w io.Writer, i *client.Incident) {
		lines(w, "incident", i.ID, "reference", i.Reference, "aware", moment(&i.AwareAt)+", written down by "+i.OpenedBy,
			"from", moment(i.From), "to", moment(i.To),
			"authority", clock(i.AuthorityDueAt, i.AuthorityNotifiedAt, i.AuthorityOverdue),
			"persons", clock(i.PersonsDueAt, i.PersonsNotifiedAt, i.PersonsOverdue))
		for _, e := range i.Events {
			lines(w, "event", fmt.Sprintf("%s %s, %s by %s", e.Kind, e.Reference, e.At.Format(time.RFC3339), e.By))
		}
		lines(w, "outcome", strings.TrimSpace(i.Outcome+" "+i.OutcomeReference), "closed", moment(i.ClosedAt))
		entryLine(w, i.Receipt)
	})
}

// clock says how one of the two stands.
func clock(due time.Time, notified *time.Time, overdue bool) string {
	switch {
	case notified != nil:
		return "told " + moment(notified)
	case overdue:
		return "was to be told by " + moment(&due)
	}
	return "to be told by " + moment(&due)
}

type incidentNoteCommand struct {
	remote
	ID        string `arg:"" help:"The incident."`
	Event     string `required:"" enum:"assessed,contained,authority_notified,persons_notified,handed_over" help:"assessed, contained, authority_notified, persons_notified or handed_over."`
	Reference string `required:"" help:"Number of the letter or report. It goes into the log: no names."`
}

// Run writes it down.
func (c *incidentNoteCommand) Run(ctx context.Context, s streams) error {
	return c.aboutIncident(s, func(service *client.Client) (*client.Incident, error) {
		return service.NoteIncident(ctx, c.ID, c.Event, c.Reference)
	})
}

type incidentCloseCommand struct {
	remote
	ID        string `arg:"" help:"The incident."`
	Outcome   string `required:"" enum:"notified,no_risk,not_an_incident" help:"notified, no_risk or not_an_incident."`
	Reference string `required:"" help:"Number of the report. It goes into the log: no names."`
}

// Run closes the incident.
func (c *incidentCloseCommand) Run(ctx context.Context, s streams) error {
	return c.aboutIncident(s, func(service *client.Client) (*client.Incident, error) {
		return service.CloseIncident(ctx, c.ID, c.Outcome, c.Reference)
	})
}

type incidentShowCommand struct {
	remote
	ID string `arg:"" help:"The incident."`
}

// Run shows the incident.
func (c *incidentShowCommand) Run(ctx context.Context, s streams) error {
	return c.aboutIncident(s, func(service *client.Client) (*client.Incident, error) { return service.Incident(ctx, c.ID) })
}

type incidentListCommand struct {
	remote
	Open bool `help:"Only those that are not closed."`
}

// Run lists all pages.
func (c *incidentListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Incident, string, error) {
		page, err := service.Incidents(ctx, c.Open, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Incidents, page.NextCursor, nil
	}, "INCIDENT REFERENCE AWARE AUTHORITY PERSONS OUTCOME", func(i client.Incident) []any {
		return []any{i.ID, i.Reference, moment(&i.AwareAt), clock(i.AuthorityDueAt, i.AuthorityNotifiedAt, i.AuthorityOverdue),
			clock(i.PersonsDueAt, i.PersonsNotifiedAt, i.PersonsOverdue), i.Outcome}
	})
}
