package report

// Number is how a number is written.
func Number(v float64) string { return number(v) }

// DrawSmall makes the PNG of a curve at an eighth of its size, for the time it takes.
func (c Curve) DrawSmall() ([]byte, error) { return c.draw(width/8, height/8) }
