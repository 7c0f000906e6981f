package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/counterfoil/counterfoil/bench/report"
)

// The long works take hours, and the table is to be had anew for each change. So each
// has a report of its own, and that of `make bench` takes over the goals and curves of the
// last long one, with the commit that they were measured on.

// longGoals stand in the table where there is no long report to be found.
var longGoals = []report.Goal{
	{Work: "growth: 10^4 to 10^7 mappings, 10^6 to 10^7 entries", Must: "p50 grows by less than 1.5×; ≤ 500 bytes for a mapping"},
	{Work: "soak of 10^7 requests", Must: "RSS drift < 5% after warm-up, no goroutine growth"},
	{Work: "overload 5× for 10 min", Must: "goodput ≥ 90% of peak, refusals p99 ≤ 100 ms with Retry-After, recovery ≤ 5 s"},
}

// carry completes a report with what stands in the long one in the same folder.
func carry(r *report.Report, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, longReport+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		for _, g := range longGoals {
			g.Got, g.Verdict = "– (make bench-long)", report.NotMeasured
			r.Judge(g)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	var long report.Report
	if err := json.Unmarshal(text, &long); err != nil {
		return fmt.Errorf("bench: %s.json: %w", longReport, err)
	}
	from := " (make bench-long, commit " + long.Commit + ")"
	for _, g := range long.Goals {
		g.Got += from
		r.Judge(g)
	}
	for _, c := range long.Curves {
		c.Title += from
		r.Curves = append(r.Curves, c)
	}
	return nil
}
