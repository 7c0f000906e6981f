package httpapi

import (
	"context"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// budget is a number of something that may be out at one time.
type budget struct {
	out  atomic.Int64
	most int64
}

// take takes n, or nothing.
func (b *budget) take(n int64) bool {
	if b.out.Add(n) > b.most {
		b.out.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.out.Add(-n) }

// admit bounds how many requests are under way and how long each may take.
// Probes are not counted: an overloaded service is still alive.
func (a *api) admit(c *gin.Context) {
	x := exchangeOf(c)
	if x.op == nil {
		return
	}
	limit := a.limits.Request
	if x.op.secured {
		// Streams last, and would leave no room for requests.
		room, named := &a.requests, limitInFlight
		if x.op.stream {
			room, named = &a.streams, limitStreams
		}
		if !room.take(1) {
			a.fail(c, overloaded(named))
			return
		}
		a.metrics.inFlight.Inc()
		defer func() {
			a.metrics.inFlight.Dec()
			room.give(1)
		}()
	} else {
		limit = min(limit, ReadyTimeout)
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), limit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// overloaded is an error with advice: others may have finished in a second.
func overloaded(limit string) *vault.Error {
	e := vault.Errorf(vault.CodeUnavailable, "overloaded")
	e.Limit, e.RetryAfter = limit, vault.RetryAfter
	return e
}
