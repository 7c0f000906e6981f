package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/bench/scenario"
)

// mode is how much is measured, and for how long.
type mode struct {
	name           string
	runs           int
	warm, measured time.Duration // of each load
	clients        []int         // of works that are measured at several
	rank           int           // it has the parts of this rank and below
	long           bool
}

// modes, shortest first. A second of warm-up fills pools and caches that stay full from one
// load to the next. Three seconds hold thousands of requests, which is enough for a p99; a run
// is repeated for the noise of the machine, which is slower than that.
var modes = []mode{
	{name: "quick", runs: 1, warm: time.Second, measured: 2 * time.Second, clients: []int{16}, rank: 0},
	{name: "full", runs: 3, warm: time.Second, measured: 3 * time.Second, clients: []int{1, 16, 64}, rank: 1},
	{name: "long", runs: 3, warm: 2 * time.Second, measured: 10 * time.Second, clients: []int{1, 16, 64}, rank: 2, long: true},
}

func modeOf(name string) (mode, error) {
	for _, m := range modes {
		if m.name == name {
			return m, nil
		}
	}
	return mode{}, fmt.Errorf("mode %q is none of quick, full and long", name)
}

// part is a scenario, and the rank of the first mode that has it.
type part struct {
	name string
	rank int
	run  func(context.Context, *scenario.Env) error
}

// parts are in the order in which they run.
var parts = []part{
	{"core", 0, scenario.Core},
}

func partNames() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// partsOf are those of a mode, or those that are named, whatever the mode.
func partsOf(m mode, only string) ([]part, error) {
	if only == "" {
		return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.rank > m.rank }), nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(partNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("part %q is none of %s", name, strings.Join(partNames(), ", "))
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}
