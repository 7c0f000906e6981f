package evidence_test

import (
	"context"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// BenchmarkQuarter draws and writes the evidence of a quarter of 10^5 entries, or in
// the long run of 10^6.
func BenchmarkQuarter(b *testing.B) {
	n := 100_000
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		n = 1_000_000
	}
	q := evidencetest.MadeQuarter(1, n)
	ctx := context.Background()
	b.Run("build", func(b *testing.B) {
		var e *evidence.Evidence
		before := live()
		for b.Loop() {
			var err error
			if e, err = evidence.Build(ctx, q.Source(), q.Facts, q.Period); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(live()-before)/float64(e.Size), "kept-B/entry")
		runtime.KeepAlive(e)
	})
	bundle := bundleOf(b, q)
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := bundle.Write(ctx, io.Discard, q.Sign); err != nil {
				b.Fatal(err)
			}
		}
	})
	path := saved(b, written(b, bundle, q))
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := evidence.OpenBundle(path, q.Keys...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("population", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := evidence.Populate(ctx, q.Source(), evidencetest.Origin, q.Period, evidence.PopulationRestorations, evidence.Filter{})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := evidence.Sample(p, 60, "seed"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// live is how much of the heap is in use.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
