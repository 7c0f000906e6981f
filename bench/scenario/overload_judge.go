package scenario

import (
	"fmt"
	"runtime"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// What an overload may do to a service.
const (
	leastGoodput    = 0.9 // of the peak
	mostRefusal     = 100 * time.Millisecond
	longestRecovery = 5 * time.Second
)

func (o *overload) conclude(r load.Result, used system.Usage, length time.Duration) {
	answered := float64(r.Good + r.Refused + r.Failed)
	m := report.Measurement{Work: overloadWork, Of: system.Counterfoil, Items: few,
		Load: fmt.Sprintf("open loop, %d× the peak, %s", overloadTimes, length)}
	add(&m, r, used, max(answered, 1))
	o.Report.Measurements = append(o.Report.Measurements, m)
	if r.First != nil {
		o.Report.Notes = append(o.Report.Notes, fmt.Sprintf("overload: %d failed, the first: %v", r.Failed, r.First))
	}
	o.draw(length)

	kept := r.PerSecond() / o.peak
	taken, cores := used.CPU[system.Load].Seconds()/used.Elapsed.Seconds(), float64(runtime.NumCPU())
	// What is left of the machine is what the service could have had.
	left := kept * (cores - o.taken) / (cores - taken)
	o.judge("goodput", fmt.Sprintf("≥ %.2f of the peak", leastGoodput), length, kept >= leastGoodput,
		fmt.Sprintf("%.2f (%.0f of %.0f per second); %.2f of the peak for each core that the generator left: of %.0f it took %.2f, and %.2f at the peak",
			kept, r.PerSecond(), o.peak, left, cores, taken, o.taken))
	refusal := milliseconds(r.RefusedLatency, 99)
	o.judge("refusals", fmt.Sprintf("p99 ≤ %d ms, all with Retry-After", mostRefusal.Milliseconds()), length,
		r.Failed == 0 && r.Refused > 0 && refusal <= float64(mostRefusal.Milliseconds()),
		fmt.Sprintf("p99 %.1f ms, p50 %.1f ms, %s refused, %s failed", refusal, milliseconds(r.RefusedLatency, 50), grouped(r.Refused), grouped(r.Failed)))
	took, calm := recovered(o.seconds, length, o.before)
	got := fmt.Sprintf("not within %s", recoveryWatched)
	if calm {
		got = fmt.Sprintf("%.1f s until a second whose p99 is below twice the %.1f ms of before", took.Seconds(), o.before)
	}
	o.judge("recovery", fmt.Sprintf("≤ %.0f s", longestRecovery.Seconds()), length, calm && took <= longestRecovery, got)
	o.Report.Notes = append(o.Report.Notes, fmt.Sprintf("In the overload %.0f requests per second were due and %.0f were answered, on %d connections; "+
		"the clock of a request runs from when it was due. Requests that no connection was free for at the end: %s.",
		overloadTimes*o.peak, answered/used.Elapsed.Seconds(), overloadClients, grouped(r.Unsent)))
}

// judge says what was measured; a trial that is shorter than the goal does not meet it.
func (o *overload) judge(what, must string, length time.Duration, met bool, got string) {
	goal := report.Goal{
		Work: fmt.Sprintf("overload %d× for %.0f min, %s", overloadTimes, goals.overload.Minutes(), what),
		Must: must, Got: got, Verdict: verdict(met),
	}
	if length < goals.overload {
		goal.Verdict, goal.Got = report.NotMeasured, fmt.Sprintf("%s (in %s)", got, length)
	}
	o.Report.Judge(goal)
}

func (o *overload) draw(length time.Duration) {
	good, refused := report.Line{Name: "good answers"}, report.Line{Name: "refused"}
	peak := report.Line{Name: "peak, closed loop"}
	for _, s := range o.seconds {
		at := s.at.Seconds()
		good.X, good.Y = append(good.X, at), append(good.Y, s.good)
		refused.X, refused.Y = append(refused.X, at), append(refused.Y, s.refused)
		peak.X, peak.Y = append(peak.X, at), append(peak.Y, o.peak)
	}
	o.Report.Curves = append(o.Report.Curves, report.Curve{
		Name: "overload", Title: fmt.Sprintf("%d× the peak for %s, then half of it", overloadTimes, length),
		X: "seconds", Y: "per second", Series: []report.Line{good, refused, peak},
	})
}
