package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
)

type verifyCommand struct {
	Data    string   `required:"" xor:"service" type:"path" help:"Data folder of the development mode."`
	Config  string   `required:"" xor:"service" type:"path" help:"Configuration of a service. It may be running."`
	Receipt []string `required:"" xor:"service" type:"path" sep:"none" placeholder:"FILE" help:"Receipt of an erasure, as 'request receipt' prints it; may be given several times. Nothing else is needed but --log-key."`
	LogKey  []string `sep:"none" placeholder:"KEY" help:"With --receipt: verifier key of the log, or a file with one on each line."`
}

// Help says what the exit code tells.
func (verifyCommand) Help() string {
	return "Exit code 0: sound; 1: a fault was found; 2: wrong use; 3: what was to be checked could not be read."
}

// exitUnread is the code of verify where nothing can be said, as a folder
// without a database; exitError is the one for a fault that was found.
const exitUnread = 3

// Run checks every log of the service, or receipts. Exit code 0: sound; 1: a
// fault was found; 2: wrong use; 3: it could not be read.
func (c verifyCommand) Run(ctx context.Context, s streams) error {
	switch {
	case (len(c.Receipt) > 0) != (len(c.LogKey) > 0):
		return &exitCoded{exitUsage, errors.New("verify: --receipt and --log-key go together")}
	case len(c.Receipt) > 0:
		return c.receipts(s)
	}
	backends, prefix := assembly.Backends{Files: config.Layout{Dir: c.Data}.Files()}, assembly.LogPrefix
	if c.Config != "" {
		cfg, err := loadConfig(c.Config)
		if err != nil {
			return err
		}
		if backends, err = assembly.BackendsOf(cfg); err != nil {
			return err
		}
		prefix = cfg.LogPrefix
	}
	results, err := assembly.VerifyService(ctx, backends, prefix)
	for _, r := range results {
		if _, err := fmt.Fprintf(s.out, "SOUND tenant=%s entries=%d signed=%d root=%s first=%s last=%s\n",
			r.Tenant, r.Entries, r.Signed, r.Root, stamp(r.First), stamp(r.Last)); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, assembly.ErrFault):
		return &exitCoded{exitError, fmt.Errorf("verify: %w", err)}
	case err != nil:
		return &exitCoded{exitUnread, fmt.Errorf("verify: %w", err)}
	}
	return nil
}

// stamp is a time as entries write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
