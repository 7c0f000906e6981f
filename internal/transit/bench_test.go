package transit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

// bench is a server with the key of acme, and a hundred keys, plain and wrapped.
type bench struct {
	config  transit.Config
	plain   [][]byte
	wrapped []envelope.Wrapped
}

func newBench(b *testing.B) bench {
	b.Helper()
	s := transittest.Open(b)
	administration := s.Keys(b)
	administration.KeyPrefix = transittest.Prefix()
	keys, err := transit.OpenKeys(b.Context(), administration)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = keys.Close() }()
	if err := keys.Create(b.Context(), "acme"); err != nil {
		b.Fatal(err)
	}
	out := bench{config: s.Serving(b), plain: make([][]byte, 100)}
	out.config.KeyPrefix = administration.KeyPrefix
	for i := range out.plain {
		out.plain[i] = make([]byte, 100)
	}
	w := out.open(b, 1)[0]
	if out.wrapped, err = w.Wrap(b.Context(), "acme", out.plain); err != nil {
		b.Fatal(err)
	}
	return out
}

func (x bench) open(b *testing.B, n int) []*transit.Wrapper {
	b.Helper()
	wrappers := make([]*transit.Wrapper, n)
	for i := range wrappers {
		w, err := transit.Open(b.Context(), x.config)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = w.Close() })
		wrappers[i] = w
	}
	return wrappers
}

// operation does something with one key, or with a hundred.
type operation func(ctx context.Context, w *transit.Wrapper, n int) error

func (x bench) operations() map[string]operation {
	return map[string]operation{
		"wrap": func(ctx context.Context, w *transit.Wrapper, n int) error {
			_, err := w.Wrap(ctx, "acme", x.plain[:n])
			return err
		},
		"unwrap": func(ctx context.Context, w *transit.Wrapper, n int) error {
			_, err := w.Unwrap(ctx, "acme", x.wrapped[:n])
			return err
		},
	}
}

// BenchmarkKeys is one key per caller, at several numbers of callers: with a
// wrapper for each, so that nobody shares a call, and with one for all. Last a
// batch of one caller.
func BenchmarkKeys(b *testing.B) {
	x := newBench(b)
	for name, do := range x.operations() {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/alone/%d", name, callers), func(b *testing.B) { together(b, do, x.open(b, callers), callers) })
			b.Run(fmt.Sprintf("%s/shared/%d", name, callers), func(b *testing.B) { together(b, do, x.open(b, 1), callers) })
		}
		b.Run(name+"/batch-of-100", func(b *testing.B) {
			w := x.open(b, 1)[0]
			for b.Loop() {
				if err := do(b.Context(), w, len(x.plain)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(x.plain))/b.Elapsed().Seconds(), "keys/s")
		})
	}
}

func together(b *testing.B, do operation, wrappers []*transit.Wrapper, callers int) {
	b.Helper()
	b.ResetTimer()
	var group sync.WaitGroup
	each := max(b.N/callers, 1)
	for i := range callers {
		group.Go(func() {
			for range each {
				if err := do(b.Context(), wrappers[i%len(wrappers)], 1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	var calls int64
	for _, w := range wrappers {
		calls += w.Stats().Calls
	}
	b.ReportMetric(float64(callers*each)/b.Elapsed().Seconds(), "keys/s")
	b.ReportMetric(float64(callers*each)/float64(calls), "keys/call")
}
