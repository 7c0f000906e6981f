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
	parts          []string
	report         string // the name of its report, where one is written
	long           bool
}

// The names of the reports.
const (
	fullReport = "REPORT"
	longReport = "LONG"
)

// modes, shortest first. A short warm-up fills pools and caches that stay full from one
// load to the next. Three seconds hold thousands of requests, which is enough for a p99; a run
// is repeated for the noise of the machine, which is slower than that.
var modes = []mode{
	{name: "quick", runs: 1, warm: time.Second / 2, measured: 2 * time.Second, clients: []int{16}, parts: []string{"core"}, report: "QUICK"},
	{name: "full", runs: 3, warm: time.Second / 2, measured: 3 * time.Second, clients: []int{1, 16, 64},
		parts: []string{"core", "stream", "embedded", "replicas", "start"}, report: fullReport},
	{name: "long", runs: 3, warm: 2 * time.Second, measured: 10 * time.Second, clients: []int{1, 16, 64},
		parts: []string{"growth", "soak", "overload"}, report: longReport, long: true},
}

func modeOf(name string) (mode, error) {
	for _, m := range modes {
		if m.name == name {
			return m, nil
		}
	}
	return mode{}, fmt.Errorf("mode %q is none of quick, full and long", name)
}

// part is a scenario.
type part struct {
	name string
	run  func(context.Context, *scenario.Env) error
}

// parts are in the order in which they run.
var parts = []part{
	{"core", scenario.Core},
	{"stream", scenario.Stream},
	{"embedded", scenario.Embedded},
	{"replicas", scenario.Replicas},
	{"start", scenario.Start},
	{"growth", scenario.Growth},
	{"soak", scenario.Soak},
	{"overload", scenario.Overload},
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
	names := m.parts
	if only != "" {
		names = strings.Split(only, ",")
	}
	for _, name := range names {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("part %q is none of %s", name, strings.Join(partNames(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !slices.Contains(names, p.name) }), nil
}
