package evidence_test

import (
	"context"
	"io"
	"testing"

	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// BenchmarkQuarter draws and writes the evidence of a quarter of 10^5 entries.
func BenchmarkQuarter(b *testing.B) {
	q := evidencetest.MadeQuarter(1, 100_000)
	ctx := context.Background()
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := evidence.Build(ctx, q.Source(), q.Facts, q.Period); err != nil {
				b.Fatal(err)
			}
		}
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
