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
	Data   string `required:"" xor:"service" type:"path" help:"Data folder of the development mode."`
	Config string `required:"" xor:"service" type:"path" help:"Configuration of a service. It may be running."`
}

// exitUnread is the code of verify where nothing can be said, as a folder
// without a database; exitError is the one for a fault that was found.
const exitUnread = 3

// Run checks every log of the service. Exit code 0: sound; 1: a fault was
// found; 2: wrong use; 3: the folder could not be read.
func (c verifyCommand) Run(ctx context.Context, s streams) error {
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
