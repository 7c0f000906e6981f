package telemetry_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/telemetry"
)

// Whatever a traceparent says, what is taken of it are two ids and one flag, as
// they stand in it; everything else begins no trace and ends none.
func TestOfATraceparentTwoIDsAreTaken(t *testing.T) {
	hex := func(n int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune("0123456789abcdef")), n, n, -1)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.Custom(func(t *rapid.T) string {
				return strings.Join([]string{hex(2).Draw(t, "version"), hex(32).Draw(t, "trace"), hex(16).Draw(t, "span"), hex(2).Draw(t, "flags")}, "-") +
					rapid.SampledFrom([]string{"", "", "-", "-kanarie", " "}).Draw(t, "more")
			}),
		).Draw(t, "traceparent")
		header := http.Header{"Traceparent": {text}, "Tracestate": {rapid.String().Draw(t, "tracestate")}, "Baggage": {"who=kanarie"}}
		taken := trace.SpanContextFromContext(telemetry.RemoteParent(context.Background(), header, telemetry.ParentJoin))
		if !taken.IsValid() {
			return
		}
		stands := "-" + taken.TraceID().String() + "-" + taken.SpanID().String() + "-"
		if text[2:2+len(stands)] != stands || !taken.IsRemote() || taken.TraceState().Len() != 0 || taken.TraceFlags()&^trace.FlagsSampled != 0 {
			t.Fatalf("%+v", taken)
		}
	})
}
