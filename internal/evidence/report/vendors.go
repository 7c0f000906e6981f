package report

import (
	"math"
	"slices"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

func exposureFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableExposureActions, "destination", "action", "values")
	sums := make(map[string]int64)
	for _, row := range c.table.Rows {
		sums[named(c.text(row, "destination"))] += c.number(row, "values")
	}
	order := ranking("Destination", "Values", sums, maxNames)
	place := make(map[string]int)
	for i, name := range order.Categories {
		place[name] = i
	}
	t := newTally(order.Categories, order.Ticks)
	for _, row := range c.table.Rows {
		at, drawn := place[named(c.text(row, "destination"))]
		if !drawn {
			at = len(order.Categories) - 1
		}
		action := named(c.text(row, "action"))
		if slices.Contains(audit.ResultsInClear(), action) {
			action += ", in clear"
		}
		t.add(at, action, c.number(row, "values"))
	}
	return figure{
		ID: "c-exposure", Title: "Exposure: what became of values, by destination",
		About: "Where texts were to go, and what was done with the values in them before. What was allowed or warned about went there in clear, by the policy; the rest did not.",
		Empty: "Nothing was to go to any destination: none in this period.",
	}.inBars(t.grid("Destination")), given
}

// hundred is a whole in hundredths of a percent.
const hundred = 100 * 100

// What the table of levels calls its columns and units.
const (
	levelValue  = "value"
	levelUnit   = "unit"
	unitPercent = "percent"
	unitSeconds = "seconds"
)

func levelsFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableServiceLevels, "title", levelValue, levelUnit, "of")
	g := grid{Across: "What", Series: []series{{Name: "Share"}}}
	f := figure{
		ID: "c-levels", Title: "Service levels: shares",
		About: "How much of what was due was done in time, and how much went well. What has no bar had nothing to measure; the rest is in the table of service levels.",
		Empty: "Nothing that can be told from the log was due: none in this period.",
	}
	for _, row := range c.table.Rows {
		share, err := strconv.ParseFloat(c.text(row, levelValue), 64)
		if c.text(row, levelUnit) != unitPercent || err != nil {
			continue
		}
		name, value := c.text(row, "title"), int64(math.Round(share*100))
		g.Categories = append(g.Categories, name)
		g.Series[0].Values = append(g.Series[0].Values, value)
		f.Rows = append(f.Rows, figureRow{Name: pieces(name), Cells: []string{percent(value) + " of " + count(c.number(row, "of"))}})
	}
	g.Ticks, f.Grid = g.Categories, g
	if len(g.Categories) > 0 {
		f.Drawings = []drawing{drawBars(g, wideWidth, "wide", hundred, percent), drawBars(g, narrowWidth, "narrow", hundred, percent)}
	}
	return f, given
}
