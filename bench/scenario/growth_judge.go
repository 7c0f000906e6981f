package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/bench/fill"
	"github.com/counterfoil/counterfoil/bench/report"
)

const (
	// mostMapping is what a mapping may take, with all its indexes.
	mostMapping = 500
	// largest is the size that the goals of growth end at.
	largest = 10_000_000
	// weighedAt is the largest size at which rows entered the indexes as those of a
	// service do, one by one: what they take there is what they take in reality.
	weighedAt = 1_000_000
)

// weigh says once what a mapping takes, at the size that is best for it, and what an
// entry takes while all of them are of the service itself.
func (g *growth) weigh(ctx context.Context, f *fill.Fill, size int64) error {
	best := min(weighedAt, g.sizes[len(g.sizes)-1])
	if g.name != "mappings" || size != best {
		return nil
	}
	sizes, err := f.Sizes(ctx, "mappings", "mapping_destinations", "data_keys", "scopes", "entries", "entry_terms", "log_nodes")
	if err != nil {
		return err
	}
	m := sizes[0]
	n := float64(max(m.Rows, 1))
	of := func(part fill.Size, rows int64) string {
		return fmt.Sprintf("%s %.0f", part.Table, part.Per(rows))
	}
	beside := []string{of(sizes[1], m.Rows), of(sizes[2], m.Rows), of(sizes[3], m.Rows)}
	g.Report.Judge(report.Goal{
		Work: "a mapping on the disk",
		Must: fmt.Sprintf("row and all indexes ≤ %d bytes", mostMapping),
		Got: fmt.Sprintf("%.0f bytes at %s (row %.0f, indexes %.0f)", m.Per(m.Rows), grouped(m.Rows),
			float64(m.Row)/n, float64(m.Index)/n),
		Verdict: verdict(m.Per(m.Rows) <= mostMapping),
	})
	entries := sizes[4].Rows
	g.Report.Notes = append(g.Report.Notes,
		fmt.Sprintf("A mapping takes what table mappings and its indexes take, after VACUUM. Beside it, for each mapping, "+
			"in bytes with indexes: %s; fifty mappings share a scope and its key.", strings.Join(beside, ", ")),
		fmt.Sprintf("An entry of tokenizing or restoring five values takes %.0f bytes with its indexes, over %s of them that the "+
			"service wrote: %s.", sizes[4].Per(entries)+sizes[5].Per(entries)+sizes[6].Per(entries), grouped(entries),
			strings.Join([]string{of(sizes[4], entries), of(sizes[5], entries), of(sizes[6], entries)}, ", ")))
	return nil
}

// conclude draws the curve, judges it, and has the verifier look at the log.
func (g *growth) conclude(ctx context.Context) error {
	curve := report.Curve{
		Name: "growth-" + g.name, Title: "Median request as " + g.name + " grow, " + loadOf(usual),
		X: g.name + " in the database", Y: "p50, ms", LogX: true,
	}
	for _, line := range []struct {
		name string
		p50  func(point) report.Figure
	}{
		{tokenizeWork, func(p point) report.Figure { return p.tokenize }},
		{restoreWork, func(p point) report.Figure { return p.restore }},
		{"floor: " + restoreWork, func(p point) report.Figure { return p.floor }},
	} {
		drawn := report.Line{Name: line.name}
		for _, p := range g.points {
			drawn.X, drawn.Y = append(drawn.X, float64(p.size)), append(drawn.Y, line.p50(p).Median())
		}
		curve.Series = append(curve.Series, drawn)
	}
	g.Report.Curves = append(g.Report.Curves, curve)
	g.judge(tokenizeWork, func(p point) report.Figure { return p.tokenize })
	g.judge(restoreWork, func(p point) report.Figure { return p.restore })
	began := time.Now()
	said, err := g.Site.Command(ctx, "verify")
	if err != nil {
		return fmt.Errorf("scenario: the log that grew: %w", err)
	}
	g.Report.Notes = append(g.Report.Notes, fmt.Sprintf("The log that grew, with what was filled into it, is sound (%d logs verified in %s).",
		strings.Count(said, "SOUND"), time.Since(began).Round(time.Second)))
	return nil
}

// judge compares the largest size with the one that the goal begins at. Where there is
// not both, it says what there is, and that the goal was not measured.
func (g *growth) judge(work string, p50 func(point) report.Figure) {
	goal := report.Goal{
		Work: work + " as " + g.name + " grow",
		Must: fmt.Sprintf("p50 grows by less than %g× from %s to %s", mostGrowth, grouped(g.from), grouped(largest)),
		Got:  "less than two sizes", Verdict: report.NotMeasured,
	}
	if len(g.points) > 1 {
		first, last := g.points[0], g.points[len(g.points)-1]
		if i := slices.IndexFunc(g.points, func(p point) bool { return p.size == g.from }); i >= 0 {
			first = g.points[i]
		}
		grown := report.Ratio(p50(last), p50(first))
		goal.Got = fmt.Sprintf("%s× from %s to %s (the floor's, whose database does not grow: %s×)",
			grown, grouped(first.size), grouped(last.size), report.Ratio(last.floor, first.floor))
		if first.size == g.from && last.size == largest {
			goal.Verdict = verdict(grown.Median() < mostGrowth)
		}
	}
	g.Report.Judge(goal)
}
