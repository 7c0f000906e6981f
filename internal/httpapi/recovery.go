package httpapi

import (
	"fmt"
	"runtime"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/vault"
)

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
