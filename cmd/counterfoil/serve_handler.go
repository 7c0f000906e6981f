package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/telemetry"
)

// flushTimeout is how long the end of the process may wait for the collector of
// traces: within what orchestrators give a process that has drained.
const flushTimeout = 5 * time.Second

// handler is the interface of a configured service: credentials are held
// against the certificate of their connection, and there is no readiness without
// the keys of the issuers.
func (r *running) handler(tracer *telemetry.Tracer) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	figures, err := metrics.Register(registry, r.Sources(), time.Now)
	if err != nil {
		return nil, err
	}
	r.figures = figures
	return httpapi.New(httpapi.Config{
		Service: r.Service, AuthenticateOver: r.Verifier.VerifyOver, Ready: r.Verifier.Ready, Tracer: tracer,
		Logger: r.logger, Registry: registry, Limits: apiLimits(r.cfg.Limits),
		Rates: apiRates(r.cfg.Rates), Version: version,
	})
}

// apiRates are the rates that the configuration sets.
func apiRates(r *config.Rates) (rates httpapi.Rates) {
	if r == nil {
		return rates
	}
	for _, one := range []struct {
		given *config.Rate
		rate  *httpapi.Rate
	}{{r.Caller, &rates.Caller}, {r.Tenant, &rates.Tenant}} {
		if one.given != nil {
			*one.rate = httpapi.Rate{PerSecond: one.given.PerSecond, Burst: int(one.given.Burst)}
		}
	}
	return rates
}

// openTracer starts the tracer, nil where nothing is traced. What is returned
// with it sends the last spans.
func (r *running) openTracer() (*telemetry.Tracer, func(), error) {
	cfg := r.cfg.Telemetry
	if cfg == nil {
		return nil, func() {}, nil
	}
	tracer, err := telemetry.New(telemetry.Config{
		Endpoint: cfg.Endpoint, Headers: cfg.Headers(), Roots: cfg.Roots(),
		Ratio: cfg.SampleRatio, Parent: telemetry.Parent(cfg.Parent),
		Service: cfg.ServiceName, Version: version, Environment: r.cfg.Environment, Replica: r.cfg.Replica, Logger: r.logger,
	})
	if err != nil {
		return nil, nil, err
	}
	r.logger.Info("requests are traced", "collector", cfg.Endpoint, slog.Float64("ratio", cfg.SampleRatio), "parent", cfg.Parent)
	return tracer, func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()
		tracer.Close(ctx)
	}, nil
}
