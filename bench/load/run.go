package load

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// never is the end of a measured part that has not begun or has no end yet.
const never = time.Duration(math.MaxInt64)

// run is one load under way. Times are durations since its start.
type run struct {
	plan  Plan
	do    Do
	start time.Time
	// from is when the clock of a request begins: at its due time.
	from origin
	// begin and end of the measured part, never while they are not known.
	begin, end atomic.Int64
	// left are the requests of the measured part not answered yet, where the plan counts
	// them; finished is closed when there are none.
	left     atomic.Int64
	finished chan struct{}
	// drained is closed when what is due is not sent any more.
	drained chan struct{}
	counted *collector
}

// origin says from when a latency counts, for a request that was due and was sent then.
type origin func(due, sent time.Duration) time.Duration

func fromDue(due, _ time.Duration) time.Duration { return due }

func newRun(p Plan, do Do) *run {
	r := &run{
		plan: p, do: do, start: time.Now(), from: fromDue,
		finished: make(chan struct{}), drained: make(chan struct{}),
		counted: newCollector(p.Clients),
	}
	r.begin.Store(int64(never))
	r.end.Store(int64(never))
	r.left.Store(p.Requests)
	return r
}

func (r *run) now() time.Duration { return time.Since(r.start) }

// within says whether an instant is in the measured part.
func (r *run) within(at time.Duration) bool {
	return int64(at) >= r.begin.Load() && int64(at) < r.end.Load()
}

// conduct starts the senders, keeps the time of the measured part, and gives what was
// measured when all senders have returned.
func (r *run) conduct(ctx context.Context, senders ...func(context.Context)) (Result, error) {
	if r.plan.Warm == 0 {
		r.call(r.plan.Begin)
		r.start = time.Now() // no request is due while Begin samples
		r.open()             // before the first request, so that all of them are measured
	}
	var under sync.WaitGroup
	for _, send := range senders {
		under.Go(func() { send(ctx) })
	}
	if r.plan.Warm > 0 && r.sleep(ctx, r.plan.Warm) {
		r.call(r.plan.Begin)
		r.open()
	}
	last := r.watch(ctx)
	// One that was called off has its end here.
	end := min(time.Duration(r.end.Load()), r.now())
	r.end.Store(int64(end))
	drain := time.AfterFunc(Drain, func() { close(r.drained) })
	defer drain.Stop()
	if ctx.Err() == nil {
		r.call(r.plan.End)
		// The rest is told if it is half a second or more: less says little about a rate.
		if end-last >= tick/2 {
			r.tell(last, end)
		}
	}
	under.Wait()
	r.counted.collect()
	elapsed := max(end-time.Duration(r.begin.Load()), 0) // 0 if it never began
	return r.counted.total.result(elapsed), ctx.Err()
}

func (r *run) call(f func()) {
	if f != nil {
		f()
	}
}

// open begins the measured part.
func (r *run) open() {
	begin := r.now()
	if r.plan.Requests == 0 {
		r.end.Store(int64(begin + r.plan.For))
	}
	r.begin.Store(int64(begin))
}

// watch returns at the end of the measured part, and calls Every each second before it.
// It gives the time up to which Every was told. An Every that takes seconds itself, since
// it samples, is told of all of them the next time.
func (r *run) watch(ctx context.Context) time.Duration {
	begin := time.Duration(r.begin.Load())
	last := begin
	for ctx.Err() == nil {
		end := time.Duration(r.end.Load())
		next := min(begin+((last-begin)/tick+1)*tick, end)
		if !r.sleep(ctx, next-r.now()) || r.now() >= end {
			break
		}
		at := r.now()
		r.tell(last, at)
		last = at
	}
	return last
}

// tell calls Every with what was counted since it was called last.
func (r *run) tell(last, at time.Duration) {
	if r.plan.Every == nil {
		return
	}
	r.counted.collect()
	since := r.counted.since.result(at - last)
	since.Latency, since.RefusedLatency = since.Latency.Clone(), since.RefusedLatency.Clone()
	r.plan.Every(at-time.Duration(r.begin.Load()), since)
}

// sleep is false when the context or the counted requests ended meanwhile.
func (r *run) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.finished:
		return false
	case <-ctx.Done():
		return false
	}
}

// send does one request and counts it.
func (r *run) send(ctx context.Context, client int, n int64, due, sent time.Duration) {
	err := r.do(ctx, client, n)
	answered := r.now()
	measured, inTime := r.within(due), r.within(answered)
	if measured || inTime {
		r.count(ctx, client, measured, inTime, answered-r.from(due, sent), err)
	}
	if r.plan.Requests > 0 && measured && r.left.Add(-1) == 0 {
		r.end.Store(int64(answered))
		close(r.finished)
	}
}

func (r *run) count(ctx context.Context, client int, measured, inTime bool, took time.Duration, err error) {
	micros := min(max(took.Microseconds(), 1), longest.Microseconds())
	t := r.counted.of(client)
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, histogram := &t.now.good, t.now.latency
	switch {
	case errors.Is(err, ErrRefused):
		kept, histogram = &t.now.refused, t.now.refusal
	case err != nil:
		if ctx.Err() != nil {
			return // it failed because the load was called off
		}
		t.now.failed++
		if t.now.first == nil {
			t.now.first = err
		}
		return
	}
	if inTime {
		*kept++
	}
	if measured {
		// Cannot fail: the value was brought between the limits above.
		_ = histogram.RecordValue(micros)
	}
}
