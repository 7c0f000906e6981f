package load

import (
	"context"
	"time"
)

// MaxTallies is how many clients count without sharing.
const MaxTallies = maxTallies

// OpenByTimer is Open on the timers of the runtime, which a synctest bubble can move.
func OpenByTimer(ctx context.Context, p Plan, perSecond float64, do Do) (Result, error) {
	return open(ctx, p, perSecond, do, byTimer(ctx), fromDue)
}

// OpenFromSend is OpenByTimer with its guard taken out: latency counts from when a
// request could be sent, as a careless generator would have it.
func OpenFromSend(ctx context.Context, p Plan, perSecond float64, do Do) (Result, error) {
	fromSend := func(_, sent time.Duration) time.Duration { return sent }
	return open(ctx, p, perSecond, do, byTimer(ctx), fromSend)
}

func byTimer(ctx context.Context) wait {
	return func(d time.Duration) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
