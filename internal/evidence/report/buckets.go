package report

import (
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// How long a period may be to be drawn by day, by week and by month: columns that
// are still wide enough to carry their numbers on a page of A4.
const (
	day       = 24 * time.Hour
	maxDays   = 16 * day
	maxWeeks  = 27 * 7 * day
	maxMonths = 3 * 366 * day
	// maxYears is how many columns of years there are at most, before each stands
	// for several.
	maxYears = 30
)

// undated is the category of rows whose time is not in the period: of what began
// before it and was still open.
const undated = "outside the period"

// buckets are the days, weeks, months or years of a period. The first begins with
// the period, the others at midnight UTC of a day, a Monday, a first of a month or
// of a year.
type buckets struct {
	Unit   string // "day", "week", "month", "year"
	starts []time.Time
	to     time.Time
}

func split(p evidence.Period) buckets {
	b := buckets{to: p.To}
	midnight := time.Date(p.From.Year(), p.From.Month(), p.From.Day(), 0, 0, 0, 0, time.UTC)
	var next func(time.Time) time.Time
	switch long := p.To.Sub(p.From); {
	case long <= maxDays:
		b.Unit = "day"
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	case long <= maxWeeks:
		b.Unit = "week"
		midnight = midnight.AddDate(0, 0, -(int(midnight.Weekday())+6)%7)
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }
	case long <= maxMonths:
		b.Unit = "month"
		midnight = midnight.AddDate(0, 0, 1-midnight.Day())
		next = func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }
	default:
		b.Unit = "year"
		midnight = time.Date(midnight.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		step := (p.To.Year()-p.From.Year())/maxYears + 1
		next = func(t time.Time) time.Time { return t.AddDate(step, 0, 0) }
	}
	b.starts = append(b.starts, p.From)
	for t := next(midnight); t.Before(p.To); t = next(t) {
		b.starts = append(b.starts, t)
	}
	return b
}

// names are the buckets in full and as an axis needs them. The last is for what has
// no place among them. A date is not broken at the end of a line.
func (b buckets) names() (full, short []string) {
	for _, t := range b.starts {
		switch b.Unit {
		case "year":
			full, short = append(full, strconv.Itoa(t.Year())), append(short, strconv.Itoa(t.Year()))
		case "month":
			full, short = append(full, t.Format("January 2006")), append(short, t.Format("Jan 06"))
		default:
			full, short = append(full, t.Format("2\u00a0Jan\u00a02006")), append(short, t.Format("2 Jan"))
		}
	}
	return append(full, undated), append(short, "other")
}

// across is the head of their column.
func (b buckets) across() string {
	switch b.Unit {
	case "week":
		return "Week from"
	case "month":
		return "Month"
	case "year":
		return "Year"
	default:
		return "Day"
	}
}

// index is the bucket of a time as it stands in a table.
func (b buckets) index(cell string) int {
	t, err := time.Parse(time.RFC3339Nano, cell)
	if err != nil || t.Before(b.starts[0]) || !t.Before(b.to) {
		return len(b.starts)
	}
	i := len(b.starts) - 1
	for b.starts[i].After(t) {
		i--
	}
	return i
}

// datedOnly drops the category of what has no place in the period where nothing is
// in it.
func datedOnly(g grid) grid {
	last := len(g.Categories) - 1
	if g.sum(last) > 0 {
		return g
	}
	out := grid{Across: g.Across, Categories: g.Categories[:last], Ticks: g.Ticks[:last]}
	for _, s := range g.Series {
		out.Series = append(out.Series, series{s.Name, s.Shade, s.Values[:last]})
	}
	return out
}
