package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	// starts on data that exists; the first one, which finds nothing, is told apart.
	starts = 5
	// startScopes is how much there is: the values of some hundred conversations.
	startScopes = 200
	// idleFor is how long a process is left alone before its memory is read.
	idleFor = 10 * time.Second

	mostStartEmbedded   = 1000.0 // ms
	mostStartProduction = 3000.0 // ms
	mostIdleMB          = 80.0   // millions of bytes
)

// Start measures how long a process takes from its start to the first 200 of /readyz,
// and what memory it has when nobody asks anything of it.
func Start(ctx context.Context, e *Env) error {
	for _, kind := range []struct {
		name  string
		start func() (*system.Service, error)
		most  float64
	}{
		{"embedded", func() (*system.Service, error) { return e.Site.Embedded(ctx) }, mostStartEmbedded},
		{"production", func() (*system.Service, error) { return e.Site.Serve(ctx, "start") }, mostStartProduction},
	} {
		if err := e.starts(ctx, kind.name, kind.start, kind.most); err != nil {
			return fmt.Errorf("scenario: start, %s: %w", kind.name, err)
		}
	}
	return nil
}

func (e *Env) starts(ctx context.Context, name string, start func() (*system.Service, error), most float64) (err error) {
	service, err := start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Stop(context.WithoutCancel(ctx))) }()
	first := milli(service.ReadyAfter)
	if err := e.someData(ctx, service); err != nil {
		return err
	}
	var ready report.Figure
	for range starts {
		if err := service.Stop(ctx); err != nil {
			return err
		}
		again, err := e.Site.Again(ctx, service)
		if err != nil {
			return err
		}
		service = again
		ready = append(ready, milli(service.ReadyAfter))
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idleFor):
	}
	idle, err := resident(service.PID)
	if err != nil {
		return err
	}
	e.Say("start, %s: ready after %s ms, the first time %.0f ms; idle %.1f MB", name, ready, first, float64(idle)/1e6)
	e.judgeMost("start to ready, "+name, ready, most, " ms")
	e.judgeMost("resident memory when idle, "+name, report.Figure{float64(idle) / 1e6}, mostIdleMB, " MB")
	e.Report.Notes = append(e.Report.Notes, fmt.Sprintf(
		"Start to ready (%s) is from exec to the first 200 of /readyz, %d times on data that exists; on none it was %.0f ms. "+
			"Memory when idle was read %s after the last start.", name, starts, first, idleFor))
	return nil
}

// someData leaves some behind.
func (e *Env) someData(ctx context.Context, service *system.Service) error {
	c := &core{Env: e}
	f := &face{
		of: system.Counterfoil, on: service, client: load.NewClient(usual),
		bearer: e.Site.Credential(e.Site.Tenants()[0], "gateway"),
	}
	defer f.client.Close()
	_, err := c.holdings(ctx, f, startScopes, few)
	return err
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
