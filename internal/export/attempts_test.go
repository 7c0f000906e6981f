package export_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/export"
)

var errDown = fmt.Errorf("%w: down", export.ErrSink)

// What is wrong with one log holds back no other.
func TestAttemptsAreOfTheSink(t *testing.T) {
	a := export.NewAttempts()
	for _, err := range []error{export.ErrLog, export.ErrPruned, export.ErrDiffers, export.ErrCursor, errors.New("the database"), nil} {
		if a.Done(start, err); !a.Due(start) || a.Failed() != 0 {
			t.Errorf("after %v: not due", err)
		}
	}
	a.Done(start, errDown)
	for _, err := range []error{export.ErrLog, errors.New("the database")} {
		if a.Done(start, err); a.Due(start) || a.Failed() != 1 {
			t.Errorf("after %v the sink counts as back", err)
		}
	}
}

func TestAttemptsWaitLonger(t *testing.T) {
	a, now := export.NewAttempts(), start
	if !a.Due(now) || a.Failed() != 0 {
		t.Error("not due at the beginning")
	}
	tries := 0
	for end := now.Add(10 * time.Minute); now.Before(end); now = now.Add(100 * time.Millisecond) {
		if a.Due(now) {
			a.Done(now, errDown)
			if tries++; a.Due(now) {
				t.Fatal("due at once after a failure")
			}
		}
	}
	if tries < 10 || tries > 40 || a.Failed() != tries {
		t.Errorf("%d tries in ten minutes, %d failed", tries, a.Failed())
	}
	if now = now.Add(90 * time.Second); !a.Due(now) {
		t.Error("not due a minute and a half after the last")
	}
	a.Done(now, nil)
	if !a.Due(now) || a.Failed() != 0 {
		t.Error("not due after one that went well")
	}
	// The first wait after that is short again.
	a.Done(now, errDown)
	if !a.Due(now.Add(1500 * time.Millisecond)) {
		t.Error("the waits did not begin anew")
	}
}
