package httpapi

import (
	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
)

// unroutedSpan is the name of the span of a request that has no operation.
var unroutedSpan = telemetry.NewOperation(unrouted)

// trace begins the span of a request. Its name is that of the operation, never
// the path: a path that nobody knows is data of a stranger.
func (a *api) trace(c *gin.Context, x *exchange) {
	if a.tracer == nil {
		return
	}
	name := unroutedSpan
	if x.op != nil {
		name = x.op.span
	}
	ctx, span := a.tracer.Request(c.Request.Context(), c.Request.Header, name)
	c.Request = c.Request.WithContext(ctx)
	x.span, x.traceID = span, span.TraceID()
}

// endTrace states what the event of the request says, as far as a trace may.
func (x *exchange) endTrace() {
	if x.rendered != nil {
		x.rendered()
	}
	x.span.Set(
		telemetry.Status(x.status), telemetry.Code(x.code), telemetry.RequestID(x.requestID), telemetry.Tenant(x.tenant),
		telemetry.BytesIn(x.bytesIn), telemetry.BytesOut(x.bytesOut), telemetry.PolicyVersion(x.policyVersion),
		telemetry.Tokens(sum(x.origins)), telemetry.NotTokenized(sum(x.untouched)),
		telemetry.Results(sum(x.statuses)), telemetry.Restored(x.given()), telemetry.Entries(x.entries),
	)
	if x.status >= 500 {
		x.span.Fail()
	}
	x.span.End()
}

func sum[K comparable](counts map[K]int) (n int) {
	for _, more := range counts {
		n += more
	}
	return n
}

// rendering stands around every handler: it notes what came of it, and what follows
// is the rendering of its answer, which ends with the request.
func (a *api) rendering(handle gen.StrictHandlerFunc, _ string) gen.StrictHandlerFunc {
	return func(c *gin.Context, request any) (any, error) {
		response, err := handle(c, request)
		x := exchangeOf(c)
		x.noteOutcome(request, response, err)
		if err == nil {
			x.policyVersion = policyVersionOf(response)
			_, x.rendered = stage.Start(c.Request.Context(), stage.Render)
		}
		return response, err
	}
}

// policyVersionOf is the version under which a request was decided, where its
// answer says one.
func policyVersionOf(response any) string {
	switch b := bodyOf(response).(type) {
	case gen.TokenizeAnswer:
		return b.PolicyVersion
	case gen.DetokenizeAnswer:
		return b.PolicyVersion
	}
	return ""
}
