package transit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// TestTenantWithoutKeyStopsNobody: the server refuses to make a key by the same
// status as it refuses a token. Neither does the one tenant's fault stop the
// others, nor does each of its calls log in again.
func TestTenantWithoutKeyStopsNobody(t *testing.T) {
	p := newPair(t)
	before := logins(t, p)
	for range 3 * transit.BreakAfter {
		if _, err := p.w.Wrap(t.Context(), "globex", [][]byte{[]byte("x")}); !errors.Is(err, envelope.ErrUnavailable) {
			t.Fatalf("a tenant without a key: %v", err)
		}
		p.wrap(t, "key")
	}
	if after := logins(t, p); after != before {
		t.Errorf("%d tokens before and %d after: it logs in for nothing", before, after)
	}
}

// logins counts the tokens that logging in has made.
func logins(t *testing.T, p pair) int {
	t.Helper()
	accessors, err := p.Root().Logical().List("auth/token/accessors")
	if err != nil {
		t.Fatal(err)
	}
	return len(accessors.Data["keys"].([]any))
}

// TestNobodyWaitsForTheProbe: while a server is too slow, callers are refused at
// once, also at the moments at which somebody tries it.
func TestNobodyWaitsForTheProbe(t *testing.T) {
	t.Parallel() // it waits most of its time
	p, proxy := proxied(t)
	wrapped := p.wrap(t, "key")
	add(t, proxy, `{"name":"slow","type":"latency","stream":"downstream","attributes":{"latency":60000}}`)
	fail(t, p.w)
	// Long enough for one attempt at the server, whole.
	end := time.Now().Add(transit.BreakFor + transit.CallTimeout)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for time.Now().Before(end) {
				refusedQuickly(t, p.w)
				time.Sleep(20 * time.Millisecond) // as callers do that are told to come again
			}
		})
	}
	group.Wait()
	if err := proxy.Toxics.RemoveToxic(context.Background(), "slow"); err != nil {
		t.Fatal(err)
	}
	p.recovers(t, wrapped)
}

// TestCloseEndsTheProbe: nothing goes on after Close, also while the server is
// down. That no goroutine is left is checked when all tests have run.
func TestCloseEndsTheProbe(t *testing.T) {
	p := newPair(t)
	w, err := transit.Open(t.Context(), p.Serving(t))
	if err != nil {
		t.Fatal(err)
	}
	p.Stop(t)
	fail(t, w)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestCallsAfterClose are refused, and log in to nothing.
func TestCallsAfterClose(t *testing.T) {
	p := newPair(t)
	w, err := transit.Open(t.Context(), p.Serving(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := transit.OpenKeys(t.Context(), p.Keys(t))
	if err != nil {
		t.Fatal(err)
	}
	before := logins(t, p)
	if err := errors.Join(w.Close(), k.Close()); err != nil {
		t.Error(err)
	}
	_, versionErr := w.Version(t.Context(), "acme")
	for name, err := range map[string]error{"version": versionErr, "rotate": k.Rotate(t.Context(), "acme")} {
		if !errors.Is(err, envelope.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := logins(t, p); after != before {
		t.Errorf("%d tokens before and %d after", before, after)
	}
}
