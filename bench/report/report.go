// Package report holds what was measured, and writes it: Markdown for people, JSON
// for programs, PNG for curves.
//
// The Markdown rounds to three digits, which is more than a measurement on a shared
// machine is good for, and has the median of the runs with the least and the greatest;
// the JSON has every run in full. How to read it stands at its end, from reading.md: what
// is read by strangers has to explain itself.
//
// A measurement takes a quarter of an hour or a night, so nothing that was measured makes
// the report fail: what is not a number is a dash in a table and null in JSON, a point
// that cannot be drawn is left out, and the text is written before the pictures.
package report

import (
	"strings"
	"time"
)

// Measurement is one load put on one service.
type Measurement struct {
	// Work, Of and Load name it: "restore 5 tokens", "floor", "16 clients".
	Work string `json:"work"`
	Of   string `json:"of"`
	Load string `json:"load"`
	// PerSecond is good answers each second; Items how many values or tokens each is
	// about.
	PerSecond Figure `json:"per_second"`
	Items     int    `json:"items,omitempty"`
	// Latencies in milliseconds.
	P50  Figure `json:"p50_ms"`
	P95  Figure `json:"p95_ms"`
	P99  Figure `json:"p99_ms"`
	P999 Figure `json:"p999_ms"`
	// CPU seconds for 1,000 requests, by process: counterfoil, floor, postgres, transit, load.
	CPU map[string]Figure `json:"cpu_s_per_1000,omitempty"`
	// RSS is the resident memory at the end, in MiB, by process.
	RSS map[string]Figure `json:"rss_mib,omitempty"`
	// Of each request; nil where it was not measured.
	Allocs     Figure `json:"allocs,omitempty"`
	AllocBytes Figure `json:"alloc_bytes,omitempty"`
	VaultCalls Figure `json:"vault_calls,omitempty"`
	Fsyncs     Figure `json:"fsyncs,omitempty"`
	WALBytes   Figure `json:"wal_bytes,omitempty"`
	// Failed and Refused are counts over all runs.
	Failed  int64 `json:"failed"`
	Refused int64 `json:"refused"`
}

// The outcomes of a goal.
const (
	Met         = "met"
	NotMet      = "not met"
	NotMeasured = "not measured"
)

// Goal is a line of the table of what must be reached.
type Goal struct {
	Work    string `json:"work"`
	Must    string `json:"must"`
	Got     string `json:"got"`     // with median and min–max
	Verdict string `json:"verdict"` // Met, NotMet or NotMeasured
}

// Curve is a plot: one file, some lines.
type Curve struct {
	Name   string `json:"name"` // of the file, without .png
	Title  string `json:"title"`
	X      string `json:"x"` // names of the axes, with units
	Y      string `json:"y"`
	LogX   bool   `json:"log_x,omitempty"`
	Series []Line `json:"series"`
}

// Line is one line of a curve.
type Line struct {
	Name string `json:"name"`
	X    Points `json:"x"`
	Y    Points `json:"y"`
}

// Points are the values of a line along one axis.
type Points []float64

// Report is all of it.
type Report struct {
	Mode     string            `json:"mode"`
	Commit   string            `json:"commit"`
	Began    time.Time         `json:"began"`
	Took     time.Duration     `json:"took_ns"`
	Runs     int               `json:"runs"`
	Machine  map[string]string `json:"machine"`  // cpu, cores, memory, kernel, disk
	Versions map[string]string `json:"versions"` // go, postgresql, vault, counterfoil

	Measurements []Measurement `json:"measurements"`
	Goals        []Goal        `json:"goals"`
	Curves       []Curve       `json:"curves,omitempty"`
	Notes        []string      `json:"notes,omitempty"`
}

// Find gives a measurement by its names, or nil.
func (r *Report) Find(work, of, load string) *Measurement {
	for i := range r.Measurements {
		if m := &r.Measurements[i]; m.Work == work && m.Of == of && m.Load == load {
			return m
		}
	}
	return nil
}

// Judge adds a goal. One without a verdict was not measured.
func (r *Report) Judge(g Goal) {
	if g.Verdict == "" {
		g.Verdict = NotMeasured
	}
	r.Goals = append(r.Goals, g)
}

// floor gives the floor of the same work under the same load, or nil; a floor has none.
func (r *Report) floor(m *Measurement) *Measurement {
	if m.isFloor() {
		return nil
	}
	for i := range r.Measurements {
		if f := &r.Measurements[i]; f.isFloor() && f.Work == m.Work && f.Load == m.Load {
			return f
		}
	}
	return nil
}

// isFloor: there is one floor for each store, "floor" and what they call the others.
func (m *Measurement) isFloor() bool { return strings.HasPrefix(m.Of, "floor") }
