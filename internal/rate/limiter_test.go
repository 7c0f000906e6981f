package rate_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/rate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is set by the test.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time         { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

func limiter(t testing.TB, c rate.Config) *rate.Limiter {
	t.Helper()
	l, err := rate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Three at once, then one in a quarter of a second.
func TestTake(t *testing.T) {
	at := newClock()
	l := limiter(t, rate.Config{PerSecond: 4, Burst: 3, Now: at.read})
	const quarter = 250 * time.Millisecond
	for n, step := range []struct {
		wait time.Duration
		key  string
		take int
		want rate.Result
	}{
		{0, "a", 0, rate.Result{Allowed: true, Limit: 3, Remaining: 3}},
		{0, "a", 1, rate.Result{Allowed: true, Limit: 3, Remaining: 2, ResetAfter: quarter}},
		{0, "a", 2, rate.Result{Allowed: true, Limit: 3, ResetAfter: 3 * quarter}},
		{0, "a", 1, rate.Result{Limit: 3, RetryAfter: quarter, ResetAfter: 3 * quarter}},
		{0, "a", 3, rate.Result{Limit: 3, RetryAfter: 3 * quarter, ResetAfter: 3 * quarter}},
		{0, "b", 1, rate.Result{Allowed: true, Limit: 3, Remaining: 2, ResetAfter: quarter}},
		{0, "a", 0, rate.Result{Allowed: true, Limit: 3, ResetAfter: 3 * quarter}},
		{quarter - 1, "a", 1, rate.Result{Limit: 3, RetryAfter: 1, ResetAfter: 2*quarter + 1}},
		{1, "a", 1, rate.Result{Allowed: true, Limit: 3, ResetAfter: 3 * quarter}},
		{2 * quarter, "a", 3, rate.Result{Limit: 3, Remaining: 2, RetryAfter: quarter, ResetAfter: quarter}},
		{0, "a", -5, rate.Result{Allowed: true, Limit: 3, Remaining: 2, ResetAfter: quarter}},
		{time.Hour, "a", 4, rate.Result{Limit: 3, Remaining: 3}},
		{0, "a", math.MaxInt, rate.Result{Limit: 3, Remaining: 3}},
		{0, "a", 3, rate.Result{Allowed: true, Limit: 3, ResetAfter: 3 * quarter}},
		{-time.Hour, "a", 1, rate.Result{Limit: 3, RetryAfter: quarter, ResetAfter: 3 * quarter}},
		{quarter, "a", 1, rate.Result{Allowed: true, Limit: 3, ResetAfter: 3 * quarter}},
	} {
		at.advance(step.wait)
		if diff := cmp.Diff(step.want, l.Take(step.key, step.take)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", n, diff)
		}
	}
}

func TestNewRefusesWhatIsNoRate(t *testing.T) {
	for name, c := range map[string]rate.Config{
		"nothing": {}, "no rate": {Burst: 1}, "no burst": {PerSecond: 1}, "a burst below nothing": {PerSecond: 1, Burst: -1},
		"a rate below nothing": {PerSecond: -1, Burst: 1}, "no number": {PerSecond: math.NaN(), Burst: 1},
		"without end": {PerSecond: math.Inf(1), Burst: 1}, "too fast": {PerSecond: rate.MaxPerSecond + 1, Burst: 1},
		"once in two days": {PerSecond: 1.0 / 172800, Burst: 1}, "a burst of more than a day": {PerSecond: 1, Burst: 86401},
		"a burst that overflows": {PerSecond: 1e-300, Burst: math.MaxInt}, "keys below nothing": {PerSecond: 1, Burst: 1, MaxKeys: -1},
		"too many keys": {PerSecond: 1, Burst: 1, MaxKeys: rate.MaxMaxKeys + 1},
	} {
		if _, err := rate.New(c); !errors.Is(err, rate.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []rate.Config{
		{PerSecond: 1, Burst: 86400}, {PerSecond: rate.MaxPerSecond, Burst: 1}, {PerSecond: 1.0 / 86400, Burst: 1},
		{PerSecond: 0.5, Burst: 10, MaxKeys: rate.MaxMaxKeys},
	} {
		if l := limiter(t, c); !l.Take("a", 1).Allowed || l.Len() != 1 {
			t.Errorf("%+v: the first request is refused", c)
		}
	}
}

// Callers that come at once share what there is: not one more, not one less.
func TestManyAtOnceTakeNoMoreThanThereIs(t *testing.T) {
	at := newClock()
	l := limiter(t, rate.Config{PerSecond: 1, Burst: 1000, Now: at.read})
	var allowed atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for range 50 {
				if l.Take("a", 1).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if allowed.Load() != 1000 {
		t.Errorf("%d of 1000", allowed.Load())
	}
}

// Keys that are too long do not become one, nor take the place of more.
func TestLongKeys(t *testing.T) {
	at := newClock()
	l := limiter(t, rate.Config{PerSecond: 1, Burst: 1, Now: at.read})
	long := strings.Repeat("k", rate.MaxKeyBytes)
	for _, key := range []string{long, long + "a", long + "b", strings.Repeat("k", 1<<20)} {
		if !l.Take(key, 1).Allowed || l.Take(key, 1).Allowed {
			t.Errorf("a key of %d bytes has not one request of its own", len(key))
		}
	}
	if l.Len() != 4 {
		t.Errorf("%d keys", l.Len())
	}
}

// A flood of made-up keys slows those down who come new, and lets nobody off.
func TestFloodOfKeysForgivesNobody(t *testing.T) {
	at := newClock()
	l := limiter(t, rate.Config{PerSecond: 1, Burst: 10, MaxKeys: 100, Now: at.read})
	if !l.Take("victim", 10).Allowed {
		t.Fatal("a first burst is refused")
	}
	allowed := 0
	for n := range 10_000 {
		if l.Take(fmt.Sprint("made up ", n), 1).Allowed {
			allowed++
		}
	}
	// 99 have a place, and 10 requests are what the others share.
	if allowed != 109 || l.Len() != 100 {
		t.Errorf("%d of the flood allowed, %d keys", allowed, l.Len())
	}
	if l.Take("victim", 1).Allowed {
		t.Error("the flood washed away what was owed")
	}
	// Who shared gets a place once there is one, and not a burst with it.
	at.advance(time.Second)
	if r := l.Take("made up 9999", 1); !r.Allowed || r.Remaining != 0 {
		t.Errorf("after a second: %+v", r)
	}
	at.advance(10 * time.Second)
	if r := l.Take("late", 10); !r.Allowed || l.Len() != 100 {
		t.Errorf("after the flood: %+v, %d keys", r, l.Len())
	}
}

// figure keeps the compiler from leaving out what is measured.
var figure rate.Result

func BenchmarkTake(b *testing.B) {
	keys := make([]string, rate.DefaultMaxKeys)
	for n := range keys {
		keys[n] = fmt.Sprintf("tenant-%d/gateway-%d", n%17, n)
	}
	for _, used := range []int{1, rate.DefaultMaxKeys} {
		b.Run(fmt.Sprintf("keys=%d", used), func(b *testing.B) {
			l := limiter(b, rate.Config{PerSecond: 100, Burst: 200})
			for n := range used {
				l.Take(keys[n], 1)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for n := 0; pb.Next(); n += 7919 {
					l.Take(keys[n%used], 1)
				}
			})
			figure = l.Take(keys[0], 0)
		})
	}
}
