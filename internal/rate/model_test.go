package rate_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/rate"
)

// model is the rate as one would explain it: every key has a bucket for ever,
// which time fills and requests empty. It shares no idea with the limiter.
type model struct {
	interval, size time.Duration
	credit         map[string]time.Duration
}

func newModel(perSecond, burst int) *model {
	interval := time.Second / time.Duration(perSecond)
	return &model{interval: interval, size: interval * time.Duration(burst), credit: map[string]time.Duration{}}
}

func (m *model) pass(d time.Duration) {
	for key := range m.credit {
		m.credit[key] = min(m.credit[key]+max(d, 0), m.size)
	}
}

func (m *model) take(key string, n int) bool {
	if _, known := m.credit[key]; !known {
		m.credit[key] = m.size
	}
	if cost := time.Duration(n) * m.interval; cost <= m.credit[key] {
		m.credit[key] -= cost
		return true
	}
	return false
}

// moves draws a history and returns the first step at which judge objects.
func moves(t *rapid.T, keys int, at *clock, m *model, step func(key string, n int) error) error {
	for range rapid.IntRange(1, 200).Draw(t, "steps") {
		wait := time.Duration(rapid.Int64Range(-int64(m.size), 2*int64(m.size)).Draw(t, "wait"))
		if rapid.Bool().Draw(t, "at once") {
			wait = 0
		}
		at.advance(wait)
		m.pass(wait)
		key := fmt.Sprint("key-", rapid.IntRange(1, keys).Draw(t, "key"))
		if err := step(key, rapid.IntRange(1, 6).Draw(t, "n")); err != nil {
			return err
		}
	}
	return nil
}

// Where there is room for every key, limiter and model say the same.
func TestLimiterIsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, burst := newClock(), rapid.IntRange(1, 5).Draw(t, "burst")
		perSecond := rapid.SampledFrom([]int{1, 4, 1000}).Draw(t, "per second")
		l, m := limiter(t0, rate.Config{PerSecond: float64(perSecond), Burst: burst, MaxKeys: 3, Now: at.read}), newModel(perSecond, burst)
		l.Take("key-1", 0) // the clock of both begins here
		err := moves(t, 3, at, m, func(key string, n int) error {
			got, want := l.Take(key, n), m.take(key, n)
			owed := m.size - m.credit[key]
			switch {
			case got.Allowed != want:
				return fmt.Errorf("%s takes %d: %v, want %v", key, n, got.Allowed, want)
			case got.ResetAfter != owed || got.Remaining != int(m.credit[key]/m.interval):
				return fmt.Errorf("%s owes %s, and is told %+v", key, owed, got)
			case got.RetryAfter < 0 || (got.RetryAfter == 0) != (want || n > burst && owed == 0):
				return fmt.Errorf("%s is to wait for %s", key, got.RetryAfter)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// t0 fails a property by a panic, which rapid reports with its history.
var t0 testing.TB = panicking{}

type panicking struct{ testing.TB }

func (panicking) Helper()           {}
func (panicking) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// forgiven draws a history of more keys than there is room for, and returns the
// step at which somebody takes more than the model has for them. spoil is what
// a worse limiter does before each step.
func forgiven(t *rapid.T, spoil func(*rate.Limiter)) error {
	at := newClock()
	const perSecond, burst, room = 4, 3, 2
	l, m := limiter(t0, rate.Config{PerSecond: perSecond, Burst: burst, MaxKeys: room, Now: at.read}), newModel(perSecond, burst)
	l.Take("key-1", 0)
	return moves(t, 6, at, m, func(key string, n int) error {
		spoil(l)
		if l.Take(key, n).Allowed && !m.take(key, n) {
			return fmt.Errorf("%s takes %d and does not have it", key, n)
		}
		if l.Len() > room {
			return fmt.Errorf("%d keys", l.Len())
		}
		return nil
	})
}

// With too many keys some wait for others, but nobody takes more than is theirs.
func TestFullLimiterNeverForgives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := forgiven(t, func(*rate.Limiter) {}); err != nil {
			t.Fatal(err)
		}
	})
}

// What a cache does when it is full, and what a clock that is not watched does,
// are both found by the check.
func TestFullLimiterNeverForgivesTwin(t *testing.T) {
	for name, spoil := range map[string]func(*rate.Limiter){
		"a key is dropped that still owes": (*rate.Limiter).GiveUp, "the clock is not watched": (*rate.Limiter).ReadAgain,
	} {
		found := false
		rapid.Check(t, func(t *rapid.T) { found = found || forgiven(t, spoil) != nil })
		if !found {
			t.Errorf("%s, and the check does not see it", name)
		}
	}
}

// FuzzClock reads each byte pair as a jump of the clock and a request. Whatever
// the clock does, no key takes more than a burst and what forward jumps refill.
func FuzzClock(f *testing.F) {
	seeds := [][]byte{
		{0, 1, 0, 1, 0, 1, 0, 1}, {255, 1, 1, 1, 255, 1, 1, 1}, {127, 3, 128, 3, 127, 3, 128, 3},
		{10, 1, 20, 2, 30, 3, 200, 4, 210, 5}, {128, 9, 0, 9, 64, 9},
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, history []byte) {
		const burst, interval = 5, 250 * time.Millisecond
		at := newClock()
		l := limiter(t, rate.Config{PerSecond: 4, Burst: burst, MaxKeys: 1, Now: at.read})
		l.Take("a", 0)
		var forward, taken time.Duration
		for n := 0; n+1 < len(history); n += 2 {
			// From milliseconds to the years of a broken clock, both ways.
			jump := time.Duration(int8(history[n])) * time.Millisecond << (history[n+1] >> 3)
			at.advance(jump)
			forward += min(max(jump, 0), burst*interval)
			r := l.Take("a", int(history[n+1]&7))
			if r.Allowed {
				taken += time.Duration(history[n+1]&7) * interval
			}
			if taken > burst*interval+forward {
				t.Fatalf("step %d: took %s in %s", n/2, taken, forward)
			}
			if r.RetryAfter < 0 || r.RetryAfter > burst*interval || r.ResetAfter < 0 || r.ResetAfter > burst*interval ||
				r.Remaining < 0 || r.Remaining > burst {
				t.Fatalf("step %d: %+v", n/2, r)
			}
		}
	})
}
