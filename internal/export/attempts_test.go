package export_test

import (
	"errors"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/export"
)

func TestAttemptsWaitLonger(t *testing.T) {
	a, now := export.NewAttempts(), start
	if !a.Due(now) || a.Failed() != 0 {
		t.Error("not due at the beginning")
	}
	tries := 0
	for end := now.Add(10 * time.Minute); now.Before(end); now = now.Add(100 * time.Millisecond) {
		if a.Due(now) {
			a.Done(now, errors.New("down"))
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
	a.Done(now, errors.New("down"))
	if !a.Due(now.Add(1500 * time.Millisecond)) {
		t.Error("the waits did not begin anew")
	}
}
