package tilelog_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/tilelog"
)

// BenchmarkAdvance is of entries of a log that is brought to a new folder.
func BenchmarkAdvance(b *testing.B) {
	const entries = 50_000
	l := exporttest.NewLog("acme")
	grow(l, entries)
	for b.Loop() {
		mustAdvance(b, tilelog.NewWriter(b.TempDir()), ask(l))
	}
	b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkAdvanceByOne is of a busy log, where each advance has a few entries.
func BenchmarkAdvanceByOne(b *testing.B) {
	l := exporttest.NewLog("acme")
	grow(l, 50_000)
	w := tilelog.NewWriter(b.TempDir())
	mustAdvance(b, w, ask(l))
	for b.Loop() {
		grow(l, 1)
		mustAdvance(b, w, ask(l))
	}
}
