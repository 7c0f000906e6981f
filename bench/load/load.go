// Package load sends requests at a service and measures how its answers come.
//
// Two generators: [Closed], in which each client sends its next request when it has
// the answer to the last, and [Open], in which requests are due at a fixed rate
// whether or not answers come. Open measures each latency from the instant at which
// the request was due, not from when it could be sent, so that a service that stalls
// cannot hide the requests that waited meanwhile (no coordinated omission; Gil Tene).
package load

import (
	"context"
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ErrRefused is what a Do returns for a request that the service refused for lack of
// capacity, as it should: 429 or 503 with Retry-After. It is counted by itself.
var ErrRefused = errors.New("load: refused")

// Do sends one request, reads its answer to the end and checks it. The client is
// 0 up to the number of clients less one, and no two calls have the same at once; n
// counts all requests from 0, those of the warm-up included.
type Do func(ctx context.Context, client int, n int64) error

// Plan is how long, and with how many.
type Plan struct {
	// Clients send at once; in [Open] no more than these are under way, and what is
	// due when all of them are waits, with its clock running.
	Clients int
	// Warm is not measured, For is.
	Warm, For time.Duration
	// Requests, if not 0, ends the measured part after so many, whatever For says.
	Requests int64
	// Begin and End are called at the two ends of the measured part, if not nil:
	// whoever samples processes does it there.
	Begin, End func()
	// Every, if not nil, is called about once a second in the measured part with what
	// was measured since the call before.
	Every func(at time.Duration, since Result)
}

// Result is what was measured.
type Result struct {
	Elapsed time.Duration
	// Good answers, those that failed, and those that were refused in order.
	Good, Failed, Refused int64
	// Latency of the good ones and of the refused ones, in microseconds, from 1 to 60 s
	// with three digits.
	Latency, RefusedLatency *hdrhistogram.Histogram
	// First is the first failure, for whoever has to find out.
	First error
}

// PerSecond is how many good answers came each second.
func (r Result) PerSecond() float64 { return float64(r.Good) / r.Elapsed.Seconds() }
