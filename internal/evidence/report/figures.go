package report

import (
	"strconv"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// A figure is a chart with the numbers that it is drawn from.
type figure struct {
	ID, Title string
	About     string // what it shows, in a sentence
	Empty     string // said in its place where there is nothing to draw
	Drawings  []drawing
	Legend    []legendLine // none where there is one series
	Grid      grid
	Rows      []figureRow
	Total     []string // the last line of its table, none where lines do not add up
}

// A legendLine names a shade.
type legendLine struct {
	Shade int
	Name  string
}

// A figureRow is a line of the table beside a chart.
type figureRow struct {
	Name  []string // in pieces
	Cells []string
}

// figures are the charts for which there are tables.
func figures(e *evidence.Evidence) []figure {
	var out []figure
	for _, draw := range []func(*evidence.Evidence) (figure, bool){
		restorationsFigure, denialsFigure, entitiesFigure, approvalsFigure, breakGlassFigure, exposureFigure, levelsFigure,
	} {
		if f, can := draw(e); can {
			out = append(out, f)
		}
	}
	return out
}

// tabulate writes the grid as lines, with sums at the end of lines and columns where
// there is something to add up.
func (f *figure) tabulate() {
	several := len(f.Grid.Series) > 1
	sums := make([]int64, len(f.Grid.Series))
	for i, name := range f.Grid.Categories {
		row := figureRow{Name: pieces(name)}
		for j, s := range f.Grid.Series {
			sums[j] += s.Values[i]
			row.Cells = append(row.Cells, count(s.Values[i]))
		}
		if several {
			row.Cells = append(row.Cells, count(f.Grid.sum(i)))
		}
		f.Rows = append(f.Rows, row)
	}
	for _, n := range sums {
		f.Total = append(f.Total, count(n))
	}
	if several {
		f.Total = append(f.Total, count(f.Grid.total()))
	}
}

// inColumns draws the figure as columns.
func (f figure) inColumns(g grid) figure {
	f.Grid = g
	if g.total() == 0 {
		return f
	}
	f.Drawings = []drawing{drawColumns(g, wideWidth, "wide"), drawColumns(g, narrowWidth, "narrow")}
	f.explain()
	f.tabulate()
	return f
}

// inBars draws it as bars.
func (f figure) inBars(g grid) figure {
	f.Grid = g
	if g.total() == 0 {
		return f
	}
	f.Drawings = []drawing{drawBars(g, wideWidth, "wide", 0, count), drawBars(g, narrowWidth, "narrow", 0, count)}
	f.explain()
	f.tabulate()
	return f
}

// explain names the shades, where there is more than one.
func (f *figure) explain() {
	if len(f.Grid.Series) < 2 {
		return
	}
	for _, s := range f.Grid.Series {
		f.Legend = append(f.Legend, legendLine{s.Shade, s.Name})
	}
}

// cells reads columns of a table by name.
type cells struct {
	table evidence.Table
	place map[string]int
}

// read finds a table and columns of it; all must be there.
func read(e *evidence.Evidence, table string, columns ...string) (cells, bool) {
	t, given := e.Table(table)
	if !given {
		return cells{}, false
	}
	c := cells{t, make(map[string]int)}
	for _, name := range columns {
		i := column(t, name)
		if i < 0 {
			return cells{}, false
		}
		c.place[name] = i
	}
	return c, true
}

func (c cells) text(row []string, name string) string { return row[c.place[name]] }

// number is a count, 0 where the log does not tell it.
func (c cells) number(row []string, name string) int64 {
	n, err := strconv.ParseInt(row[c.place[name]], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Heads are the heads of the columns of its table after the first.
func (f figure) Heads() [][]string {
	var out [][]string
	for _, s := range f.Grid.Series {
		out = append(out, pieces(s.Name))
	}
	if len(out) > 1 {
		out = append(out, []string{"Together"})
	}
	return out
}

// Narrow tells whether its table has room beside the drawing.
func (f figure) Narrow() bool { return len(f.Grid.Series) <= 4 }

// Many tells whether its table has so many columns that their heads have to stand
// upright on a telephone.
func (f figure) Many() bool { return len(f.Grid.Series) >= 3 }

// plate is a drawing with what is said of it.
type plate struct {
	ID, Title, About string
	Drawing          drawing
}

// Of is the plate of one of its drawings.
func (f figure) Of(d drawing) plate { return plate{f.ID, f.Title, f.About, d} }
