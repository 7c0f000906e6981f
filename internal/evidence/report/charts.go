package report

import (
	"strconv"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// maxNames is how many bars a ranking has: what fits beside its table.
const maxNames = 12

// Shades that mean something, see page.css.
const (
	shadeMain  = 0
	shadeLate  = 1
	shadeWorst = 2
	shadeOpen  = 6
)

// noName stands for an empty cell where something is counted by its name.
const noName = "not named"

func named(name string) string {
	if name == "" {
		return noName
	}
	return name
}

func restorationsFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableRestorations, "time", "reason")
	b := split(e.Period)
	full, short := b.names()
	t := newTally(full, short)
	for _, row := range c.table.Rows {
		t.add(b.index(c.text(row, "time")), named(c.text(row, "reason")), 1)
	}
	return figure{
		ID: "c-restorations", Title: "Restorations per " + b.Unit + ", by reason",
		About: "How many requests gave values back, one shade for each reason code.",
		Empty: "No restorations: none in this period.",
	}.inColumns(datedOnly(t.grid(b.across()))), given
}

func denialsFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableDenials, "time", "denials")
	b := split(e.Period)
	full, short := b.names()
	t := newTally(full, short, shade{"Denials", shadeMain})
	for _, row := range c.table.Rows {
		t.add(b.index(c.text(row, "time")), "Denials", c.number(row, "denials"))
	}
	return figure{
		ID: "c-denials", Title: "Denials per " + b.Unit,
		About: "How many requests were refused. Identical ones of a caller within a minute share an entry and are counted here one by one.",
		Empty: "No denials: none in this period.",
	}.inColumns(datedOnly(t.grid(b.across()))), given
}

func entitiesFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableRestorationsEntity, "entity", "values")
	counts := make(map[string]int64)
	for _, row := range c.table.Rows {
		counts[named(c.text(row, "entity"))] += c.number(row, "values")
	}
	return figure{
		ID: "c-entities", Title: "Restored values, by entity",
		About: "Of which kind the values were that were given back.",
		Empty: "No values were given back: none in this period.",
	}.inBars(ranking("Entity", "Values", counts, maxNames)), given
}

// waits are the bounds of the columns in which times to decide are drawn, in
// seconds; an approval lapses after a day.
var waits = []struct {
	below       int64
	name, short string
}{
	{15 * 60, "under 15 min", "< 15 min"},
	{60 * 60, "15 min to 1 h", "< 1 h"},
	{4 * 3600, "1 to 4 h", "< 4 h"},
	{12 * 3600, "4 to 12 h", "< 12 h"},
	{24 * 3600, "12 to 24 h", "< 24 h"},
}

func approvalsFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableApprovals, "state", "time_to_decide")
	var full, short []string
	for _, w := range waits {
		full, short = append(full, w.name), append(short, w.short)
	}
	t := newTally(append(full, "over 24 h", "not decided"), append(short, "longer", "open"), shade{"agreed to", shadeMain}, shade{"rejected", shadeWorst}, shade{"open", shadeOpen})
	for _, row := range c.table.Rows {
		name := "agreed to"
		switch c.text(row, "state") {
		case "rejected":
			name = "rejected"
		case "open":
			name = "open"
		}
		t.add(waited(c.text(row, "time_to_decide")), name, 1)
	}
	return figure{
		ID: "c-approvals", Title: "Approvals: time to decide",
		About: "How long those who were asked took to agree or to reject.",
		Empty: "Nobody was asked for approval: none in this period.",
	}.inColumns(t.grid("Time to decide")), given
}

// waited is the column of a time to decide.
func waited(cell string) int {
	seconds, err := strconv.ParseInt(cell, 10, 64)
	if err != nil {
		return len(waits) + 1
	}
	for i, w := range waits {
		if seconds < w.below {
			return i
		}
	}
	return len(waits)
}

// reviewWords are the states of a review for people, in the order of the chart.
var reviewWords = []struct {
	state, name string
	at          int
}{
	{"in_time", "reviewed in time", shadeMain}, {"late", "reviewed late", shadeLate},
	{"overdue", "overdue", shadeWorst}, {"open", "open, not yet due", shadeOpen},
}

func breakGlassFigure(e *evidence.Evidence) (figure, bool) {
	c, given := read(e, evidence.TableBreakGlass, "time", "state")
	b := split(e.Period)
	full, short := b.names()
	var shades []shade
	words := make(map[string]string)
	for _, w := range reviewWords {
		shades, words[w.state] = append(shades, shade{w.name, w.at}), w.name
	}
	t := newTally(full, short, shades...)
	for _, row := range c.table.Rows {
		name, known := words[c.text(row, "state")]
		if !known {
			name = named(c.text(row, "state"))
		}
		t.add(b.index(c.text(row, "time")), name, 1)
	}
	return figure{
		ID: "c-break-glass", Title: "Break-glass per " + b.Unit + ", and the reviews",
		About: "Restorations that were allowed at once and have to be looked at afterwards, and whether they were.",
		Empty: "No break-glass: none in this period.",
	}.inColumns(datedOnly(t.grid(b.across()))), given
}
