package load

import (
	"context"
	"sync/atomic"
)

// Closed keeps each client busy: it sends its next request as soon as it has the answer
// to the last. It finds out how much a service can do, and how long an answer takes when
// so many are always under way. It is blind to what happens to those who would have come
// while it waited; that is what [Open] is for.
//
// It returns what was measured when ctx ends, with ctx's error.
func Closed(ctx context.Context, p Plan, do Do) (Result, error) {
	if err := p.check(); err != nil {
		return Result{}, err
	}
	r := newRun(p, do)
	var next, tickets atomic.Int64
	senders := make([]func(context.Context), p.Clients)
	for client := range senders {
		senders[client] = func(ctx context.Context) {
			for ctx.Err() == nil {
				sent := r.now()
				if int64(sent) >= r.end.Load() {
					return
				}
				// A request sent before the measured part takes no ticket of it.
				if p.Requests > 0 && r.within(sent) && tickets.Add(1) > p.Requests {
					return
				}
				r.send(ctx, client, next.Add(1)-1, sent, sent)
			}
		}
	}
	return r.conduct(ctx, senders...)
}
