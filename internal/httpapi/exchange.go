package httpapi

import (
	"context"
	"io"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// exchange is one request and what is known of it so far.
type exchange struct {
	event
	op      *operation // nil where nothing is routed
	call    vault.Call
	started time.Time
	// payload is the body of a provider that the request holds, byte for byte.
	payload []byte
	// stream is the body of an operation that reads it as it comes, streamType its
	// content type.
	stream     io.Reader
	streamType string
	// arrived is the context as net/http made it: it is cancelled when the
	// client goes away, and by nothing of ours.
	arrived context.Context
	// challenge is the WWW-Authenticate of a 401.
	challenge string
	// span is nil where the request is not traced, rendered where its answer is
	// not being rendered.
	span     *telemetry.Span
	rendered func()
	// policyVersion is that of the answer, where it says one.
	policyVersion string
	// broken says that a panic came after a part of the answer was sent.
	broken bool
}

// exchangeKey is where the exchange stands in the gin.Context, which is ours
// alone. No caller and no value travels in a context.Context.
const exchangeKey = "exchange"

// exchangeOf returns the exchange of a request. observe has put it there
// before anything else could run.
func exchangeOf(ctx context.Context) *exchange {
	x, ok := ctx.Value(exchangeKey).(*exchange)
	if !ok {
		panic("httpapi: a request that was not observed")
	}
	return x
}

// begin gives a handler what it works with. The generated code hands the
// *gin.Context over as a context; only the request's own context may leave the
// package, since gin uses its own again when the request is over.
func begin(ctx context.Context) (context.Context, *exchange) {
	c, ok := ctx.(*gin.Context)
	if !ok {
		panic("httpapi: a handler that gin did not call")
	}
	return c.Request.Context(), exchangeOf(c)
}
