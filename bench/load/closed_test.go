package load_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func nan() float64 { return math.NaN() }

// in takes so long for each answer.
func in(d time.Duration) load.Do {
	return func(context.Context, int, int64) error { time.Sleep(d); return nil }
}

func TestClosedCountsWhatWasAnsweredInTheMeasuredPart(t *testing.T) {
	for _, clients := range []int{1, 16, 3*load.MaxTallies + 1} {
		t.Run(fmt.Sprint(clients), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plan := load.Plan{Clients: clients, Warm: time.Second, For: 10 * time.Second}
				r, err := load.Closed(t.Context(), plan, in(10*time.Millisecond))
				if err != nil {
					t.Fatal(err)
				}
				want := int64(clients * 1000)
				// One for each client, as an answer at the very instant of an end may be either
				// inside or outside.
				if off := r.Good - want; off < -int64(clients) || off > int64(clients) {
					t.Errorf("%d good, want %d", r.Good, want)
				}
				if r.Elapsed != 10*time.Second || r.Failed != 0 || r.Refused != 0 || r.Unsent != 0 {
					t.Errorf("%+v", r)
				}
				if p := r.Quantile(50); math.Abs(p-10) > 0.01 {
					t.Errorf("p50 is %v ms, want 10", p)
				}
			})
		})
	}
}

func TestClosedNeverGivesOneClientTwoRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 5
		var mu sync.Mutex
		var busy [clients]bool
		seen := map[int64]bool{}
		plan := load.Plan{Clients: clients, Requests: 1000}
		r, err := load.Closed(t.Context(), plan, func(_ context.Context, client int, n int64) error {
			mu.Lock()
			if busy[client] || seen[n] {
				t.Errorf("client %d busy %v, request %d seen %v", client, busy[client], n, seen[n])
			}
			busy[client], seen[n] = true, true
			mu.Unlock()
			time.Sleep(time.Duration(1+n%7) * time.Millisecond)
			mu.Lock()
			busy[client] = false
			mu.Unlock()
			return nil
		})
		if err != nil || r.Good != 1000 || len(seen) != 1000 || !seen[0] || !seen[999] {
			t.Errorf("%d good of %d sent, %v; want exactly 0 to 999", r.Good, len(seen), err)
		}
	})
}

// TestClosedWaitsForTheSlowest: an answer that comes after the end is no throughput, but
// its latency is not left out.
func TestClosedWaitsForTheSlowest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r, err := load.Closed(t.Context(), load.Plan{Clients: 1, For: time.Second}, func(context.Context, int, int64) error {
			if time.Since(began) > 900*time.Millisecond {
				time.Sleep(20 * time.Second)
			}
			time.Sleep(10 * time.Millisecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Good != 91 || r.Elapsed != time.Second {
			t.Errorf("%d good in %v, want the 91 of the first 910 ms", r.Good, r.Elapsed)
		}
		if r.Latency.TotalCount() != 92 || r.Latency.Max() < 20_000_000 {
			t.Errorf("%d latencies up to %d µs, want the slow one too", r.Latency.TotalCount(), r.Latency.Max())
		}
	})
}

func TestClosedKeepsRefusalsAndFailuresApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := errors.New("the first")
		r, err := load.Closed(t.Context(), load.Plan{Clients: 1, Requests: 100}, func(_ context.Context, _ int, n int64) error {
			switch {
			case n%10 == 3:
				time.Sleep(time.Millisecond)
				return fmt.Errorf("busy: %w", load.ErrRefused)
			case n == 17:
				return odd
			case n%10 == 7:
				return errors.New("another")
			}
			time.Sleep(5 * time.Millisecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got := []int64{r.Good, r.Refused, r.Failed, r.Latency.TotalCount(), r.RefusedLatency.TotalCount()}
		if want := []int64{80, 10, 10, 80, 10}; !cmp.Equal(got, want) {
			t.Errorf("good, refused, failed and their latencies %v, want %v", got, want)
		}
		if r.RefusedLatency.Max() > 1001 || r.Latency.Min() < 4990 {
			t.Errorf("refusals up to %d µs, answers from %d µs", r.RefusedLatency.Max(), r.Latency.Min())
		}
		if r.First == nil || r.First.Error() != "another" { // n = 7
			t.Errorf("the first failure is %v", r.First)
		}
	})
}

func TestBeginAndEndAreAtTheEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var begin, end time.Duration
		plan := load.Plan{
			Clients: 2, Warm: 2 * time.Second, For: 3 * time.Second,
			// Sampling takes time, and the part begins after it.
			Begin: func() { time.Sleep(250 * time.Millisecond); begin = time.Since(began) },
			End:   func() { end = time.Since(began); time.Sleep(time.Second) },
		}
		r, err := load.Closed(t.Context(), plan, in(time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if begin != 2250*time.Millisecond || end != 5250*time.Millisecond || r.Elapsed != 3*time.Second {
			t.Errorf("from %v to %v, measured %v", begin, end, r.Elapsed)
		}
		if math.Abs(r.PerSecond()-2000) > 1 {
			t.Errorf("%v a second, want 2000: what came during the sampling was counted", r.PerSecond())
		}
	})
}

func TestBeginTakesNothingFromAPlanWithoutWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := load.Plan{Clients: 1, For: time.Second, Begin: func() { time.Sleep(time.Second) }}
		r, err := load.OpenByTimer(t.Context(), plan, 100, in(time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if r.Latency.TotalCount() != 100 || r.Latency.Max() > 1001 {
			t.Errorf("%d latencies up to %d µs, want 100 of 1 ms", r.Latency.TotalCount(), r.Latency.Max())
		}
	})
}

func TestEveryTellsOfEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type told struct {
			At, Elapsed time.Duration
			Good        int64
			P50         int64
		}
		var got []told
		began := time.Now()
		plan := load.Plan{
			Clients: 1, Warm: time.Second, For: 3600 * time.Millisecond,
			Every: func(at time.Duration, since load.Result) {
				got = append(got, told{at, since.Elapsed, since.Good, since.Latency.ValueAtPercentile(50) / 1000})
			},
		}
		// Faster in each second, and 5 ms off the ends of seconds.
		r, err := load.Closed(t.Context(), plan, func(_ context.Context, _ int, n int64) error {
			if n == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			second := time.Since(began)/time.Second + 1
			time.Sleep(100 * time.Millisecond / second)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []told{
			{time.Second, time.Second, 20, 50},
			{2 * time.Second, time.Second, 30, 33},
			{3 * time.Second, time.Second, 40, 25},
			{3600 * time.Millisecond, 600 * time.Millisecond, 30, 20},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if r.Good != 120 || r.Latency.TotalCount() < 120 {
			t.Errorf("%d good and %d latencies in all: what was told was lost", r.Good, r.Latency.TotalCount())
		}
	})
}

func TestEveryThatTakesLongIsToldOfAllOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rates []float64
		var good int64
		plan := load.Plan{
			Clients: 1, For: 8500 * time.Millisecond,
			Every: func(at time.Duration, since load.Result) {
				rates = append(rates, math.Round(since.PerSecond()))
				good += since.Good
				if at == 2*time.Second {
					time.Sleep(3300 * time.Millisecond)
				}
			},
		}
		r, err := load.Closed(t.Context(), plan, in(10*time.Millisecond+time.Microsecond))
		if err != nil {
			t.Fatal(err)
		}
		// After 1, 2, 5.3, 6, 7, 8 and 8.5 s.
		if len(rates) != 7 || good != r.Good {
			t.Fatalf("told of %v a second, %d in all of %d", rates, good, r.Good)
		}
		for i, rate := range rates {
			if rate < 98 || rate > 102 {
				t.Errorf("at call %d it was %v a second, want 100", i, rate)
			}
		}
	})
}

