package scenario

import (
	"fmt"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// measured are the figures of a work on the service and on the floor. Either is nil where
// this run had none.
func (e *Env) measured(work, load string) (service, floor *report.Measurement) {
	return e.Report.Find(work, system.Counterfoil, load), e.Report.Find(work, system.Floor, load)
}

// judged is the verdict on the median of some figures: one run that the machine disturbed decides
// nothing. What was not measured is not met and not missed either.
func judged(of report.Figure, good func(median float64) bool) string {
	if len(of) == 0 {
		return report.NotMeasured
	}
	return verdict(good(of.Median()))
}

func verdict(met bool) string {
	if met {
		return report.Met
	}
	return report.NotMet
}

// judgeShare demands that the service answers at least this share of what the floor
// answers each second, run by run.
func (e *Env) judgeShare(goal, work, load string, least float64) {
	var share report.Figure
	if service, floor := e.measured(work, load); service != nil && floor != nil {
		share = report.Ratio(service.PerSecond, floor.PerSecond)
	}
	e.Report.Judge(report.Goal{
		Work: goal, Must: fmt.Sprintf("≥ %g of the floor", least), Got: told(share, ""),
		Verdict: judged(share, func(median float64) bool { return median >= least }),
	})
}

// judgeMost demands that a figure is at most this.
func (e *Env) judgeMost(goal string, of report.Figure, most float64, unit string) {
	e.Report.Judge(report.Goal{
		Work: goal, Must: fmt.Sprintf("≤ %g%s", most, unit), Got: told(of, unit),
		Verdict: judged(of, func(median float64) bool { return median <= most }),
	})
}

// judgeTimes demands that a figure is at least so many times another.
func (e *Env) judgeTimes(goal string, times report.Figure, least float64) {
	e.Report.Judge(report.Goal{
		Work: goal, Must: fmt.Sprintf("≥ %g×", least), Got: told(times, "×"),
		Verdict: judged(times, func(median float64) bool { return median >= least }),
	})
}

func told(f report.Figure, unit string) string {
	if len(f) == 0 {
		return "–"
	}
	return f.String() + unit
}

// perItem is how many values or tokens are answered each second.
func perItem(m *report.Measurement) report.Figure {
	if m == nil {
		return nil
	}
	each := make(report.Figure, len(m.PerSecond))
	for i, rate := range m.PerSecond {
		each[i] = rate * float64(max(m.Items, 1))
	}
	return each
}

// less is the difference of two figures, run by run.
func less(a, b report.Figure) report.Figure {
	var d report.Figure
	for i := range min(len(a), len(b)) {
		d = append(d, a[i]-b[i])
	}
	return d
}

// judge holds the core against the goals.
func (c *core) judge() {
	at16, at64 := loadOf(usual), loadOf(64)
	c.judgeShare("tokenize 5 given values, 16 clients", tokenizeWork, at16, 0.60)
	c.judgeShare("tokenize 5 given values, 64 clients", tokenizeWork, at64, 0.60)
	var behind report.Figure
	if service, floor := c.measured(tokenizeWork, loadOf(1)); service != nil && floor != nil {
		behind = less(service.P50, floor.P50)
	}
	c.judgeMost("tokenize 5 given values, 1 client: p50 less the floor's", behind, 1, " ms")
	c.judgeShare("tokenize a chat of 2 KB with detection and names", chatWork, at16, 0.35)
	var finding report.Figure
	if m := c.Report.Find(detectWork, inProcess, loadOf(1)); m != nil {
		finding = m.P50
	}
	c.judgeMost("detection in it", finding, 1.5, " ms")
	c.judgeShare("detokenize 5 tokens, 16 clients", restoreWork, at16, 0.60)
	c.judgeShare("detokenize 5 tokens, 64 clients", restoreWork, at64, 0.60)
	var half report.Measurement
	if m := c.Report.Find(restoreWork, system.Counterfoil, openLoad); m != nil {
		half = *m
	}
	c.judgeMost("detokenize 5 tokens, half load, open loop: p50", half.P50, 3, " ms")
	c.judgeMost("detokenize 5 tokens, half load, open loop: p99", half.P99, 15, " ms")
	c.judgeShare("detokenize 50 tokens, per token", restoreManyWork, at16, 0.60)
	c.judgeShare("refused request, each its own entry", refusedWork, at16, 0.9)
	c.judgeTransit(at16)
}

// judgeTransit compares the service with the key service alone.
func (c *core) judgeTransit(at string) {
	tokenize, _ := c.measured(tokenizeWork, at)
	encrypt := c.Report.Find(encryptWork, system.Transit, at)
	var times, slower report.Figure
	if tokenize != nil && encrypt != nil {
		times = report.Ratio(perItem(tokenize), perItem(encrypt))
		slower = less(tokenize.P95, encrypt.P95)
	}
	c.judgeTimes("values tokenized, 5 a call, against transit's encrypt, one a call", times, 3)
	c.Report.Judge(report.Goal{
		Work: "the same: p95 less transit's", Must: "below 0 ms", Got: told(slower, " ms"),
		Verdict: judged(slower, func(median float64) bool { return median < 0 }),
	})
	restore, _ := c.measured(restoreManyWork, at)
	decrypt := c.Report.Find(decryptWork, system.Transit, at)
	times = nil
	if restore != nil && decrypt != nil {
		times = report.Ratio(perItem(restore), perItem(decrypt))
	}
	c.judgeTimes("tokens detokenized, 50 a call, against transit's decrypt in batches of 50", times, 0.4)
}
