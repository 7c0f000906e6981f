package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
)

// host stands where the servers of the tests want a test: what would fail it becomes an
// error, what would run at its end runs when the site closes.
type host struct {
	// TB is nil: it is here for the methods that nobody but package testing can write.
	// A method that is called and not written below panics.
	testing.TB

	ctx context.Context
	dir string

	mu       sync.Mutex
	cleanups []func()
	failures []error
}

// ended is what a method that must not return panics with.
type ended struct{}

func newHost(ctx context.Context, dir string) *host { return &host{ctx: ctx, dir: dir} }

// do runs what may fail the test and returns what failed it.
func (h *host) do(f func()) (err error) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil, ended:
		default:
			panic(r)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		err = errors.Join(h.failures...)
		h.failures = nil
	}()
	f()
	return nil
}

// close runs what was registered, the last first, whatever fails.
func (h *host) close() error {
	h.mu.Lock()
	left := h.cleanups
	h.cleanups = nil
	h.mu.Unlock()
	var errs []error
	for _, f := range slices.Backward(left) {
		errs = append(errs, h.do(f))
	}
	return errors.Join(errs...)
}

func (h *host) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = append(h.failures, err)
}

// Cleanup is called by servers that have to be stopped.
func (h *host) Cleanup(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cleanups = append(h.cleanups, f)
}

// TempDir makes a folder that goes with the site.
func (h *host) TempDir() string {
	dir, err := os.MkdirTemp(h.dir, "server-")
	if err != nil {
		h.Fatal(err)
	}
	return dir
}

// Fatal ends what [host.do] runs.
func (h *host) Fatal(args ...any) {
	h.fail(errors.New(fmt.Sprint(args...)))
	panic(ended{})
}

// Fatalf ends what [host.do] runs.
func (h *host) Fatalf(format string, args ...any) {
	h.fail(fmt.Errorf(format, args...))
	panic(ended{})
}

// Error makes what [host.do] runs fail.
func (h *host) Error(args ...any) { h.fail(errors.New(fmt.Sprint(args...))) }

// Errorf makes what [host.do] runs fail.
func (h *host) Errorf(format string, args ...any) { h.fail(fmt.Errorf(format, args...)) }

// Context ends never before the servers do.
func (h *host) Context() context.Context { return h.ctx }

// Helper does nothing.
func (h *host) Helper() {}

// Name is that of nobody's test.
func (h *host) Name() string { return "bench" }

// Log drops what only a test would show.
func (h *host) Log(...any) {}

// Logf drops what only a test would show.
func (h *host) Logf(string, ...any) {}
