package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	overloadWork = "restore 5 tokens, overload"
	// overloadTimes is how many times as many requests are due as the service answers at
	// best.
	overloadTimes = 5
	// overloadClients send at once: twice as many as the service lets be under way, so
	// that it, and not the generator, decides who waits.
	overloadClients = 2048
	// peakClients find the peak: enough for batches that are full, few enough that what
	// they wait for is work and not one another.
	peakClients = 64
	// stormWarm is for two thousand connections to be made.
	stormWarm = 2 * time.Second
	// recoveryWatched is how long it is watched how the service comes back.
	recoveryWatched = 20 * time.Second
	// recoveryCalm is how many seconds in a row have to be as they were before.
	recoveryCalm = 3
)

// overload is one on its way.
type overload struct {
	*core
	held []holding

	peak   float64 // good answers per second, closed loop
	taken  float64 // cores that the generator took meanwhile
	before float64 // p99 at half of it, in milliseconds

	mu      sync.Mutex // the two loads tell of their seconds, at the turn perhaps at once
	seconds []overSecond
}

// overSecond is what came in one second.
type overSecond struct {
	at            time.Duration // its end, from the begin of the overload
	good, refused float64       // per second
	p99           float64       // of the good ones, in milliseconds
	after         bool          // the overload was over
}

// Overload asks for five times as much as the service can do, for minutes, and then for
// half of what it can. Generator and service share the machine: what the generator takes
// is in the report, and the service has not got it.
func Overload(ctx context.Context, e *Env) error {
	return e.alone(ctx, "overload", func(ctx context.Context, c *core, l lengths) (err error) {
		o := &overload{core: c}
		if o.held, err = c.holdings(ctx, c.service, scopesOfFew, few); err != nil {
			return fmt.Errorf("scenario: what is restored: %w", err)
		}
		if err := c.Site.Analyze(ctx); err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
		if err := o.calm(ctx); err != nil {
			return err
		}
		return o.storm(ctx, l.overload)
	})
}

// calm finds the peak, and how long an answer takes at half of it.
func (o *overload) calm(ctx context.Context) error {
	peak := report.Measurement{Work: restoreWork, Of: system.Counterfoil, Load: loadOf(peakClients) + ", before", Items: few}
	half := report.Measurement{Work: restoreWork, Of: system.Counterfoil, Load: openLoad + ", before", Items: few}
	services := o.service.services()
	err := o.measure(ctx, peak, services, o.with(func(ctx context.Context, plan load.Plan, do load.Do) (load.Result, error) {
		plan.Clients = peakClients
		return load.Closed(ctx, plan, do)
	}))
	if err != nil {
		return err
	}
	found := o.Report.Find(peak.Work, peak.Of, peak.Load)
	o.peak = found.PerSecond.Median()
	o.taken = found.CPU[system.Load].Median() / 1000 * o.peak
	err = o.measure(ctx, half, services, o.with(func(ctx context.Context, plan load.Plan, do load.Do) (load.Result, error) {
		plan.Clients = overloadClients
		return load.Open(ctx, plan, o.half(), do)
	}))
	if err != nil {
		return err
	}
	o.before = o.Report.Find(half.Work, half.Of, half.Load).P99.Median()
	return nil
}

// with gives a load its connections, which are closed when it is over.
func (o *overload) with(run func(context.Context, load.Plan, load.Do) (load.Result, error)) func(context.Context, load.Plan) (load.Result, error) {
	return func(ctx context.Context, plan load.Plan) (load.Result, error) {
		w, err := newWires(o.service, o.service.restorePath(), overloadClients)
		if err != nil {
			return load.Result{}, err
		}
		// A load that is called off does not wait for answers.
		stop := context.AfterFunc(ctx, w.hangUp)
		defer stop()
		defer w.hangUp()
		return run(ctx, plan, o.doing(w))
	}
}

func (o *overload) half() float64 { return math.Max(1, math.Floor(o.peak/2)) }

// doing restores five tokens, or is refused as it must be: with advice when to come again.
func (o *overload) doing(w *wires) load.Do {
	answers := make([]bytes.Buffer, overloadClients)
	return func(ctx context.Context, client int, n int64) error {
		from, answer := &o.held[n%int64(len(o.held))], &answers[client]
		answer.Reset()
		status, header, err := w.call(ctx, client, from.request, answer)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return sameList(answer.Bytes(), "values", from.values)
		case status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable:
			return fmt.Errorf("overload: status %d", status)
		case header.Get("Retry-After") == "":
			return fmt.Errorf("overload: %d without Retry-After", status)
		}
		return load.ErrRefused
	}
}

// storm is the overload and what comes after it.
func (o *overload) storm(ctx context.Context, length time.Duration) error {
	var begin, end system.Sample
	var failed error
	sample := func(into *system.Sample) {
		var err error
		*into, err = o.Site.Sample(ctx, o.service.services()...)
		failed = errors.Join(failed, err)
	}
	// All at once it is over: nobody sends any more what was due before, and those who
	// wait for an answer hang up.
	storming, calm := context.WithCancel(ctx)
	defer calm()
	over, after := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-over:
			after <- o.recover(ctx, length)
		case <-storming.Done():
			after <- nil
		}
	}()
	result, err := o.with(func(ctx context.Context, plan load.Plan, do load.Do) (load.Result, error) {
		return load.Open(ctx, plan, overloadTimes*o.peak, do)
	})(storming, load.Plan{
		Clients: overloadClients, Warm: stormWarm, For: length,
		Begin: func() { sample(&begin) },
		End: func() {
			sample(&end)
			close(over)
			calm()
		},
		Every: func(at time.Duration, since load.Result) { o.note(at, since, false) },
	})
	calm()
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		err = nil // as it was meant to be
	}
	if err := errors.Join(err, <-after, failed, ctx.Err()); err != nil {
		return fmt.Errorf("scenario: overload: %w", err)
	}
	o.conclude(result, begin.Until(end), length)
	return nil
}

// recover is the load of a usual day, from the instant on at which the overload is over.
func (o *overload) recover(ctx context.Context, began time.Duration) error {
	result, err := o.with(func(ctx context.Context, plan load.Plan, do load.Do) (load.Result, error) {
		return load.Open(ctx, plan, o.half(), do)
	})(ctx, load.Plan{
		Clients: overloadClients, For: recoveryWatched,
		Every: func(at time.Duration, since load.Result) { o.note(began+at, since, true) },
	})
	if err == nil && result.Failed > 0 {
		o.Report.Notes = append(o.Report.Notes, fmt.Sprintf("after the overload: %d failed, the first: %v", result.Failed, result.First))
	}
	return err
}

func (o *overload) note(at time.Duration, since load.Result, after bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seconds = append(o.seconds, overSecond{
		at: at, good: since.PerSecond(), refused: float64(since.Refused) / since.Elapsed.Seconds(),
		p99: milliseconds(since.Latency, 99), after: after,
	})
}

// recovered is how long after the overload the first second ended that was as those before
// it, and so were the next: no refusal, and a p99 below twice of what it was.
func recovered(seconds []overSecond, length time.Duration, before float64) (time.Duration, bool) {
	calm := 0
	for i, s := range seconds {
		if !s.after || s.refused > 0 || s.p99 >= 2*before || s.good == 0 {
			calm = 0
			continue
		}
		if calm++; calm == recoveryCalm {
			return seconds[i-recoveryCalm+1].at - length, true
		}
	}
	return 0, false
}
