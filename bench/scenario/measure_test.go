package scenario

import (
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// TestCostsAreOfAllAnswers: what failed and what was refused shares the costs, and each run
// adds one figure to each row.
func TestCostsAreOfAllAnswers(t *testing.T) {
	latency := hdrhistogram.New(1, 60_000_000, 3)
	for us := int64(1000); us <= 100_000; us += 1000 {
		if err := latency.RecordValue(us); err != nil {
			t.Fatal(err)
		}
	}
	r := load.Result{Elapsed: 2 * time.Second, Good: 100, Failed: 60, Refused: 40, Latency: latency}
	used := system.Usage{
		CPU: map[string]time.Duration{system.Counterfoil: time.Second}, RSS: map[string]int64{system.Counterfoil: 64 << 20},
		Allocs: 2000, AllocBytes: 20_000, VaultCalls: 20, Fsyncs: 50, WALBytes: 4000,
	}
	var got report.Measurement
	for range 2 {
		add(&got, r, used, 200)
	}
	twice := func(v float64) report.Figure { return report.Figure{v, v} }
	want := report.Measurement{
		PerSecond: twice(50), P50: twice(50), P95: twice(95), P99: twice(99), P999: twice(100),
		CPU: map[string]report.Figure{system.Counterfoil: twice(5)}, RSS: map[string]report.Figure{system.Counterfoil: twice(64)},
		Allocs: twice(10), AllocBytes: twice(100), VaultCalls: twice(0.1), Fsyncs: twice(0.25), WALBytes: twice(20),
		Failed: 120, Refused: 80,
	}
	near := cmp.Comparer(func(a, b float64) bool { return a == b || a > b*0.99 && a < b*1.01 })
	if d := cmp.Diff(want, got, near); d != "" {
		t.Error(d)
	}
}
