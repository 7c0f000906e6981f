package token

// The states of code.
const (
	codeNone   = iota
	codeInline // between runs of as many backticks
	codeInfo   // in the line that opens a fence
	codeFence
)

const (
	// fenceTicks is the least number of backticks or tildes in a fence
	// (CommonMark 0.31 section 4.5).
	fenceTicks = 3
	// maxTicks is where counting stops: longer runs count as equal.
	maxTicks = 255
)

// code follows fenced blocks and inline code as CommonMark 0.31 defines them,
// but for what would need a look ahead: an opening backtick counts although no
// closing one may follow, until the paragraph ends.
type code struct {
	state   int
	ticks   int  // what closes the code: as many, in a fence at least as many
	fence   byte // '`' or '~'
	run     int  // length of the run of backticks or tildes under way
	char    byte // of the run
	leading bool // the run is the first in its line
	closing bool // a closing fence was read, unless more follows in its line
	escaped bool // a backslash stands before
}

func (c *code) active() bool { return c.state != codeNone }

// step moves over one byte.
func (c *code) step(b byte, indent, emptyLine bool) {
	if (b == '`' || b == '~') && (c.run == 0 || c.char == b) {
		if c.run == 0 && c.escaped && c.state == codeNone {
			c.escaped = false
			return
		}
		if c.run == 0 {
			c.char, c.leading = b, indent
		}
		c.run = min(c.run+1, maxTicks)
		return
	}
	c.settle()
	if b == '`' || b == '~' {
		c.char, c.leading, c.run = b, false, 1
		return
	}
	c.escaped = b == '\\' && !c.escaped
	switch {
	case b == '\n' && (c.closing || emptyLine && c.state == codeInline):
		c.state, c.closing = codeNone, false
	case b == '\n' && c.state == codeInfo:
		c.state = codeFence
	case !isSpace(b):
		c.closing = false
	}
}

// settle ends the run under way: what comes next does not belong to it.
func (c *code) settle() {
	run := c.run
	c.run = 0
	switch {
	case run == 0:
	case c.state == codeFence:
		c.closing = c.leading && c.char == c.fence && run >= c.ticks
	case c.state == codeNone && c.leading && run >= fenceTicks:
		c.state, c.ticks, c.fence = codeInfo, run, c.char
	case c.char == '~' || c.state == codeInfo && c.fence == '~':
	case c.state == codeInfo: // no backticks in this line: it was inline code
		c.state = codeInline
		fallthrough
	case c.state == codeInline:
		if run == c.ticks {
			c.state = codeNone
		}
	default:
		c.state, c.ticks = codeInline, run
	}
}

// token moves over a token.
func (c *code) token() { c.closing, c.escaped = false, false }
