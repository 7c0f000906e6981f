package load

import (
	"context"
	"fmt"
	"math"
	"time"
)

// maxRate is one request each microsecond, more than the clock of an arrival resolves.
const maxRate = 1e6

// Open sends perSecond requests each second, at fixed intervals, whether or not answers
// come. It finds out what users see who know nothing of each other. The clock of a
// request runs from when it was due. When all clients are busy, requests that are due
// wait in order and are sent late; at the end of the measured part those due in it are
// still sent for at most [Drain], and then counted as unsent.
//
// It returns what was measured when ctx ends, with ctx's error.
func Open(ctx context.Context, p Plan, perSecond float64, do Do) (Result, error) {
	alarm, err := newAlarm(ctx)
	if err != nil {
		return Result{}, err
	}
	defer alarm.close()
	return open(ctx, p, perSecond, do, alarm.wait, fromDue)
}

// wait returns true after so long, or false when the load was called off before.
type wait func(d time.Duration) bool

// arrival is one request that is due.
type arrival struct {
	n   int64
	due time.Duration
}

func open(ctx context.Context, p Plan, perSecond float64, do Do, until wait, from origin) (Result, error) {
	if err := p.check(); err != nil {
		return Result{}, err
	}
	if !(perSecond > 0 && perSecond <= maxRate) { // not a number is neither
		return Result{}, fmt.Errorf("%w: %v requests per second, not up to %v", ErrPlan, perSecond, maxRate)
	}
	r := newRun(p, do)
	r.from = from
	pace := &pacer{r: r, interval: float64(time.Second) / perSecond, until: until, ready: make(chan arrival)}
	senders := make([]func(context.Context), p.Clients+1)
	senders[p.Clients] = pace.pace
	for client := range p.Clients {
		senders[client] = func(ctx context.Context) {
			for a := range pace.ready {
				r.send(ctx, client, a.n, a.due, r.now())
			}
		}
	}
	result, err := r.conduct(ctx, senders...)
	result.Unsent = pace.unsent
	return result, err
}

// pacer hands out requests when they are due, to whichever client is free. The channel
// has no room: a request that no client takes keeps the later ones behind it, and is
// handed out late, with its due time.
type pacer struct {
	r        *run
	interval float64 // in nanoseconds; a whole number would drift at odd rates
	until    wait
	ready    chan arrival
	unsent   int64 // after the end
}

// due is computed from n, not added up, so that no lateness and no rounding piles up.
func (p *pacer) due(n int64) time.Duration { return time.Duration(math.Round(float64(n) * p.interval)) }

func (p *pacer) pace(ctx context.Context) {
	defer close(p.ready)
	var tickets int64
	for n := int64(0); ; n++ {
		due := p.due(n)
		if !p.arrive(due) {
			return
		}
		measured := p.r.within(due)
		if p.r.plan.Requests > 0 && measured {
			if tickets == p.r.plan.Requests {
				return
			}
			tickets++
		}
		select {
		case p.ready <- arrival{n, due}:
		case <-p.r.drained:
			p.unsent = p.waiting(n)
			return
		case <-ctx.Done():
			p.unsent = p.waiting(n)
			return
		}
	}
}

// arrive waits until a request is due; false when it would be after the end.
func (p *pacer) arrive(due time.Duration) bool {
	if int64(due) >= p.r.end.Load() {
		return false
	}
	if d := due - p.r.now(); d > 0 && !p.until(d) {
		return false
	}
	return int64(due) < p.r.end.Load() // which may have been set meanwhile
}

// waiting counts the requests from n on that were due in the measured part.
func (p *pacer) waiting(n int64) (count int64) {
	begin, end := time.Duration(p.r.begin.Load()), min(time.Duration(p.r.end.Load()), p.r.now())
	for ; p.due(n) < end; n++ {
		if p.due(n) >= begin {
			count++
		}
	}
	return count
}
