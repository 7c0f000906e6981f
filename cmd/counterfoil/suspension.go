package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type suspensionCommands struct {
	Place suspensionPlaceCommand `cmd:"" help:"Stop restorations, everywhere and at once."`
	Lift  suspensionLiftCommand  `cmd:"" help:"Let them go on."`
	List  suspensionListCommand  `cmd:"" help:"List the suspensions, the newest first."`
}

type suspensionPlaceCommand struct {
	remote
	Caller []string  `help:"Only what this caller wants; may be given several times, as all of these."`
	Client []string  `help:"Only what this client wants."`
	For    []string  `name:"reason" help:"Only what is wanted for this reason."`
	Entity []string  `help:"Only values of this kind."`
	Scope  []string  `help:"Only values of this scope."`
	About  string    `type:"path" help:"File with more, - for standard input: {\"end_users\": []}."`
	From   time.Time `help:"Only what was tokenized from then on, as 2026-01-31T08:00:00Z."`
	To     time.Time `help:"Only what was tokenized before."`

	Reference string `required:"" help:"Number of the incident or ticket. It goes into the log: no names."`
}

// Run places the suspension.
func (c *suspensionPlaceCommand) Run(ctx context.Context, s streams) error {
	// A name of a person does not belong on a command line.
	var about struct {
		EndUsers []string `json:"end_users"`
	}
	if c.About != "" {
		if err := readJSON(c.About, &about); err != nil {
			return fmt.Errorf("--about: %w", err)
		}
	}
	match := client.SuspensionMatch{
		Callers: c.Caller, Clients: c.Client, Reasons: c.For, Entities: c.Entity, Scopes: c.Scope,
		EndUsers: about.EndUsers, From: given(&c.From), To: given(&c.To),
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.Suspension, error) {
		return service.Suspend(ctx, client.SuspensionRequest{Match: match, Reason: c.Reference})
	}, describeSuspension)
}

func describeSuspension(w io.Writer, one *client.Suspension) {
	lines(w, "suspends", one.ID, "stops", stopped(one), "for", one.Reason, "placed", moment(&one.PlacedAt)+" by "+one.PlacedBy, "lifted", moment(one.LiftedAt))
	entryLine(w, one.Receipt)
}

// stopped says what a suspension stops.
func stopped(one *client.Suspension) string {
	m, text := &one.Match, ""
	for _, part := range []struct {
		name string
		list []string
	}{{"callers", m.Callers}, {"clients", m.Clients}, {"reasons", m.Reasons}, {"entities", m.Entities}} {
		if len(part.list) > 0 {
			text += fmt.Sprintf("%s %v ", part.name, part.list)
		}
	}
	return fmt.Sprintf("%send users %d scopes %d", text, m.EndUsers, m.Scopes)
}

type suspensionLiftCommand struct {
	remote
	ID        string `arg:"" help:"The suspension."`
	Reference string `required:"" help:"Number of the incident or ticket. It goes into the log: no names."`
}

// Run lifts the suspension.
func (c *suspensionLiftCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Suspension, error) {
		return service.LiftSuspension(ctx, c.ID, c.Reference)
	}, describeSuspension)
}

type suspensionListCommand struct {
	remote
	Standing bool `help:"Only those that are not lifted."`
}

// Run lists all pages.
func (c *suspensionListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Suspension, string, error) {
		page, err := service.Suspensions(ctx, c.Standing, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Suspensions, page.NextCursor, nil
	}, "SUSPENSION FOR STOPS PLACED LIFTED", func(one client.Suspension) []any {
		return []any{one.ID, one.Reason, stopped(&one), moment(&one.PlacedAt), moment(one.LiftedAt)}
	})
}
