//go:build !linux

package load

import (
	"context"
	"time"
)

// alarm waits with the timer of the runtime, where there is nothing finer.
type alarm struct{ ctx context.Context }

func newAlarm(ctx context.Context) (*alarm, error) { return &alarm{ctx}, nil }

func (a *alarm) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}

func (a *alarm) close() {}
