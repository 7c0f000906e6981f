package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// trial is one measurement and the load that gives it. Run sets what it needs in
// the plan, the number of clients above all, and leaves the rest as it is.
type trial struct {
	report.Measurement // its names and Items

	services []*system.Service
	run      func(ctx context.Context, plan load.Plan) (load.Result, error)
}

// measure runs a load e.Runs times and appends what it cost to the report.
func (e *Env) measure(ctx context.Context, m report.Measurement, services []*system.Service,
	run func(ctx context.Context, plan load.Plan) (load.Result, error)) error {
	return e.interleave(ctx, &trial{Measurement: m, services: services, run: run})
}

// interleave runs loads that will be compared: all of them once, one after the other,
// then all of them again. Whatever else the machine does meanwhile meets all alike, and
// a ratio of figures of the same run is worth more than one of medians.
func (e *Env) interleave(ctx context.Context, trials ...*trial) error {
	for run := range e.Runs {
		for _, t := range trials {
			if err := e.once(ctx, t); err != nil {
				return fmt.Errorf("scenario: %s of %s, %s, run %d: %w", t.Work, t.Of, t.Load, run+1, err)
			}
		}
	}
	for _, t := range trials {
		e.Report.Measurements = append(e.Report.Measurements, t.Measurement)
	}
	return nil
}

// once runs a load and appends a figure to each of its measurement.
func (e *Env) once(ctx context.Context, t *trial) error {
	var begin, end system.Sample
	var beginErr, endErr error
	result, err := t.run(ctx, load.Plan{
		Warm: e.Warm, For: e.For,
		Begin: func() { begin, beginErr = e.Site.Sample(ctx, t.services...) },
		End:   func() { end, endErr = e.Site.Sample(ctx, t.services...) },
	})
	if err := errors.Join(err, beginErr, endErr, ctx.Err()); err != nil {
		return err
	}
	e.Say("%s | %s | %s: %.0f/s, p50 %.2f ms, p99 %.2f ms, %d failed", t.Work, t.Of, t.Load,
		result.PerSecond(), milliseconds(result.Latency, 50), milliseconds(result.Latency, 99), result.Failed)
	if result.First != nil {
		e.Report.Notes = append(e.Report.Notes,
			fmt.Sprintf("%s of %s, %s: %d failed, the first: %v", t.Work, t.Of, t.Load, result.Failed, result.First))
	}
	if result.Unsent > 0 {
		e.Report.Notes = append(e.Report.Notes,
			fmt.Sprintf("%s of %s, %s: %d requests were due and could not be sent; latencies look better than they were", t.Work, t.Of, t.Load, result.Unsent))
	}
	answered := result.Good + result.Failed + result.Refused
	if answered == 0 {
		return errors.New("there was no answer at all")
	}
	add(&t.Measurement, result, begin.Until(end), float64(answered))
	return nil
}

// add appends what one run gave. Costs are shared among all answers: what failed and
// what was refused has cost something as well.
func add(m *report.Measurement, r load.Result, used system.Usage, answered float64) {
	m.PerSecond = append(m.PerSecond, r.PerSecond())
	m.P50 = append(m.P50, milliseconds(r.Latency, 50))
	m.P95 = append(m.P95, milliseconds(r.Latency, 95))
	m.P99 = append(m.P99, milliseconds(r.Latency, 99))
	m.P999 = append(m.P999, milliseconds(r.Latency, 99.9))
	m.Failed += r.Failed
	m.Refused += r.Refused
	if m.CPU == nil {
		m.CPU, m.RSS = make(map[string]report.Figure), make(map[string]report.Figure)
	}
	for process, busy := range used.CPU {
		m.CPU[process] = append(m.CPU[process], busy.Seconds()/answered*1000)
	}
	for process, bytes := range used.RSS {
		m.RSS[process] = append(m.RSS[process], float64(bytes)/(1<<20))
	}
	if used.Allocs > 0 {
		m.Allocs = append(m.Allocs, float64(used.Allocs)/answered)
		m.AllocBytes = append(m.AllocBytes, float64(used.AllocBytes)/answered)
	}
	m.VaultCalls = append(m.VaultCalls, float64(used.VaultCalls)/answered)
	m.Fsyncs = append(m.Fsyncs, float64(used.Fsyncs)/answered)
	m.WALBytes = append(m.WALBytes, float64(used.WALBytes)/answered)
}

// milliseconds is a percentile of latencies, which are kept in microseconds.
func milliseconds(h *hdrhistogram.Histogram, percentile float64) float64 {
	return float64(h.ValueAtPercentile(percentile)) / float64(time.Millisecond/time.Microsecond)
}
