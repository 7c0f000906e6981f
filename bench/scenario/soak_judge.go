package scenario

import (
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/bench/report"
)

const (
	// mostDrift is how much more memory the service may hold after a day.
	mostDrift = 0.05
	// mostSwing is how much more goroutines a tenth of the time may have, as long as the
	// line through all of it does not rise: how many there are at one instant depends on
	// what is under way, and some dozens of samples still show that.
	mostSwing = 0.25
)

// conclude draws the soak and judges it.
func (s *soak) conclude(requests int64, took time.Duration) {
	column := func(of func(soakSample) float64) []float64 {
		values := make([]float64, len(s.samples))
		for i := range s.samples {
			values[i] = of(s.samples[i])
		}
		return values
	}
	minutes := column(func(x soakSample) float64 { return x.at.Minutes() })
	rss := column(func(x soakSample) float64 { return x.rss })
	heap := column(func(x soakSample) float64 { return x.heap })
	goroutines := column(func(x soakSample) float64 { return x.goroutines })
	const x = "minutes"
	title := fmt.Sprintf("Soak of %s requests, %s", grouped(requests), loadOf(soakClients))
	s.Report.Curves = append(s.Report.Curves,
		report.Curve{Name: "soak-memory", Title: title, X: x, Y: "MiB", Series: []report.Line{
			{Name: "resident", X: minutes, Y: rss}, {Name: "heap in use", X: minutes, Y: heap}}},
		report.Curve{Name: "soak-goroutines", Title: title, X: x, Y: "goroutines", Series: []report.Line{
			{Name: "goroutines", X: minutes, Y: goroutines}}},
		report.Curve{Name: "soak-rate", Title: title, X: x, Y: "requests per second", Series: []report.Line{
			{Name: "good answers", X: minutes, Y: column(func(x soakSample) float64 { return x.perSecond })}}})
	if len(minutes) > 0 {
		s.Report.Notes = append(s.Report.Notes, fmt.Sprintf("The soak took %s. One in %d requests is refused, one in %d is a grant and a "+
			"stream; of the others half restore and half tokenize, one in %d of these values that are new and live %s, so that the sweep has work. "+
			"After every %s requests the terms by which entries are searched were thrown away, for want of disk: nothing that is sent here reads them.",
			took.Round(time.Second), refusedEach, streamEach, freshEach, freshTTL, grouped(soakTerms)))
	}
	s.judge("memory", requests, rss, drift{mostDrift, mostDrift})
	s.judge("goroutines", requests, goroutines, drift{mostDrift, mostSwing})
}

func (s *soak) judge(what string, requests int64, samples []float64, most drift) {
	goal := report.Goal{
		Work: fmt.Sprintf("soak of %s requests, %s", grouped(goals.soak), what),
		Must: fmt.Sprintf("drift after warm-up < %g%%", 100*most.fitted), Got: "too few samples", Verdict: report.NotMeasured,
	}
	if d, ok := driftOf(samples); ok {
		goal.Got = fmt.Sprintf("%+.1f%% by the line that fits, highest tenth %+.1f%%; %.0f at the end; %s requests",
			100*d.fitted, 100*d.highest, samples[len(samples)-1], grouped(requests))
		if requests >= goals.soak {
			goal.Verdict = verdict(d.fitted < most.fitted && d.highest < most.highest)
		}
	}
	s.Report.Judge(goal)
}
