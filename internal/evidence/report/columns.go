package report

// The measures of a chart of columns.
const (
	plotHeight   = 190.0
	plotTop      = 18.0 // room for the number above the highest column
	plotBottom   = 24.0 // room for the labels of the axis
	columnShare  = 0.68 // of the room of a category, the rest is air
	columnWidest = 56.0
	labelGap     = 8.0 // between a label and what it labels
	tickGap      = 4.0 // between two labels of an axis; they are narrower than reckoned
)

// drawColumns draws a grid as columns side by side, the series stacked upwards in
// their order.
func drawColumns(g grid, full float64, class string) drawing {
	s := newScale(g.largest())
	left := width(count(s.Top)) + labelGap
	d := drawing{Class: class, Width: full, Height: plotTop + plotHeight + plotBottom}
	base := plotTop + plotHeight
	for at := int64(0); at <= s.Top; at += s.Step {
		y := base - s.along(at, plotHeight)
		kind := "gridline"
		if at == 0 {
			kind = "axis"
		}
		d.Rules = append(d.Rules, rule{left, y, full, y, kind})
		d.Labels = append(d.Labels, label{left - labelGap, y + textHeight/3, "end", "tick", count(at)})
	}
	room := (full - left) / float64(len(g.Categories))
	wide := min(room*columnShare, columnWidest)
	numbers := numbersFit(g, room)
	every := labelEvery(g.Ticks, room)
	for i := range g.Categories {
		middle := left + room*(float64(i)+0.5)
		y := base
		for _, one := range g.Series {
			if one.Values[i] <= 0 {
				continue
			}
			high := s.along(one.Values[i], plotHeight)
			y -= high
			d.Boxes = append(d.Boxes, box{middle - wide/2, y, wide, high, one.Shade})
		}
		if n := g.sum(i); numbers && n > 0 {
			d.Labels = append(d.Labels, label{middle, y - 5, "middle", "figure", count(n)})
		}
		if i%every == 0 {
			d.Labels = append(d.Labels, label{middle, base + plotBottom - 7, "middle", "tick", g.Ticks[i]})
		}
	}
	return d
}

// numbersFit tells whether each column has room for its number above it.
func numbersFit(g grid, room float64) bool {
	for i := range g.Categories {
		if width(count(g.sum(i))) > room {
			return false
		}
	}
	return true
}

// labelEvery is how many categories share a label, so that no two touch.
func labelEvery(ticks []string, room float64) int {
	widest := 0.0
	for _, text := range ticks {
		widest = max(widest, width(text)+tickGap)
	}
	every := 1
	for float64(every)*room < widest {
		every++
	}
	return every
}
