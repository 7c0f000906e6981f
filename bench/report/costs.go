package report

import (
	"maps"
	"slices"
	"strings"
)

// order of the processes in tables; others come after them by name.
var order = []string{"counterfoil", "floor", "postgres", "transit", "load"}

// costs has medians only, for the width; the runs are in the JSON. What was not measured
// of anything has no column, and what has nothing to tell has no row.
func (r *Report) costs(b *strings.Builder) {
	if len(r.Measurements) == 0 {
		return
	}
	b.WriteString("\n## What it costs\n\nMedians. Processor seconds for 1,000 requests, by process:\n\n")
	r.byProcess(b, func(m *Measurement) map[string]Figure { return m.CPU })
	b.WriteString("\nOf each request, by the service and PostgreSQL:\n\n")
	t := newTable(b, "work", "load", "of", ">allocations", ">bytes allocated", ">vault calls", ">fsyncs", ">WAL bytes")
	for _, m := range r.byWork() {
		t.costs(m, m.Allocs, m.AllocBytes, m.VaultCalls, m.Fsyncs, m.WALBytes)
	}
	b.WriteString("\nResident memory at the end, in MiB, by process:\n\n")
	r.byProcess(b, func(m *Measurement) map[string]Figure { return m.RSS })
}

// byProcess has a column for each process that was seen in any measurement.
func (r *Report) byProcess(b *strings.Builder, of func(*Measurement) map[string]Figure) {
	seen := map[string]bool{}
	for i := range r.Measurements {
		for process := range of(&r.Measurements[i]) {
			seen[process] = true
		}
	}
	var processes []string
	for _, process := range slices.Concat(order, slices.Sorted(maps.Keys(seen))) {
		if seen[process] && !slices.Contains(processes, process) {
			processes = append(processes, process)
		}
	}
	names := []string{"work", "load", "of"}
	for _, process := range processes {
		names = append(names, ">"+text(process))
	}
	t := newTable(b, names...)
	for _, m := range r.byWork() {
		figures := make([]Figure, len(processes))
		for i, process := range processes {
			figures[i] = of(m)[process]
		}
		t.costs(m, figures...)
	}
}

// costs is the row of a measurement, if there is anything in it.
func (t table) costs(m *Measurement, figures ...Figure) {
	cells, told := []string{text(m.Work), text(m.Load), text(m.Of)}, false
	for _, f := range figures {
		cells = append(cells, number(f.Median()))
		told = told || finite(f.Median())
	}
	if told {
		t.row(cells...)
	}
}
