//go:build unix

package sqlite_test

import (
	"syscall"
	"testing"
	"time"
)

// processorTime is what this process has used of all processors: the engine is
// part of it, and a machine that is busy with something else does not count.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
