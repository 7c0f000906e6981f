package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/embedded"
)

type verifyCommand struct {
	Data string `required:"" type:"path" help:"Data folder of the development mode."`
}

// exitUnread is the code of verify where nothing can be said, as a folder
// without a database; exitError is the one for a fault that was found.
const exitUnread = 3

// Run checks every log of the folder. Exit code 0: sound; 1: a fault was
// found; 2: wrong use; 3: the folder could not be read.
func (c verifyCommand) Run(ctx context.Context, s streams) error {
	results, err := embedded.Verify(ctx, c.Data)
	for _, r := range results {
		if _, err := fmt.Fprintf(s.out, "SOUND tenant=%s entries=%d signed=%d root=%s first=%s last=%s\n",
			r.Tenant, r.Entries, r.Signed, r.Root, stamp(r.First), stamp(r.Last)); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, embedded.ErrFault):
		return &exitCoded{exitError, fmt.Errorf("verify: %w", err)}
	case err != nil:
		return &exitCoded{exitUnread, fmt.Errorf("verify: %w", err)}
	}
	return nil
}

// stamp is a time as entries write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
