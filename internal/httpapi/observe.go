package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// unrouted is the operation of a request that has none: its path is data of a
// stranger and is noted nowhere.
const unrouted = "none"

// observe is the outermost step: it names the request, sets the headers of
// every answer, and sees to it that each request leaves one event and, where it
// is traced, one span.
func (a *api) observe(c *gin.Context) {
	x := &exchange{
		started: time.Now(), arrived: c.Request.Context(),
		op: a.operations[c.Request.Method+" "+c.FullPath()],
	}
	x.operation = unrouted
	if x.op != nil {
		x.operation = x.op.id
	}
	x.requestID = vault.NewID()
	x.call.RequestID, x.call.Channel = x.requestID, "api"
	c.Set(exchangeKey, x)

	header := c.Writer.Header()
	header.Set("Request-Id", x.requestID)
	header.Set("X-Content-Type-Options", "nosniff")
	// Also on what is not below /v1: nothing of this service is to be kept.
	header.Set("Cache-Control", "no-store")

	a.trace(c, x)
	a.protect(c, x)

	x.status, x.bytesOut = c.Writer.Status(), int64(max(c.Writer.Size(), 0))
	if x.gone {
		x.status = statusGone
	}
	x.latency = time.Since(x.started)
	x.endTrace()
	x.emit(x.arrived, a.logger)
	a.metrics.count(&x.event)
	if x.broken {
		// A part of the answer is out. Only cutting the connection tells the
		// client that it is not whole; net/http does that without a word.
		panic(http.ErrAbortHandler)
	}
}
