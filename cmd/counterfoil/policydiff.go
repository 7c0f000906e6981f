package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/counterfoil/counterfoil/internal/access"
)

type policyDiffCommand struct {
	Old            string `arg:"" type:"path" help:"A policy: a directory, a .tar or a .tar.gz."`
	New            string `arg:"" type:"path" help:"The one that is to take its place."`
	FailOnWidening bool   `help:"Exit with code 1 where anybody may have more, or less is asked of them."`
	JSON           bool   `help:"Print the differences as JSON."`
}

// Help says what counts as widened.
func (policyDiffCommand) Help() string {
	return "Decisions are compared for every combination that the tables cover, everything else field by field.\n" +
		"What widens comes first, and what cannot be shown to narrow counts as widened.\n" +
		"Compare with the shipped policy: `counterfoil policy pack -o shipped.tar.gz`."
}

// Run prints the differences.
func (c policyDiffCommand) Run(s streams) error {
	older, err := policyFlag{c.Old}.load()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Old, err)
	}
	newer, err := policyFlag{c.New}.load()
	if err != nil {
		return fmt.Errorf("%s: %w", c.New, err)
	}
	found := access.Diff(older, newer)
	if err := c.print(s.out, found, older.Version() == newer.Version()); err != nil {
		return err
	}
	if c.FailOnWidening && len(found) > 0 && found[0].Effect == access.Widened {
		return &exitCoded{exitError, errors.New("the new policy widens what somebody may have")}
	}
	return nil
}

func (c policyDiffCommand) print(w io.Writer, found []access.Difference, same bool) error {
	if c.JSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		if found == nil {
			found = []access.Difference{} // an empty list is a list
		}
		return out.Encode(found)
	}
	for _, d := range found {
		if _, err := fmt.Fprintf(w, "%-8s  %s\n", d.Effect, d.Sentence); err != nil {
			return err
		}
	}
	if len(found) > 0 {
		return nil
	}
	text := "the two decide alike; their files differ in how they say it"
	if same {
		text = "the two are the same"
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
