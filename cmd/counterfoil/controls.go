package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/counterfoil/counterfoil/client"
)

type controlsCommands struct {
	List  controlsListCommand  `cmd:"" help:"Say how every control stands, as the log has it."`
	Check controlsCheckCommand `cmd:"" help:"Try all controls now, over the last 92 days. Each result goes into the log."`
}

type controlsListCommand struct{ remote }

// Help says what the exit code tells.
func (controlsListCommand) Help() string { return controlsHelp }

const controlsHelp = "Exit code 0: none fails; 1: at least one does."

// Run lists them.
func (c *controlsListCommand) Run(ctx context.Context, s streams) error {
	return c.aboutControls(s, func(service *client.Client) ([]client.Control, error) { return service.Controls(ctx) })
}

type controlsCheckCommand struct{ remote }

// Help says what the exit code tells.
func (controlsCheckCommand) Help() string { return controlsHelp }

// Run tries them.
func (c *controlsCheckCommand) Run(ctx context.Context, s streams) error {
	return c.aboutControls(s, func(service *client.Client) ([]client.Control, error) { return service.CheckControls(ctx) })
}

// shownEntries of the exceptions of a control are printed; JSON has a hundred.
const shownEntries = 5

// aboutControls prints controls, and fails where one of them does.
func (r *remote) aboutControls(s streams, question func(*client.Client) ([]client.Control, error)) error {
	var failed []string
	err := ask(r, s, func(service *client.Client) ([]client.Control, error) {
		all, err := question(service)
		for i := range all {
			if all[i].Result == client.ControlFail {
				failed = append(failed, all[i].ID)
			}
		}
		return all, err
	}, describeControls)
	if err == nil && len(failed) > 0 {
		err = &exitCoded{exitError, fmt.Errorf("controls that fail: %s", strings.Join(failed, ", "))}
	}
	return err
}

func describeControls(w io.Writer, all []client.Control) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "CONTROL\tRESULT\tPOPULATION\tEXCEPTIONS\tENTRIES\tFREQUENCY\tTITLE")
	for i := range all {
		c := &all[i]
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", c.ID, orDash(c.Result), c.Population, c.Exceptions, places(c.Entries), c.Frequency, c.Title)
	}
	_ = table.Flush() // into memory
}

// places are the first of some entries.
func places(entries []int64) string {
	if len(entries) == 0 {
		return "-"
	}
	var text []string
	for _, e := range entries[:min(shownEntries, len(entries))] {
		text = append(text, fmt.Sprint(e))
	}
	if len(entries) > shownEntries {
		text = append(text, "...")
	}
	return strings.Join(text, ",")
}
