package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type requestAssignCommand struct {
	remote
	ID string `arg:"" help:"The request."`
	To string `help:"Code of who works on it. Without it nobody does."`
}

// Run assigns the request.
func (c *requestAssignCommand) Run(ctx context.Context, s streams) error {
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.AssignRequest(ctx, c.ID, c.To)
	})
}

type requestNoteCommand struct {
	remote
	ID   string `arg:"" help:"The request."`
	Text string `required:"" type:"path" help:"File with the note, - for standard input."`
}

// Run writes the note.
func (c *requestNoteCommand) Run(ctx context.Context, s streams) error {
	text, err := readInput(c.Text)
	if err != nil {
		return fmt.Errorf("--text: %w", err)
	}
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.NoteOnRequest(ctx, c.ID, strings.TrimSuffix(string(text), "\n"))
	})
}

type requestNotesCommand struct {
	remote
	ID string `arg:"" help:"The request."`
}

// Run prints the notes.
func (c *requestNotesCommand) Run(ctx context.Context, s streams) error {
	service, err := c.open()
	if err != nil {
		return err
	}
	defer service.Close()
	notes, err := service.NotesOfRequest(ctx, c.ID)
	if err != nil {
		return problem(err)
	}
	return c.print(s, notes, func(w io.Writer) {
		for _, n := range notes.Notes {
			_, _ = fmt.Fprintf(w, "%s %s: %s\n", n.At.Format(time.RFC3339), n.Author, n.Text)
		}
		entryLine(w, notes.Receipt)
	})
}

type requestExtendCommand struct {
	remote
	ID        string `arg:"" help:"The request."`
	Reference string `required:"" help:"Number of the letter that told the person so."`
}

// Run extends the time.
func (c *requestExtendCommand) Run(ctx context.Context, s streams) error {
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.ExtendRequest(ctx, c.ID, c.Reference)
	})
}

type requestRefuseCommand struct {
	remote
	ID   string `arg:"" help:"The request."`
	Code string `required:"" enum:"identity_not_established,manifestly_unfounded,excessive,legal_obligation,legal_claims,compelling_grounds,not_our_data,duplicate" help:"Why: one of ${enum}."`
}

// Run refuses the request.
func (c *requestRefuseCommand) Run(ctx context.Context, s streams) error {
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.RefuseRequest(ctx, c.ID, c.Code)
	})
}

type requestWithdrawCommand struct {
	remote
	ID string `arg:"" help:"The request."`
}

// Run closes the request.
func (c *requestWithdrawCommand) Run(ctx context.Context, s streams) error {
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.WithdrawRequest(ctx, c.ID)
	})
}

type requestCompleteCommand struct {
	remote
	ID      string `arg:"" help:"The request."`
	Partial bool   `help:"A part is not answered."`
}

// Run completes the request.
func (c *requestCompleteCommand) Run(ctx context.Context, s streams) error {
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.CompleteRequest(ctx, c.ID, c.Partial)
	})
}

type requestLiftCommand struct {
	remote
	ID string `arg:"" help:"The request."`
}

// Run lifts the restriction.
func (c *requestLiftCommand) Run(ctx context.Context, s streams) error {
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.LiftRestriction(ctx, c.ID)
	})
}
