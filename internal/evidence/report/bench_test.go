package report_test

import (
	"io"
	"testing"

	"github.com/counterfoil/counterfoil/internal/evidence/report"
)

// A busy quarter: 25,000 restorations are about 100,000 entries.
func BenchmarkWrite(b *testing.B) {
	e := made(1, 25_000)
	for b.Loop() {
		if err := report.Write(io.Discard, e); err != nil {
			b.Fatal(err)
		}
	}
}
