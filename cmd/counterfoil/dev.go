package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

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
	instance, err := assembly.Open(ctx, cfg.Data, assembly.Options{Logger: logger, Version: version})
	if err != nil {
		return err
	}
	return closeAfter(ctx, instance, serveDev(ctx, cfg, instance, logger, s))
}

func serveDev(ctx context.Context, cfg config.Dev, in *assembly.Instance, logger *slog.Logger, s streams) error {
	handler, figures, err := newHandler(in, logger, httpapi.Limits{})
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
	return serveUntil(ctx, httpapi.NewServer(handler, logger), listener, func(ctx context.Context) {
		var watching sync.WaitGroup
		watching.Go(func() { figures.Watch(ctx) })
		in.Worker.Run(ctx)
		watching.Wait()
	})
}
