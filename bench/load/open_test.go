package load_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
)

// stalling answers in 1 ms, but nobody between the third and the fourth second.
func stalling() load.Do {
	began := time.Now()
	return func(context.Context, int, int64) error {
		if at := time.Since(began); at >= 3*time.Second && at < 4*time.Second {
			time.Sleep(4*time.Second - at)
		}
		time.Sleep(time.Millisecond)
		return nil
	}
}

type generator func(context.Context, load.Plan, float64, load.Do) (load.Result, error)

// measureStall sends 1,000 a second for 10 s at a service that stalls for one of them.
func measureStall(t *testing.T, of generator) (result load.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		result, err = of(t.Context(), load.Plan{Clients: 8, For: 10 * time.Second}, 1000, stalling())
		if err != nil {
			t.Fatal(err)
		}
	})
	return result
}

func TestOpenShowsAStallToAllWhoCameDuringIt(t *testing.T) {
	r := measureStall(t, load.OpenByTimer)
	if got := r.Latency.TotalCount(); got != 10_000 {
		t.Errorf("latencies of %d requests, want all 10,000", got)
	}
	// A tenth came during the stall and waited up to a second; the backlog of those is
	// worked off by 8 clients at 8 a millisecond, so about 1,140 were late in all.
	if p := r.Quantile(99.9); p < 980 || p > 1005 {
		t.Errorf("p99.9 is %v ms, want nearly the whole second", p)
	}
	if p := r.Quantile(95); p < 400 || p > 600 {
		t.Errorf("p95 is %v ms, want about half the stall", p)
	}
	if p := r.Quantile(50); p > 1.01 {
		t.Errorf("p50 is %v ms, want the 1 ms of those before and after", p)
	}
}

func TestOpenTwinFromSendHidesTheStall(t *testing.T) {
	r := measureStall(t, load.OpenFromSend)
	// Only the 8 that were under way see it: fewer than one in a thousand.
	if p := r.Quantile(99.9); p > 1.01 {
		t.Errorf("p99.9 is %v ms: the twin was to hide the stall", p)
	}
}

func TestOpenArrivesAtFixedIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var sent []time.Duration
		plan := load.Plan{Clients: 1, For: 70 * time.Millisecond}
		r, err := load.OpenByTimer(t.Context(), plan, 300, func(_ context.Context, _ int, n int64) error {
			if int(n) != len(sent) {
				t.Errorf("request %d came as number %d", n, len(sent))
			}
			sent = append(sent, time.Since(began))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(sent) != 21 || r.Good != 21 {
			t.Fatalf("%d sent and %d good in 70 ms at 300 a second, want 21", len(sent), r.Good)
		}
		for n, at := range sent {
			if want := time.Duration(n) * time.Second / 300; (at - want).Abs() > time.Nanosecond {
				t.Errorf("request %d at %v, want %v", n, at, want)
			}
		}
	})
}

func TestOpenCountsWhatItCouldNotSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One client that answers one a second, ten due each second for 10 s: 10 answers in
		// time, 5 more while the backlog drains.
		began := time.Now()
		plan := load.Plan{Clients: 1, For: 10 * time.Second}
		r, err := load.OpenByTimer(t.Context(), plan, 10, func(context.Context, int, int64) error {
			time.Sleep(time.Second - time.Nanosecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Good != 10 || r.PerSecond() != 1 {
			t.Errorf("%d good, %v a second: what was answered after the end was counted", r.Good, r.PerSecond())
		}
		if sent := r.Latency.TotalCount(); sent < 15 || sent > 16 || sent+r.Unsent != 100 {
			t.Errorf("%d measured and %d unsent of the 100 that were due", sent, r.Unsent)
		}
		if took := time.Since(began); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("it took %v, want the 10 s and the %v after it", took, load.Drain)
		}
	})
}

func TestOpenWarmUpIsNotMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		plan := load.Plan{Clients: 64, Warm: 2 * time.Second, For: 3 * time.Second}
		r, err := load.OpenByTimer(t.Context(), plan, 100, func(context.Context, int, int64) error {
			if time.Since(began) < 2*time.Second {
				time.Sleep(305 * time.Millisecond) // not a whole number of arrivals
				return errors.New("not yet")
			}
			time.Sleep(time.Millisecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Latency.TotalCount() != 300 || r.Latency.Max() > 1001 {
			t.Errorf("%d latencies up to %d µs, want 300 of 1 ms", r.Latency.TotalCount(), r.Latency.Max())
		}
		// Those sent in the last 305 ms of the warm-up fail in the measured part.
		if r.Failed != 30 || r.First == nil {
			t.Errorf("%d failed (%v), want the 30 whose answer came in the measured part", r.Failed, r.First)
		}
	})
}

func TestOpenEndsAfterSoManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		plan := load.Plan{Clients: 4, Requests: 50}
		r, err := load.OpenByTimer(t.Context(), plan, 10, func(context.Context, int, int64) error {
			sent.Add(1)
			time.Sleep(time.Millisecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if sent.Load() != 50 || r.Good != 50 || r.Latency.TotalCount() != 50 {
			t.Errorf("%d sent, %d good, %d latencies, want 50", sent.Load(), r.Good, r.Latency.TotalCount())
		}
		if want := 4901 * time.Millisecond; r.Elapsed != want {
			t.Errorf("it took %v, want %v up to the last answer", r.Elapsed, want)
		}
	})
}

// TestOpenWakesInTime runs on the real clock: the timer of the kernel keeps the rate,
// and half of the requests are sent sooner than the runtime's timers would wake.
func TestOpenWakesInTime(t *testing.T) {
	plan := load.Plan{Clients: 2, For: 300 * time.Millisecond}
	r, err := load.Open(t.Context(), plan, 500, func(context.Context, int, int64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if r.Latency.TotalCount() != 150 || r.Failed != 0 || r.Unsent != 0 {
		t.Errorf("%d latencies, %d failed, %d unsent, want 150 requests", r.Latency.TotalCount(), r.Failed, r.Unsent)
	}
	t.Logf("sent %.3f ms after it was due at the median, %.3f at p99", r.Quantile(50), r.Quantile(99))
}

func TestOpenIsCalledOffWhileItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	_, err := load.Open(ctx, load.Plan{Clients: 1, For: time.Hour}, 0.001, func(context.Context, int, int64) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || time.Since(began) > time.Minute {
		t.Errorf("%v after %v, want to be called off at once", err, time.Since(began))
	}
}

func TestOpenRefusesRatesItCannotKeep(t *testing.T) {
	for _, rate := range []float64{0, -1, 2e6, nan()} {
		_, err := load.Open(t.Context(), load.Plan{Clients: 1, For: time.Second}, rate, nil)
		if !errors.Is(err, load.ErrPlan) {
			t.Errorf("rate %v: %v", rate, err)
		}
	}
}
