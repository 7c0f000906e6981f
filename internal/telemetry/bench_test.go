package telemetry_test

import (
	"math"
	"testing"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
)

// BenchmarkRequest is what a request pays: with nobody to trace it, when the lot
// says no, and with six stages and a collector that is there.
func BenchmarkRequest(b *testing.B) {
	for name, ratio := range map[string]float64{"off": 0, "drawn out": math.SmallestNonzeroFloat64, "traced": 1} {
		b.Run(name, func(b *testing.B) {
			var tracer *telemetry.Tracer
			if ratio > 0 {
				tracer = newWorld(b, func(c *telemetry.Config) { c.Ratio = ratio }).tracer
			}
			header := traceparent("00-" + parentTrace + "-" + parentSpan + "-01")
			b.ReportAllocs()
			for b.Loop() {
				ctx, span := tracer.Request(b.Context(), header, tokenize)
				for _, s := range stage.Stages()[:6] {
					_, end := stage.Start(ctx, s)
					end()
				}
				span.Set(telemetry.Status(200), telemetry.Tenant("acme"), telemetry.Tokens(3), telemetry.BytesIn(2048))
				span.End()
			}
		})
	}
}
