//go:build unix

package main

import (
	"syscall"
	"time"
)

// processorTime is what this process has used so far: other work on the machine does not slow it.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("eval: no processor time: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
