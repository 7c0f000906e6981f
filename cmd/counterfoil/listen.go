package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/metrics"
)

// drainTimeout is how long requests that were accepted may take after a
// stop was asked for: longer than any request is allowed to take.
const drainTimeout = 40 * time.Second

// newHandler is the interface of the development mode, and the figures of what goes
// on beside the requests, which are to be watched.
func newHandler(in *assembly.Instance, logger *slog.Logger, limits httpapi.Limits) (http.Handler, *metrics.Collector, error) {
	registry := prometheus.NewRegistry()
	figures, err := metrics.Register(registry, in.Sources(), time.Now)
	if err != nil {
		return nil, nil, err
	}
	handler, err := httpapi.New(httpapi.Config{
		Service: in.Service, Authenticate: in.Verifier.Verify, Logger: logger,
		Registry: registry, Limits: limits, Version: version,
	})
	return handler, figures, err
}

// closeAfter closes what has served, however that ended.
func closeAfter(ctx context.Context, in *assembly.Instance, served error) error {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	return errors.Join(served, in.Close(closing))
}

// What lives in a service is some 20 MB, so little that the collector would run for
// each 20 MB that requests allocate, a hundred of them or two. It may wait for
// heapGrowth percent instead, up to softLimit bytes in all. GOGC and GOMEMLIMIT win.
const (
	heapGrowth = 400
	softLimit  = 1 << 30
)

// settleMemory returns what starting took and starting alone needs, and sets how far
// the heap may grow. The policy, the interface and the detection are read from their
// texts, which takes twice the memory that serving does, and nothing returns it while
// nobody asks anything, since nothing is allocated then.
func settleMemory() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(heapGrowth)
		debug.SetMemoryLimit(softLimit)
	}
	debug.FreeOSMemory()
}

// serveUntil serves beside the background work until the context ends, then
// lets requests finish before the background work stops.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener, work func(context.Context)) error {
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(settleMemory)
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
