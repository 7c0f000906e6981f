//go:build !unix

package names_test

import "time"

var started = time.Now()

// processorTime is the wall clock where there is nothing better.
func processorTime() time.Duration { return time.Since(started) }
