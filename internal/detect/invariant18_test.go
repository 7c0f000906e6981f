package detect_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// canary stands in the text and must not stand in an error.
const canary = "canary-7c1d@example.com"

// faults are the ways in which a recogniser can break, and the error each must give.
var faults = []struct {
	name  string
	want  error
	fault detect.Fault
}{
	{"panics with the text", detect.ErrFailed, func(text string, _ func(int, int, string, float64)) { panic(text) }},
	{"panics with an error", detect.ErrFailed, func(string, func(int, int, string, float64)) { panic(errors.New("broken")) }},
	{"reads beyond the text", detect.ErrFailed, func(text string, report func(int, int, string, float64)) {
		report(0, int(text[len(text)]), detect.EmailAddress, 1)
	}},
	{"is slow", detect.ErrTimeout, func(string, func(int, int, string, float64)) { time.Sleep(time.Hour) }},
	{"ends beyond the text", detect.ErrFailed, reporting(func(n int) (int, int) { return 0, n + 1 })},
	{"begins before the text", detect.ErrFailed, reporting(func(int) (int, int) { return -1, 2 })},
	{"reports nothing as something", detect.ErrFailed, reporting(func(int) (int, int) { return 3, 3 })},
	{"reports backwards", detect.ErrFailed, reporting(func(int) (int, int) { return 4, 2 })},
	{"cuts a character", detect.ErrFailed, func(text string, report func(int, int, string, float64)) {
		report(0, strings.Index(text, "é")+1, detect.EmailAddress, 0.9)
	}},
	{"reports another's entity", detect.ErrFailed, func(_ string, report func(int, int, string, float64)) {
		report(0, 2, "PERSON", 0.9)
	}},
	{"gives no score", detect.ErrFailed, func(_ string, report func(int, int, string, float64)) {
		report(0, 2, detect.EmailAddress, math.NaN())
	}},
	{"gives a score above one", detect.ErrFailed, func(_ string, report func(int, int, string, float64)) {
		report(0, 2, detect.EmailAddress, detect.ScoreReserved)
	}},
}

func reporting(span func(n int) (int, int)) detect.Fault {
	return func(text string, report func(int, int, string, float64)) {
		start, end := span(len(text))
		report(start, end, detect.EmailAddress, 0.9)
	}
}

// failsClosed says how a way of finding falls short of invariant 18 for a detector that has a fault; nil if it does not.
func failsClosed(find func(context.Context, string) ([]detect.Span, error), want error) error {
	spans, err := find(context.Background(), "né "+canary+", 415-555-0132")
	switch {
	case err == nil:
		return fmt.Errorf("the text went through with %d findings", len(spans))
	case spans != nil:
		return fmt.Errorf("an error and %d findings", len(spans))
	case !errors.Is(err, want):
		return fmt.Errorf("error %w, want %w", err, want)
	case strings.Contains(err.Error(), "canary"):
		return errors.New("the error quotes the text")
	}
	return nil
}

func TestInvariant18_BrokenRecogniserFailsTheCall(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := detect.NewWithFault(detect.Options{}, f.fault)
				if err != nil {
					t.Fatal(err)
				}
				if err := failsClosed(d.Find, f.want); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Without the guard the same check must go red for every fault, or it checks nothing.
func TestInvariant18_TwinWithoutGuardTextGoesThrough(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := detect.NewWithFault(detect.Options{}, f.fault)
				if err != nil {
					t.Fatal(err)
				}
				if failsClosed(d.FindWithoutGuard, f.want) == nil {
					t.Error("the check is green although the guard is out")
				}
			})
		})
	}
}

func TestInvariant18_CallerGone(t *testing.T) {
	d := newDetector(t, detect.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	spans, err := d.Find(ctx, canary)
	if spans != nil || !errors.Is(err, detect.ErrFailed) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", spans, err)
	}
	ctx, cancel = context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	spans, err = d.Find(ctx, "")
	if spans != nil || !errors.Is(err, detect.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", spans, err)
	}
}

// A hole that is not inside the text means that caller and detector speak of different texts.
func TestInvariant18_ImpossibleReservedRange(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, r := range [][2]int{{-1, 2}, {0, 99}, {3, 3}, {4, 2}, {0, 2}} {
		spans, err := d.FindReserved(context.Background(), "né "+canary, [][2]int{r})
		if spans != nil || !errors.Is(err, detect.ErrFailed) {
			t.Errorf("%v: got %v, %v", r, spans, err)
		}
	}
}

func TestInvariant18_TextTooLarge(t *testing.T) {
	d := newDetector(t, detect.Options{MaxText: 10})
	if spans, err := d.Find(context.Background(), "01234567890"); spans != nil || !errors.Is(err, detect.ErrTooLarge) {
		t.Errorf("got %v, %v", spans, err)
	}
	if _, err := d.Find(context.Background(), "0123456789"); err != nil {
		t.Error(err)
	}
}
