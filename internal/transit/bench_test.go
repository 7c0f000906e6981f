package transit_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

// BenchmarkUnwrap is one key per caller, at several numbers of callers: alone,
// each has a call; together, they share. The last is a batch of one caller.
func BenchmarkUnwrap(b *testing.B) {
	s := transittest.Start(b)
	keys, err := transit.OpenKeys(b.Context(), s.Keys(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = keys.Close() }()
	if err := keys.Create(b.Context(), "acme"); err != nil {
		b.Fatal(err)
	}
	w, err := transit.Open(b.Context(), s.Serving(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	plain := make([][]byte, 100)
	for i := range plain {
		plain[i] = make([]byte, 100)
	}
	wrapped, err := w.Wrap(b.Context(), "acme", plain)
	if err != nil {
		b.Fatal(err)
	}
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%d-callers", callers), func(b *testing.B) {
			before := w.Stats()
			var group sync.WaitGroup
			for range callers {
				group.Go(func() {
					for range max(b.N/callers, 1) {
						if _, err := w.Unwrap(b.Context(), "acme", wrapped[:1]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
			after := w.Stats()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "keys/s")
			b.ReportMetric(float64(after.Items-before.Items)/float64(after.Calls-before.Calls), "keys/call")
		})
	}
	b.Run("batch-of-100", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Unwrap(b.Context(), "acme", wrapped); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*len(wrapped))/b.Elapsed().Seconds(), "keys/s")
	})
}
