package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/embedded"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

// drainTimeout is how long requests that were accepted may take after a
// stop was asked for: longer than any request is allowed to take.
const drainTimeout = 40 * time.Second

type devCommand struct {
	Listen string `default:"${listen}" help:"Loopback address to listen on."`
	Data   string `default:"data" type:"path" help:"Folder for the database, the keys and the anchors."`
}

// Run serves until the context ends, then drains.
func (c devCommand) Run(ctx context.Context, s streams) error {
	cfg := config.Dev{Listen: c.Listen, Data: c.Data}
	if err := cfg.Validate(); err != nil {
		return &exitCoded{exitUsage, err}
	}
	logger := slog.New(slog.NewJSONHandler(s.err, nil))
	instance, err := embedded.Open(ctx, cfg.Data, embedded.Options{Logger: logger})
	if err != nil {
		return err
	}
	served := serveDev(ctx, cfg, instance, logger, s)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	return errors.Join(served, instance.Close(closing))
}

func serveDev(ctx context.Context, cfg config.Dev, in *embedded.Instance, logger *slog.Logger, s streams) error {
	handler, err := httpapi.New(httpapi.Config{
		Service: in.Service, Authenticate: in.Verifier.Verify, Logger: logger,
		Registry: prometheus.NewRegistry(), Version: version,
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := printBanner(s.out, listener.Addr().String(), cfg.Data); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveUntil(ctx, httpapi.NewServer(handler, logger), listener, in.Worker.Run)
}

// serveUntil serves beside the background work until the context ends, then
// lets requests finish before the background work stops.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener, work func(context.Context)) error {
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { work(working) })
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		err = server.Shutdown(draining)
		cancel()
		if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
	}
	stopWork()
	background.Wait()
	return err
}
