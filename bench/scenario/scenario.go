// Package scenario has the works that are measured, one file each: what is sent, at
// whom, what its goal is.
package scenario

import (
	"time"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// Env is what a scenario gets.
type Env struct {
	Site   *system.Site
	Report *report.Report
	// Runs of each measurement, and how long each warms up and is measured.
	Runs      int
	Warm, For time.Duration
	// Clients are the numbers of clients at which a work is measured that is measured
	// at several.
	Clients []int
	// Long is true for `make bench-long`.
	Long bool
	// Say tells whoever waits how far it is.
	Say func(format string, args ...any)
}
