package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
)

type evidenceCommands struct {
	Export     evidenceExportCommand     `cmd:"" help:"Have the evidence of a period put together, and fetch it: one signed bundle."`
	List       evidenceListCommand       `cmd:"" help:"List the evidence that was asked for, the newest first."`
	Population evidencePopulationCommand `cmd:"" help:"List everything of a kind in a period: complete, and with its digest."`
	Sample     evidenceSampleCommand     `cmd:"" help:"Draw a sample that anybody can draw again, with a proof of each item."`
}

type evidenceExportCommand struct {
	remote
	period
	Tenant string `help:"Whose log it must be. The credential says whose it is; this only refuses another one."`
	Out    string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to write the bundle. It must not exist."`
}

// Help says what is in it.
func (evidenceExportCommand) Help() string {
	return "Tables as CSV and JSON, the log that they were drawn from, the policies, the controls and a report to read and\n" +
		"print, in one tar. It verifies without the service: counterfoil-verify --bundle FILE --key KEY."
}

const (
	// firstLook and longestLook are how long the command waits between two looks at
	// how far it is; in between it doubles. A busy quarter takes some seconds.
	firstLook   = 200 * time.Millisecond
	longestLook = 5 * time.Second
)

// Run asks, waits and fetches.
func (c *evidenceExportCommand) Run(ctx context.Context, s streams) error {
	if _, err := os.Lstat(c.Out); err == nil {
		return &exitCoded{exitUsage, errors.New("--out: the file exists")}
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.Evidence, error) {
		if err := c.ownLog(ctx, service); err != nil {
			return nil, err
		}
		asked, err := service.RequestEvidence(ctx, c.From.Time, c.To.Time, "")
		if err != nil {
			return nil, err
		}
		if err := await(ctx, service, asked.ID, s.err); err != nil {
			return nil, err
		}
		return c.fetch(ctx, service, asked.ID)
	}, describeEvidence)
}

// ownLog holds the tenant that was named against the one of the log.
func (c *evidenceExportCommand) ownLog(ctx context.Context, service *client.Client) error {
	if c.Tenant == "" {
		return nil
	}
	head, err := service.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if tenant, err := audit.TenantOf(head.Log); err != nil || tenant != c.Tenant {
		return errors.New("--tenant: the credential is of another tenant")
	}
	return nil
}

// await waits until the evidence is done, and says how far it is.
func await(ctx context.Context, service *client.Client, id string, progress io.Writer) error {
	shown := -1
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		e, err := service.Evidence(ctx, id)
		if err != nil {
			return err
		}
		if e.Progress != shown {
			shown = e.Progress
			_, _ = fmt.Fprintf(progress, "evidence %s: %s, %d %%\n", id, e.Status, shown) // for people who wait
		}
		switch e.Status {
		case client.EvidenceDone:
			return nil
		case client.EvidenceFailed:
			return fmt.Errorf("the evidence %s could not be put together", id)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fetch writes a bundle whole, or not at all.
func (c *evidenceExportCommand) fetch(ctx context.Context, service *client.Client, id string) (*client.Evidence, error) {
	file, err := os.CreateTemp(filepath.Dir(c.Out), ".evidence-*")
	if err != nil {
		return nil, err
	}
	e, err := service.DownloadEvidence(ctx, id, file)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), c.Out)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(file.Name()))
	}
	return e, nil
}

func describeEvidence(w io.Writer, e *client.Evidence) {
	lines(w, "evidence", e.ID, "from", moment(&e.From), "to", moment(&e.To), "status", e.Status, "entries", fmt.Sprint(e.TreeSize),
		"bytes", fmt.Sprint(e.Bytes), "sha256", e.SHA256)
}

type evidenceListCommand struct{ remote }

// Run lists all pages.
func (c *evidenceListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Evidence, string, error) {
		page, err := service.Evidences(ctx, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Evidence, page.NextCursor, nil
	}, "EVIDENCE STATUS FROM TO BY DONE SHA256", func(e client.Evidence) []any {
		return []any{e.ID, e.Status, moment(&e.From), moment(&e.To), e.RequestedBy, moment(e.DoneAt), e.SHA256}
	})
}
