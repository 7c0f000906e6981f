package httpapi

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// unrouted is the operation of a request that has none: its path is data of a
// stranger and is noted nowhere.
const unrouted = "none"

// observe is the outermost step: it names the request, sets the headers of
// every answer, and sees to it that each request leaves one event.
func (a *api) observe(c *gin.Context) {
	x := &exchange{started: time.Now(), op: a.operations[c.Request.Method+" "+c.FullPath()]}
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

	// The context as it is now: the one that admit makes is over by then.
	ctx := c.Request.Context()
	a.protect(c, x)

	x.status, x.bytesOut = c.Writer.Status(), int64(max(c.Writer.Size(), 0))
	if x.gone {
		x.status = statusGone
	}
	x.latency = time.Since(x.started)
	x.emit(ctx, a.logger)
	a.metrics.count(&x.event)
	if x.broken {
		// A part of the answer is out. Only cutting the connection tells the
		// client that it is not whole; net/http does that without a word.
		panic(http.ErrAbortHandler)
	}
}

// protect runs the rest of the way and turns a panic into an internal error.
// What was panicked with may hold a value, so that only its type is kept, and
// of the stack only functions and lines.
func (a *api) protect(c *gin.Context, x *exchange) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		x.panicked, x.stack = fmt.Sprintf("%T", p), callers()
		a.metrics.panics.Inc()
		if c.Writer.Written() {
			x.code, x.broken = vault.CodeInternal, true
			return
		}
		a.fail(c, vault.Errorf(vault.CodeInternal, ""))
	}()
	c.Next()
}

// maxFrames is enough to leave gin and reach the place of a panic.
const maxFrames = 32

// skippedFrames leaves out runtime.Callers, callers and the deferred function.
const skippedFrames = 3

func callers() []string {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(skippedFrames, pcs)])
	var names []string
	for {
		frame, more := frames.Next()
		if frame.Function != "" {
			names = append(names, fmt.Sprintf("%s:%d", frame.Function, frame.Line))
		}
		if !more {
			return names
		}
	}
}