func TestEveryThatTakesLongDoesNotMoveTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(time.Duration, load.Result) { time.Sleep(5 * time.Second) }
		for _, plan := range []load.Plan{
			{Clients: 1, For: 1500 * time.Millisecond, Every: slow},
			{Clients: 1, Requests: 150, Every: slow},
		} {
			r, err := load.Closed(t.Context(), plan, in(10*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			if r.Elapsed != 1500*time.Millisecond || r.Good < 149 || r.Good > 150 {
				t.Errorf("%d in %v, want 150 in 1.5 s", r.Good, r.Elapsed)
			}
		}
	})
}

func TestCalledOff(t *testing.T) {
	for _, warm := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			ended := false
			plan := load.Plan{Clients: 3, Warm: warm, For: time.Hour, End: func() { ended = true }}
			r, err := load.Closed(ctx, plan, func(ctx context.Context, _ int, _ int64) error {
				select {
				case <-time.After(time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			if !errors.Is(err, context.DeadlineExceeded) || ended {
				t.Errorf("%v, ended %v", err, ended)
			}
			if r.Failed != 0 || r.First != nil {
				t.Errorf("%d failed (%v), though it was called off", r.Failed, r.First)
			}
			if want := int64(3); warm == 0 && (r.Good != want || r.Elapsed != 1500*time.Millisecond) {
				t.Errorf("%d good in %v, want what came until then", r.Good, r.Elapsed)
			}
			if warm > 0 && (r.Good != 0 || r.PerSecond() != 0) {
				t.Errorf("%d good in the warm-up", r.Good)
			}
		})
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	for name, plan := range map[string]load.Plan{
		"no clients": {For: 1}, "no end": {Clients: 1}, "negative": {Clients: 1, For: -1},
		"too many clients": {Clients: 1 << 20, For: 1}, "negative count": {Clients: 1, For: 1, Requests: -1},
	} {
		if _, err := load.Closed(t.Context(), plan, nil); !errors.Is(err, load.ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPercentilesAreThoseOfSortedSamples within the three digits of the histogram.
func TestPercentilesAreThoseOfSortedSamples(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		took := rapid.SliceOfN(rapid.IntRange(1, 50_000_000), 1, 300).Draw(rt, "took, µs")
		clients := rapid.IntRange(1, 4).Draw(rt, "clients")
		var r load.Result
		synctest.Test(t, func(t *testing.T) {
			var err error
			r, err = load.Closed(t.Context(), load.Plan{Clients: clients, Requests: int64(len(took))},
				func(_ context.Context, _ int, n int64) error {
					time.Sleep(time.Duration(took[n]) * time.Microsecond)
					return nil
				})
			if err != nil {
				rt.Fatal(err)
			}
		})
		slices.Sort(took)
		for _, q := range []float64{50, 95, 99, 99.9} {
			rank := max(int(math.Round(q/100*float64(len(took)))), 1) // the nearest, as HDR has it
			want := float64(took[rank-1]) / 1000
			if got := r.Quantile(q); math.Abs(got-want) > want/1000+0.001 {
				rt.Fatalf("p%v is %v ms, want %v", q, got, want)
			}
		}
	})
}

// TestCountingIsCheap: the generator shares its cores with what it measures.
func TestCountingIsCheap(t *testing.T) {
	const requests = 20_000
	var calls atomic.Int64
	perRun := testing.AllocsPerRun(1, func() {
		_, err := load.Closed(t.Context(), load.Plan{Clients: 4, Requests: requests}, func(context.Context, int, int64) error {
			calls.Add(1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if perRun > 200 {
		t.Errorf("%v allocations for %d requests: something is allocated for each", perRun, requests)
	}
}

func BenchmarkClosed(b *testing.B) {
	b.ReportAllocs()
	_, err := load.Closed(b.Context(), load.Plan{Clients: 16, Requests: int64(b.N)}, func(context.Context, int, int64) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	_, err := load.Open(b.Context(), load.Plan{Clients: 16, Requests: int64(b.N)}, 1e6, func(context.Context, int, int64) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
}
