// Package load sends requests at a service and measures how its answers come.
//
// Two generators: [Closed], in which each client sends its next request when it has
// the answer to the last, and [Open], in which requests are due at a fixed rate
// whether or not answers come. Open measures each latency from the instant at which
// the request was due, not from when it could be sent, so that a service that stalls
// cannot hide the requests that waited meanwhile (no coordinated omission; Gil Tene).
//
// The generator shares the machine with what it measures, so it has to cost little:
// clients are goroutines that live as long as the load, nothing is allocated for a
// request, and the due time of an open loop is slept to, never spun to. What it does
// cost is in the report as the process "load".
//
// Two sets of requests are looked at. Rates, and what a request costs, need those
// answered between the two ends of the measured part, since processor time and bytes
// are sampled at the same two instants. Latencies need those that were due in it,
// however late their answers came: counting only what was answered in time would leave
// out the slowest.
package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ErrRefused is what a Do returns for a request that the service refused for lack of
// capacity, as it should: 429 or 503 with Retry-After. It is counted by itself.
var ErrRefused = errors.New("load: refused")

// ErrPlan is a plan that cannot be carried out.
var ErrPlan = errors.New("load: bad plan")

// The limits of the generators.
const (
	// longest is the top of the histograms; what took longer counts as this long. It is
	// also when a [Client] gives up on an answer, so nothing takes much longer.
	longest = 60 * time.Second
	// digits keep the error of a percentile under 0.1%.
	digits = 3
	// maxClients is far above what two cores can keep busy, and below what file handles
	// allow.
	maxClients = 16384
	// Drain is how long after the end of the measured part an open loop goes on to send
	// what was due in it: long enough for the backlog of a stall of seconds, short
	// enough that overload does not turn into a second measurement.
	Drain = 5 * time.Second
	// tick is how often [Plan.Every] is called.
	tick = time.Second
)

// Do sends one request, reads its answer to the end and checks it. The client is
// 0 up to the number of clients less one, and no two calls have the same at once; n
// counts all requests from 0, those of the warm-up included. It has to return by itself
// within a reasonable time: the generators wait for it.
type Do func(ctx context.Context, client int, n int64) error

// Plan is how long, and with how many.
type Plan struct {
	// Clients send at once; in [Open] no more than these are under way, and what is
	// due when all of them are waits, with its clock running.
	Clients int
	// Warm is not measured, For is.
	Warm, For time.Duration
	// Requests, if not 0, ends the measured part when so many that were due in it are
	// answered, whatever For says. Without a warm-up exactly so many are sent.
	Requests int64
	// Begin and End are called at the two ends of the measured part, if not nil:
	// whoever samples processes does it there. The load goes on during Begin, and the
	// part begins when it returns.
	Begin, End func()
	// Every, if not nil, is called about once a second in the measured part with what
	// was measured since the call before. What was under way at the end is not in it. One
	// that takes long holds up the next and End, but the load goes on.
	Every func(at time.Duration, since Result)
}

func (p Plan) check() error {
	switch {
	case p.Clients < 1 || p.Clients > maxClients:
		return fmt.Errorf("%w: %d clients, not 1 to %d", ErrPlan, p.Clients, maxClients)
	case p.Warm < 0 || p.For < 0 || p.Requests < 0:
		return fmt.Errorf("%w: warm-up %v, measured %v, %d requests", ErrPlan, p.Warm, p.For, p.Requests)
	case p.For == 0 && p.Requests == 0:
		return fmt.Errorf("%w: neither a time nor a number of requests", ErrPlan)
	}
	return nil
}

// Result is what was measured.
type Result struct {
	// Elapsed is the length of the measured part.
	Elapsed time.Duration
	// Good answers and those that were refused in order, between the two ends of the
	// measured part.
	Good, Refused int64
	// Failed are the failures of requests that were due or answered in it.
	Failed int64
	// Unsent were due in it, but [Drain] after its end all clients were still busy with
	// earlier ones. If there are any, the rate was more than could be sent, and the
	// latencies look better than they were.
	Unsent int64
	// Latency of the good ones and of the refused ones that were due in it, answered then
	// or later, in microseconds, from 1 to 60 s with three digits.
	Latency, RefusedLatency *hdrhistogram.Histogram
	// First is the first failure, for whoever has to find out.
	First error
}

// PerSecond is how many good answers came each second.
func (r Result) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0 // called off before the measured part
	}
	return float64(r.Good) / r.Elapsed.Seconds()
}

// Quantile of the latencies of good answers in milliseconds; q is from 0 to 100.
func (r Result) Quantile(q float64) float64 {
	return float64(r.Latency.ValueAtPercentile(q)) / float64(time.Millisecond/time.Microsecond)
}
