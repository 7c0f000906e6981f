package report

import (
	"cmp"
	"slices"
)

// maxSeries is how many series a figure tells apart, and one more for the rest:
// beyond seven shades nobody tells them apart on paper.
const maxSeries = 6

// restName is the series that holds what is beyond maxSeries.
const restName = "all others"

// A grid is what a figure shows: drawn, and printed as a table beside the drawing.
// Every series has a value for each category.
type grid struct {
	Across     string   // what a category is, the head of the first column
	Categories []string // in order, as the table names them
	Ticks      []string // the same, as short as an axis needs them
	Series     []series
}

// A series is one row of numbers, in a shade of the drawing.
type series struct {
	Name   string
	Shade  int
	Values []int64
}

// total is the sum of everything.
func (g grid) total() int64 {
	var n int64
	for i := range g.Categories {
		n += g.sum(i)
	}
	return n
}

// sum is that of one category.
func (g grid) sum(category int) int64 {
	var n int64
	for _, s := range g.Series {
		n += s.Values[category]
	}
	return n
}

// largest is the largest sum of a category.
func (g grid) largest() int64 {
	var most int64
	for i := range g.Categories {
		most = max(most, g.sum(i))
	}
	return most
}

// A tally counts by category and series. The order of the series is given, or that
// of their size.
type tally struct {
	categories, ticks []string
	names             []string
	values            map[string][]int64
	shades            []shade
}

// A shade is given to a series by its name, where a colour means something.
type shade struct {
	name string
	at   int
}

// newTally begins a count. Series that are named here are shown in this order, also
// where they are empty.
func newTally(categories, ticks []string, shades ...shade) *tally {
	t := &tally{categories: categories, ticks: ticks, values: make(map[string][]int64), shades: shades}
	for _, s := range shades {
		t.series(s.name)
	}
	return t
}

func (t *tally) series(name string) []int64 {
	values, known := t.values[name]
	if !known {
		values = make([]int64, len(t.categories))
		t.values[name] = values
		t.names = append(t.names, name)
	}
	return values
}

func (t *tally) add(category int, name string, n int64) { t.series(name)[category] += n }

// grid ends the count. What is beyond maxSeries goes into one series.
func (t *tally) grid(across string) grid {
	g := grid{Across: across, Categories: t.categories, Ticks: t.ticks}
	for _, name := range t.names {
		g.Series = append(g.Series, series{Name: name, Values: t.values[name]})
	}
	if len(t.shades) == 0 {
		slices.SortStableFunc(g.Series, func(a, b series) int {
			return cmp.Or(cmp.Compare(total(b.Values), total(a.Values)), cmp.Compare(a.Name, b.Name))
		})
	}
	if len(g.Series) > maxSeries+1 {
		rest := series{Name: restName, Values: make([]int64, len(t.categories))}
		for _, s := range g.Series[maxSeries:] {
			for i, n := range s.Values {
				rest.Values[i] += n
			}
		}
		g.Series = append(g.Series[:maxSeries:maxSeries], rest)
	}
	for i := range g.Series {
		if g.Series[i].Shade = i; i < len(t.shades) {
			g.Series[i].Shade = t.shades[i].at
		}
	}
	return g
}

func total(values []int64) int64 {
	var n int64
	for _, v := range values {
		n += v
	}
	return n
}

// ranking is a grid of one series whose categories are ordered by size, the largest
// first; what is beyond limit is the last category.
func ranking(across, name string, counts map[string]int64, limit int) grid {
	names := make([]string, 0, len(counts))
	for one := range counts {
		names = append(names, one)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	g := grid{Across: across, Series: []series{{Name: name}}}
	var rest int64
	for i, one := range names {
		if i >= limit && len(names) > limit+1 {
			rest += counts[one]
			continue
		}
		g.Categories = append(g.Categories, one)
		g.Series[0].Values = append(g.Series[0].Values, counts[one])
	}
	if len(names) > limit+1 {
		g.Categories = append(g.Categories, restName)
		g.Series[0].Values = append(g.Series[0].Values, rest)
	}
	g.Ticks = g.Categories
	return g
}
