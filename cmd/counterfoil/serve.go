package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/certificate"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

type serveCommand struct{ configFile }

// Help says what the signals do.
func (serveCommand) Help() string {
	return "SIGTERM stops it after the requests that it has accepted. SIGHUP makes it read the TLS files and the keys of\n" +
		"the issuers at once, which it does at intervals anyhow, and the policy bundle, which it takes if it is good.\n" +
		"Everything else in the configuration needs a restart."
}

// Run serves until the context ends, then drains.
func (c serveCommand) Run(ctx context.Context, s streams) error {
	// From here on a hangup is no end.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	r := &running{cfg: cfg, logger: slog.New(slog.NewJSONHandler(s.err, nil)), hangups: hangups}
	if cfg.Encrypted() {
		if r.certificate, err = certificate.Open(tlsFiles(cfg), time.Now); err != nil {
			return err
		}
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	opts := serviceOptions(cfg, r.logger)
	if opts.Sender, err = openSender(cfg); err != nil {
		return err
	}
	if opts.Export, err = openSink(ctx, cfg); err != nil {
		return err
	}
	if cfg.Export != nil {
		opts.Formats = cfg.Export.Kept()
	}
	if r.Instance, err = assembly.OpenService(ctx, backends, cfg.Trusted(), opts); err != nil {
		return explained(err)
	}
	return closeAfter(ctx, r.Instance, r.serve(ctx))
}

func serviceOptions(cfg *config.Serve, logger *slog.Logger) assembly.Options {
	epoch, horizon, keys := cfg.Finality.Times()
	opts := assembly.Options{Logger: logger, Environment: cfg.Environment, Replica: cfg.Replica, LogPrefix: cfg.LogPrefix, Version: version,
		Finality: vault.FinalityTimes{Epoch: epoch, BackupHorizon: horizon, KeyBackups: keys}, Detect: cfg.Detection}
	if cfg.Tiles != nil {
		opts.Tiles = cfg.Tiles.Dir
	}
	if p := cfg.Policy; p != nil {
		opts.PolicyKey, opts.PolicyAdministrator = p.Key, p.AdministeredBy
		if path := p.Path; path != "" {
			opts.PolicySource = func(context.Context) (*access.Bundle, error) { return access.OpenBundle(path) }
		}
	}
	return opts
}

// explained says what to do about an error of opening a service.
func explained(err error) error {
	switch {
	case errors.Is(err, assembly.ErrNoKey):
		return fmt.Errorf("%w\n(`counterfoil keys init` makes the key file of a new service; for any other, put the old one back)", err)
	case errors.Is(err, assembly.ErrOlder):
		return fmt.Errorf("%w\n(put the newest copy back; where there is none, `counterfoil recover` takes this one up)", err)
	case errors.Is(err, assembly.ErrInUse):
		return fmt.Errorf("%w\n(stop the other process; a second replica needs a store that several processes can share)", err)
	}
	return err
}

// running is an open service with what it needs to be reached.
type running struct {
	*assembly.Instance
	cfg         *config.Serve
	logger      *slog.Logger
	certificate *certificate.Keeper // nil where the service does no TLS
	hangups     <-chan os.Signal
	figures     *metrics.Collector // set with the handler
}

func (r *running) serve(ctx context.Context) error {
	tracer, flush, err := r.openTracer()
	if err != nil {
		return err
	}
	defer flush()
	handler, err := r.handler(tracer)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := r.announce(ctx, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if r.certificate != nil {
		listener = tls.NewListener(listener, r.certificate.TLS())
	}
	return serveUntil(ctx, httpapi.NewServer(handler, r.logger), listener, r.background)
}

// announce leaves the one line that says what serves here, and a warning for
// everything that is weaker than it need be.
func (r *running) announce(ctx context.Context, address net.Addr) error {
	tenants, err := r.Service.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, issuer := range r.cfg.Issuers {
		for _, tenant := range issuer.Tenants {
			if !slices.Contains(tenants, tenant) {
				r.logger.Warn("an issuer may speak for a tenant that is not made", "issuer", issuer.Issuer, "tenant", tenant)
			}
		}
	}
	for _, advice := range r.cfg.Advice() {
		r.logger.Warn("the configuration could be better", "advice", advice)
	}
	var issuers []string
	for _, issuer := range r.cfg.Issuers {
		issuers = append(issuers, issuer.Issuer)
	}
	protection := []any{slog.String("tls", "none")}
	switch {
	case r.certificate != nil:
		protection = []any{
			slog.String("tls", "1.3"), slog.Bool("client_certificates", r.cfg.TLS.ClientCA != ""),
			slog.Time("certificate_expires", r.certificate.Expires()),
		}
	case r.cfg.TLS != nil:
		protection = []any{slog.String("tls", "upstream")}
	}
	r.logger.With(protection...).Info("serving", "version", version, "listen", address.String(),
		"environment", r.cfg.Environment, "replica", r.cfg.Replica, "log_prefix", r.cfg.LogPrefix,
		"issuers", issuers, "tenants", len(tenants)-1) // less the system's own log
	return nil
}

// background is all that goes on beside the requests.
func (r *running) background(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { r.Worker.Run(ctx) })
	all.Go(func() { r.renew(ctx) })
	all.Go(func() { r.figures.Watch(ctx) })
	if r.certificate != nil {
		all.Go(func() { r.certificate.Watch(ctx, r.logger) })
	}
	all.Wait()
}

// renew does at a hangup what happens at intervals anyhow. An issuer that
// cannot be reached is told by the verifier.
func (r *running) renew(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			if r.certificate != nil {
				r.certificate.Check(r.logger)
			}
			if err := r.Verifier.Refresh(ctx); err == nil {
				r.logger.Info("the TLS files and the keys of the issuers were read at once")
			}
			r.reloadPolicy(ctx)
		}
	}
}

// reloadPolicy reads the configured bundle again, where there is one. One that is
// refused changes nothing.
func (r *running) reloadPolicy(ctx context.Context) {
	if r.cfg.Policy == nil || r.cfg.Policy.Path == "" {
		return
	}
	switch result, err := r.Service.Reload(ctx); {
	case err != nil:
		r.logger.Error("the policy bundle is refused, and the one before it stays in force", "error", err.Error())
	case result.Changed:
		r.logger.Info("another policy is in force", "version", result.Version, "before", result.Before)
	}
}

// openSink is nil where nothing is exported. A sink that cannot be reached now is
// no reason not to serve: what it misses goes there when it is back. One that
// cannot keep what it is given as it has to be is.
func openSink(ctx context.Context, cfg *config.Serve) (export.Sink, error) {
	if cfg.Export == nil {
		return nil, nil
	}
	sink, err := cfg.Export.Sink(ctx)
	if err != nil {
		return nil, err
	}
	if err := sink.Ready(ctx); errors.Is(err, export.ErrSink) {
		return nil, err
	}
	return sink, nil
}

// openSender is nil where nobody is told of what happens.
func openSender(cfg *config.Serve) (*webhook.Sender, error) {
	if cfg.Webhooks == nil {
		return nil, nil
	}
	return webhook.New(cfg.Webhooks.Config())
}
