package main

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/bench/report"
)

func TestCarry(t *testing.T) {
	dir := t.TempDir()
	var none report.Report
	if err := carry(&none, dir); err != nil || len(none.Goals) != len(longGoals) {
		t.Fatalf("%+v, %v", none.Goals, err)
	}
	for _, g := range none.Goals {
		if g.Verdict != report.NotMeasured {
			t.Errorf("%s is %s, and nobody has measured it", g.Work, g.Verdict)
		}
	}
	long := report.Report{
		Commit: "abc1234", Goals: []report.Goal{{Work: "soak", Must: "no drift", Got: "1%", Verdict: report.Met}},
		Curves: []report.Curve{{Name: "soak-rss", Title: "memory", Series: []report.Line{{Name: "rss", X: []float64{0, 1}, Y: []float64{1, 1}}}}},
	}
	if err := long.Write(dir, longReport); err != nil {
		t.Fatal(err)
	}
	full := report.Report{Goals: []report.Goal{{Work: "tokenize"}}}
	if err := carry(&full, dir); err != nil {
		t.Fatal(err)
	}
	if len(full.Goals) != 2 || full.Goals[1].Verdict != report.Met || !strings.Contains(full.Goals[1].Got, "abc1234") {
		t.Errorf("%+v", full.Goals)
	}
	if len(full.Curves) != 1 || !strings.Contains(full.Curves[0].Title, "abc1234") {
		t.Errorf("%+v", full.Curves)
	}
}
