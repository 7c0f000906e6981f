package scenario

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/counterfoil/counterfoil/bench/load"
)

// frameEvery is the pace of a stream: 50 frames a second, as a fast model speaks.
const frameEvery = 20 * time.Millisecond

// The range of histograms is that of the generators: a microsecond to a minute.
const (
	shortest, longest = 1, int64(time.Minute / time.Microsecond)
	figuresKept       = 3
)

// streamed is what was measured of the frames of many streams.
type streamed struct {
	words, values *hdrhistogram.Histogram // in microseconds
	good, lost    int64
	elapsed       time.Duration
}

// result is that of a load whose requests are frames. Its latencies are those of frames
// that hold no value; all frames that came are good, so that costs are per frame.
func (s *streamed) result() load.Result {
	return load.Result{
		Elapsed: s.elapsed, Good: s.good, Failed: s.lost, Latency: s.words,
		RefusedLatency: hdrhistogram.New(shortest, longest, figuresKept),
	}
}

// speakAll sends frames into all streams at their pace, evenly spread over it, for as
// long as the plan says, and measures each from its write to its arrival at the other
// end. What is sent in the warm-up is not measured. All streams are closed at the end.
func speakAll(ctx context.Context, plan load.Plan, open func(n, frames int) (*streamLine, error)) (*streamed, error) {
	lines := make([]*streamLine, plan.Clients)
	defer func() {
		for _, l := range lines {
			if l != nil {
				_ = l.close() // it has ended, or the error is told already
			}
		}
	}()
	frames := int((plan.Warm + plan.For) / frameEvery)
	for n := range lines {
		var err error
		if lines[n], err = open(n, frames); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Nobody listens longer than it can take; a stream that hangs is an error then.
	stop := context.AfterFunc(ctx, func() { hangUp(lines) })
	defer stop()
	limit := time.AfterFunc(plan.Warm+plan.For+dialTimeout, func() { cancel(errors.New("scenario: a stream that hangs")) })
	defer limit.Stop()
	start := time.Now()
	var all sync.WaitGroup
	run := func(n int, what func(*streamLine) error) {
		all.Go(func() {
			if err := what(lines[n]); err != nil {
				cancel(fmt.Errorf("stream %d: %w", n, err))
			}
		})
	}
	for n := range lines {
		first := start.Add(frameEvery * time.Duration(n) / time.Duration(len(lines)))
		run(n, func(l *streamLine) error { return l.speak(ctx, first, frameEvery) })
		run(n, (*streamLine).listen)
	}
	began := waitUntil(ctx, start.Add(plan.Warm), plan.Begin)
	ended := waitUntil(ctx, start.Add(plan.Warm+plan.For), plan.End)
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return gather(lines, int(plan.Warm/frameEvery), ended.Sub(began)), nil
}

// waitUntil calls what is due at a time, unless the context has ended by then.
func waitUntil(ctx context.Context, due time.Time, call func()) time.Time {
	wait := time.NewTimer(time.Until(due))
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
		if call != nil {
			call()
		}
	}
	return due
}

// hangUp makes everybody who reads or writes a stream stop.
func hangUp(lines []*streamLine) {
	for _, l := range lines {
		_ = l.conn.SetDeadline(time.Now()) // one that is closed needs none
	}
}

// gather puts together what the streams have measured from a frame on.
func gather(lines []*streamLine, from int, elapsed time.Duration) *streamed {
	s := &streamed{
		words:   hdrhistogram.New(shortest, longest, figuresKept),
		values:  hdrhistogram.New(shortest, longest, figuresKept),
		elapsed: elapsed,
	}
	for _, l := range lines {
		for n := from; n < len(l.took); n++ {
			took := l.took[n]
			if took <= 0 {
				s.lost++
				continue
			}
			s.good++
			micros := max(shortest, int64(took/time.Microsecond))
			switch _, kind := l.delta(n); kind {
			case deltaWord:
				_ = s.words.RecordValue(micros) // a stream does not live long enough for one out of range
			case deltaValue:
				_ = s.values.RecordValue(micros)
			}
		}
	}
	return s
}
