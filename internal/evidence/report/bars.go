package report

// The measures of a chart of bars.
const (
	barHeight    = 16.0
	barRoom      = 27.0 // of a bar whose name stands beside it
	barRoomBelow = 40.0 // and of one whose name stands above it
	nameWidest   = 300.0
)

// drawBars draws a grid as bars below one another, with the name beside or, where
// there is little room, above. write says how a value is written; top is the end of
// the axis, 0 where the largest value decides.
func drawBars(g grid, full float64, class string, top int64, write func(int64) string) drawing {
	above := full < wideWidth
	d := drawing{Class: class, Width: full}
	left, room := 0.0, barRoomBelow
	if !above {
		room = barRoom
		for _, name := range g.Ticks {
			left = max(left, min(width(name), nameWidest)+labelGap)
		}
	}
	widest := 0.0
	for i := range g.Categories {
		widest = max(widest, width(write(g.sum(i))))
	}
	long := full - left - widest - labelGap
	if top == 0 {
		top = max(g.largest(), 1)
	}
	s := scale{Top: top}
	for i, name := range g.Ticks {
		y := room*float64(i) + room - barHeight - 4
		middle := y + barHeight/2 + textHeight/3
		if above {
			d.Labels = append(d.Labels, label{0, y - 5, "start", "name", shorten(name, full)})
		} else {
			d.Labels = append(d.Labels, label{left - labelGap, middle, "end", "name", shorten(name, left-labelGap)})
		}
		x := left
		for _, one := range g.Series {
			if one.Values[i] <= 0 {
				continue
			}
			w := s.along(min(one.Values[i], top), long)
			d.Boxes = append(d.Boxes, box{x, y, w, barHeight, one.Shade})
			x += w
		}
		d.Labels = append(d.Labels, label{x + labelGap - 2, middle, "start", "figure", write(g.sum(i))})
	}
	d.Height = room * float64(len(g.Categories))
	if !above {
		d.Rules = append(d.Rules, rule{left, 0, left, d.Height, "axis"})
	}
	return d
}
