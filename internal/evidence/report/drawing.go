package report

import (
	"math"
	"unicode"
)

// A drawing is an SVG in user units, which are pixels at full width. There are two
// of each chart, one for a sheet or a screen and one for a telephone, since text
// that is scaled down with its drawing cannot be read.
type drawing struct {
	Class         string // which of the two
	Width, Height float64
	Rules         []rule
	Boxes         []box
	Labels        []label
}

// A rule is a straight line: of the grid, or the axis that it stands on.
type rule struct {
	X1, Y1, X2, Y2 float64
	Class          string
}

// A box is a part of a bar in the shade of its series.
type box struct {
	X, Y, W, H float64
	Shade      int
}

// A label is a text; Anchor says which of its ends is at X.
type label struct {
	X, Y   float64
	Anchor string
	Class  string
	Text   string
}

// The two widths. A page of A4 between its margins has about 670 pixels, a
// telephone 390 and less.
const (
	wideWidth   = 680.0
	narrowWidth = 330.0
)

// How wide and high text is reckoned: that of a wide face at 11 pixels. In a
// narrower one labels stand further apart, never over one another.
const (
	capitalWidth = 8.2
	charWidth    = 7.0
	textHeight   = 11.0
)

// A scale is an axis from 0: round steps, at most maxTicks of them.
type scale struct {
	Step, Top int64
}

// maxTicks keeps the lines behind a chart few enough not to be read as its content.
const maxTicks = 5

// newScale covers 0..most with whole steps of 1, 2 or 5 times a power of ten.
func newScale(most int64) scale {
	most = max(most, 1)
	for power := int64(1); ; power *= 10 {
		for _, m := range []int64{1, 2, 5} {
			step := m * power
			if n := (most-1)/step + 1; n <= maxTicks {
				return scale{step, n * step}
			}
			if step > math.MaxInt64/100 {
				return scale{most, most}
			}
		}
	}
}

// along is the length that a value has where the whole axis is so long.
func (s scale) along(value int64, length float64) float64 {
	return float64(value) / float64(s.Top) * length
}

// width is that of a text, as it is reckoned.
func width(text string) float64 {
	wide := 0.0
	for _, r := range text {
		wide += runeWidth(r)
	}
	return wide
}

func runeWidth(r rune) float64 {
	switch {
	case unicode.IsUpper(r):
		return capitalWidth
	case r > unicode.MaxLatin1:
		// Of other scripts the widest is as wide as it is high.
		return textHeight
	default:
		return charWidth
	}
}

// shorten cuts a text to what fits, with an ellipsis. The table beside has it whole.
func shorten(text string, room float64) string {
	if width(text) <= room {
		return text
	}
	wide := textHeight // that of the ellipsis
	for i, r := range text {
		if wide += runeWidth(r); wide > room {
			return text[:i] + "…"
		}
	}
	return text
}
