package telemetry

import (
	"math/rand/v2"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// sampler decides once for each request whether it is traced. The samplers of
// the SDK decide by the id of the trace, which a caller may have chosen.
type sampler struct {
	ratio  float64
	parent Parent
}

// ShouldSample implements [sdk.Sampler].
func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	traced := false
	switch {
	case parent.IsValid() && !parent.IsRemote(): // a stage goes with its request
		traced = parent.IsSampled()
	case parent.IsValid() && s.parent == ParentFollow:
		traced = parent.IsSampled()
	default:
		traced = rand.Float64() < s.ratio //nolint:gosec // of no use to whoever could guess it
	}
	if !traced {
		return sdk.SamplingResult{Decision: sdk.Drop}
	}
	return sdk.SamplingResult{Decision: sdk.RecordAndSample}
}

// Description implements [sdk.Sampler].
func (s sampler) Description() string { return "counterfoil" }
