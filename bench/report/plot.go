package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// The picture: large enough to read a value off, small enough for a page.
const (
	dotsPerInch  = 96
	width        = 1200 * vg.Inch / dotsPerInch
	height       = 700 * vg.Inch / dotsPerInch
	margin       = 14
	lineWidth    = 1.8
	titleSize    = 18
	nameSize     = 14
	tickSize     = 12
	mostMarks    = 40  // beyond so many points of a line its marks would hide it
	markRadius   = 3.2 // of a point
	headroom     = 1.08
	oneBySpread  = 0.1 // how far an axis reaches to both sides of a single value
	majorTicks   = 6   // about so many numbers along an axis
	legendAtMost = 0.35
)

// colours that colour-blind people can tell apart (Okabe and Ito); what is measured
// comes first in them.
var colours = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x00, 0x00, 0x00, 0xff},
}

// dashes tell lines apart when the colours begin again.
var dashes = [][]vg.Length{nil, {8, 4}, {2, 3}}

// draw makes the PNG of a curve. The library panics on axes that it cannot draw; they
// are avoided, and if one is left, it costs this picture only.
func (c Curve) draw(width, height vg.Length) (picture []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			picture, err = nil, fmt.Errorf("draw %s: %v", c.Name, r)
		}
	}()
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Title.TextStyle.Font.Size, p.Title.Padding = titleSize, margin
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = nameSize, tickSize
		axis.Label.Padding = margin / 2
		axis.Tick.Marker = plot.TickerFunc(linearTicks)
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xd0}, color.Gray{0xd0}
	grid.Vertical.Width, grid.Horizontal.Width = lineWidth/2, lineWidth/2
	p.Add(grid)
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.Padding = true, true, margin/3
	legend.TextStyle.Font.Size = tickSize
	for i, line := range c.Series {
		if err := c.add(p, &legend, i, line); err != nil {
			return nil, fmt.Errorf("draw %s: %s: %w", c.Name, line.Name, err)
		}
	}
	c.fit(p)
	return render(p, &legend, width, height)
}

// add draws one line, and names it in the legend.
func (c Curve) add(p *plot.Plot, legend *plot.Legend, i int, line Line) error {
	points := c.points(line)
	if len(points) == 0 {
		return nil
	}
	drawn, marks, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	drawn.Width, drawn.Color = lineWidth, colours[i%len(colours)]
	drawn.Dashes = dashes[i/len(colours)%len(dashes)]
	marks.Color, marks.Shape, marks.Radius = drawn.Color, draw.CircleGlyph{}, markRadius
	p.Add(drawn)
	if len(points) > mostMarks {
		legend.Add(line.Name, drawn)
		return nil
	}
	p.Add(marks)
	legend.Add(line.Name, drawn, marks)
	return nil
}

// points are those of a line that have a place.
func (c Curve) points(line Line) plotter.XYs {
	var out plotter.XYs
	for i := range min(len(line.X), len(line.Y)) {
		x, y := line.X[i], line.Y[i]
		if finite(x) && finite(y) && (x > 0 || !c.LogX) {
			out = append(out, plotter.XY{X: x, Y: y})
		}
	}
	return out
}

// fit sets the axes: y from 0, so that a drift of 5% does not look like a cliff.
func (c Curve) fit(p *plot.Plot) {
	if math.IsInf(p.X.Min, 0) || math.IsInf(p.Y.Min, 0) { // no points
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		return
	}
	if p.Y.Min >= 0 {
		p.Y.Min = 0
	}
	if p.Y.Max > 0 {
		p.Y.Max = p.Y.Min + (p.Y.Max-p.Y.Min)*headroom
	}
	spread(&p.Y)
	if !c.LogX {
		spread(&p.X)
		return
	}
	if p.X.Min == p.X.Max {
		p.X.Min, p.X.Max = p.X.Min/2, p.X.Max*2
	}
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
}

// spread makes room around a single value.
func spread(a *plot.Axis) {
	if a.Min < a.Max {
		return
	}
	room := math.Abs(a.Min) * oneBySpread
	if room == 0 {
		room = 1
	}
	a.Min, a.Max = a.Min-room, a.Max+room
}

// linearTicks are at 1, 2 or 5 times a power of ten, as a ruler has them.
func linearTicks(low, high float64) []plot.Tick {
	step := math.Pow10(int(math.Floor(math.Log10((high - low) / majorTicks))))
	for _, times := range []float64{2, 2.5, 2} { // 2, 5, 10
		if (high-low)/step > majorTicks {
			step *= times
		}
	}
	var ticks []plot.Tick
	first := math.Ceil(low / step)
	for i := range majorTicks + 1 { // counted, as adding 1 to a number beyond 2^53 leaves it
		if v := (first + float64(i)) * step; v <= high {
			ticks = append(ticks, plot.Tick{Value: v, Label: "n"})
		}
	}
	return label(ticks)
}

func logTicks(low, high float64) []plot.Tick { return label(plot.LogTicks{}.Ticks(low, high)) }

// label writes the numbers of the major ticks as in the tables.
func label(ticks []plot.Tick) []plot.Tick {
	for i := range ticks {
		if !ticks[i].IsMinor() {
			// Twelve digits drop what binary fractions add at the end.
			exact, err := strconv.ParseFloat(strconv.FormatFloat(ticks[i].Value, 'g', 12, 64), 64)
			if err == nil {
				ticks[i].Label = thousands(strconv.FormatFloat(exact, 'f', -1, 64))
			}
		}
	}
	return ticks
}

// render puts the legend to the right of the plot, where it hides no line.
func render(p *plot.Plot, legend *plot.Legend, width, height vg.Length) ([]byte, error) {
	page := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dotsPerInch))
	canvas := draw.New(page)
	inside := draw.Crop(canvas, margin, -margin, margin, -margin)
	room := min(legend.Rectangle(inside).Size().X+margin, legendAtMost*width)
	p.Draw(draw.Crop(inside, 0, -room-margin, 0, 0))
	legend.Draw(draw.Crop(inside, inside.Size().X-room, 0, 0, -3*margin))
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: page}).WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
