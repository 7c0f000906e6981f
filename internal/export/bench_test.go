package export_test

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
)

// BenchmarkExport is of entries, to a sink that costs nothing.
func BenchmarkExport(b *testing.B) {
	for name, formats := range map[string]export.Formats{"lines": {}, "all": {CSV: true, OCSF: true}} {
		b.Run(name, func(b *testing.B) {
			const entries = 10_000
			w := newWorld()
			w.Fill(entries, start, time.Millisecond)
			w.Formats = formats
			for b.Loop() {
				w.memory = &exporttest.Memory{}
				w.Sink = w.memory
				w.Forget()
				w.all(b)
			}
			b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
