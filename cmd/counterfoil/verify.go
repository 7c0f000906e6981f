package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/verify/verifycli"
)

type verifyCommand struct {
	Data   string `type:"path" help:"Data folder of the development mode."`
	Config string `type:"path" help:"Configuration of a service. It may be running."`

	Bundle string `type:"path" placeholder:"FILE" help:"Bundle of evidence."`
	Tiles  string `type:"path" placeholder:"DIR" help:"Log as a folder of C2SP tiles."`
	URL    string `name:"url" help:"Read the log from the service there."`
	Log    string `type:"path" placeholder:"FILE" help:"Exported log, one leaf on each line."`

	LogKey     []string `sep:"none" aliases:"key" placeholder:"KEY" help:"Verifier key of the log, or a file with one on each line. Without it nothing can be proven; --data and --config have their own."`
	BearerFile string   `type:"path" placeholder:"FILE" help:"With --url: file with the bearer JWT of an auditor."`
	PlainHTTP  bool     `name:"plain-http" help:"With --url: allow http to another machine, and so show the credential to the network."`
	Checkpoint []string `type:"path" sep:"none" placeholder:"FILE" help:"Checkpoint of an earlier time; may be given several times."`
	Since      string   `type:"path" placeholder:"FILE" help:"Checkpoint that was verified before: with --url the entries before it are not read again."`
	Handover   []string `type:"path" sep:"none" placeholder:"FILE" help:"Note by which a key of the log vouches for the next; may be given several times, in order."`
	Receipt    []string `type:"path" sep:"none" placeholder:"FILE" help:"Alone with --log-key: receipt of an erasure, as 'request receipt' prints it. With a log: receipts of answers, to be held against it. May be given several times."`
}

// Help says what the exit code tells.
func (verifyCommand) Help() string {
	return "One of --data, --config, --bundle, --tiles, --url, --log and --receipt says what is to be verified.\n" +
		"counterfoil-verify is a program of its own for whoever trusts nothing else of us: the last five are the same there.\n\n" +
		"Exit code 0: sound; 1: a fault was found; 2: wrong use; 3: what was to be checked could not be read."
}

// exitUnread is the code of verify where nothing can be said, as a folder
// without a database; exitError is the one for a fault that was found.
const exitUnread = verifycli.ExitUnreadable

// Run checks every log of the service, one log, or receipts. Exit code 0: sound; 1:
// a fault was found; 2: wrong use; 3: it could not be read.
func (c verifyCommand) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return &exitCoded{exitUsage, fmt.Errorf("verify: %w", err)}
	}
	switch {
	case c.outside():
		return c.log(ctx, s)
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

// outside tells whether a log is verified with nothing but its keys.
func (c *verifyCommand) outside() bool {
	return c.Bundle != "" || c.Tiles != "" || c.URL != "" || c.Log != ""
}

// check finds what does not go together. What is missing of a log that is verified
// from outside, verifycli says.
func (c *verifyCommand) check() error {
	places := 0
	for _, place := range []string{c.Data, c.Config, c.Bundle, c.Tiles, c.URL, c.Log} {
		if place != "" {
			places++
		}
	}
	known := c.BearerFile != "" || c.PlainHTTP || len(c.Checkpoint) > 0 || c.Since != "" || len(c.Handover) > 0
	switch {
	case places > 1, len(c.Receipt) > 0 && (c.Data != "" || c.Config != ""):
		return errors.New("these can't be used together: --data, --config, --bundle, --tiles, --url, --log; nor --receipt with the first two")
	case c.outside():
		return nil
	case known:
		return errors.New("--bearer-file, --plain-http, --checkpoint, --since and --handover are for --bundle, --tiles, --url and --log")
	case (len(c.Receipt) > 0) != (len(c.LogKey) > 0):
		return errors.New("--receipt and --log-key go together")
	case places == 0 && len(c.Receipt) == 0:
		return errors.New("one of --data, --config, --bundle, --tiles, --url, --log and --receipt is missing")
	}
	return nil
}

// log verifies one log from outside.
func (c *verifyCommand) log(ctx context.Context, s streams) error {
	given := verifycli.Given{
		Log: c.Log, Bundle: c.Bundle, Tiles: c.Tiles, URL: c.URL, BearerFile: c.BearerFile, PlainHTTP: c.PlainHTTP, Since: c.Since,
		Keys: c.LogKey, Checkpoints: c.Checkpoint, Receipts: c.Receipt, Handovers: c.Handover,
	}
	result, err := given.Verify(ctx)
	if err != nil {
		return &exitCoded{verifycli.Code(err), fmt.Errorf("verify: %w", err)}
	}
	_, err = fmt.Fprintln(s.out, verifycli.Sound(&result))
	return err
}

// stamp is a time as entries write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
