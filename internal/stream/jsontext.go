package stream

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// expect is what may stand next in a JSON text.
type expect uint8

const (
	expectValue expect = iota
	expectValueOrEnd
	expectKey
	expectKeyOrEnd
	expectColon
	expectComma
	expectNothing
)

// jsonText reads JSON strictly (RFC 8259), one character at a time. Its strings
// are read as texts of their own.
type jsonText struct {
	of   *reader
	at   int    // the raw offset behind the last character
	open []byte // the brackets around this place
	want expect
	word string      // what must still come of true, false or null
	num  numberState // where in a number this is

	in     bool // within a string
	inner  *reader
	escape escape
}

// escape is an escape that is under way.
type escape struct {
	slash  bool // behind the backslash
	digits int  // of \uXXXX that are still to come
	unit   rune
	raw    int  // raw bytes of it so far
	high   rune // the first half of a pair, which waits for the second
	first  int  // raw bytes of that
}

// step takes one character. It is false for one that cannot stand here; nothing
// may follow that.
func (j *jsonText) step(c rune, raw int) bool {
	start := j.at
	j.at += raw
	if j.in {
		return j.inString(c, raw)
	}
	if j.word != "" {
		if rune(j.word[0]) != c {
			return false
		}
		j.word = j.word[1:]
		return true
	}
	if j.num != numberNone {
		next := j.num.step(c)
		if next != numberNone {
			j.num = next
			return true
		}
		if !j.num.whole() {
			return false
		}
		j.num = numberNone
	}
	if isSpace(c) {
		return true
	}
	return j.structure(c, start+raw)
}

// structure reads what stands outside strings and words. next is where the next
// character begins.
func (j *jsonText) structure(c rune, next int) bool {
	top := byte(0)
	if n := len(j.open); n > 0 {
		top = j.open[n-1]
	}
	switch j.want {
	case expectColon:
		j.want = expectValue
		return c == ':'
	case expectComma:
		switch {
		case c == ',' && top == '{':
			j.want = expectKey
			return true
		case c == ',':
			j.want = expectValue
			return true
		}
		return j.closes(c, top)
	case expectKeyOrEnd, expectKey:
		if c == '"' {
			j.begin(next, true)
			return true
		}
		return j.want == expectKeyOrEnd && j.closes(c, top)
	case expectValueOrEnd:
		return c == ']' && j.closes(c, top) || j.value(c, next)
	case expectValue:
		return j.value(c, next)
	}
	return false
}

func (j *jsonText) value(c rune, next int) bool {
	switch c {
	case '{', '[':
		if len(j.open) == payload.MaxDepth {
			return false
		}
		if c == '[' {
			j.open, j.want = append(j.open, '['), expectValueOrEnd
		} else {
			j.open, j.want = append(j.open, '{'), expectKeyOrEnd
		}
		return true
	case '"':
		j.begin(next, false)
		return true
	case 't':
		j.word = "true"[1:]
	case 'f':
		j.word = "false"[1:]
	case 'n':
		j.word = "null"[1:]
	default:
		if j.num = numberNone.step(c); j.num == numberNone {
			return false
		}
	}
	j.behind()
	return true
}

// behind says what may follow a whole value.
func (j *jsonText) behind() {
	if j.want = expectComma; len(j.open) == 0 {
		j.want = expectNothing
	}
}

func (j *jsonText) closes(c rune, top byte) bool {
	if top == '{' && c != '}' || top == '[' && c != ']' {
		return false
	}
	j.open = j.open[:len(j.open)-1]
	j.behind()
	return true
}

// begin enters a string whose inside begins at a raw offset.
func (j *jsonText) begin(at int, key bool) {
	if j.inner == nil {
		levels := j.of.levels + 1
		if j.of.of.stream.faults.oneLevel {
			levels = j.of.levels
		}
		j.inner = &reader{of: j.of.of, text: j.of.of.stream.words.Stream(), nest: j.of.nest - 1, levels: levels}
	}
	j.in, j.escape = true, escape{}
	j.inner.key = key
	j.inner.begin(at)
	if key {
		j.inner.plain = true // a key is a text, also where it looks like JSON
	}
}

// inString takes one character within a string.
func (j *jsonText) inString(c rune, raw int) bool {
	e := &j.escape
	switch {
	case e.digits > 0:
		return j.digit(c, raw)
	case e.slash:
		e.slash, e.raw = false, e.raw+raw
		if c == 'u' {
			e.digits, e.unit = 4, 0
			return true
		}
		const names, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
		at := strings.IndexRune(names, c)
		if at < 0 {
			return false
		}
		j.character(rune(meant[at]), e.raw)
		return true
	case c == '\\':
		e.slash, e.raw = true, raw
		return true
	case c == '"':
		j.lone()
		j.inner.finish()
		j.in = false
		if j.inner.key {
			j.want = expectColon
		} else {
			j.behind()
		}
		return true
	case c < ' ':
		return false
	}
	j.character(c, raw)
	return true
}

// digit takes one digit of \uXXXX.
func (j *jsonText) digit(c rune, raw int) bool {
	e := &j.escape
	switch {
	case c >= '0' && c <= '9':
		c -= '0'
	case c >= 'a' && c <= 'f':
		c -= 'a' - 10
	case c >= 'A' && c <= 'F':
		c -= 'A' - 10
	default:
		return false
	}
	e.unit, e.raw = e.unit<<4|c, e.raw+raw
	if e.digits--; e.digits > 0 {
		return true
	}
	unit, spelled := e.unit, e.raw
	if pair := utf16.DecodeRune(e.high, unit); e.high != 0 && pair != utf8.RuneError {
		first := e.first
		e.high, e.first = 0, 0
		j.inner.put(pair, first+spelled)
		return true
	}
	j.lone()
	const lastHigh = 0xdbff
	if utf16.IsSurrogate(unit) && unit <= lastHigh {
		e.high, e.first = unit, spelled
		return true
	}
	if utf16.IsSurrogate(unit) {
		unit = utf8.RuneError
	}
	j.inner.put(unit, spelled)
	return true
}

// character gives the string inside a character, behind what waited for a second
// half.
func (j *jsonText) character(c rune, raw int) {
	j.lone()
	j.inner.put(c, raw)
}

// lone gives up waiting for a second half.
func (j *jsonText) lone() {
	if j.escape.high != 0 {
		j.inner.put(utf8.RuneError, j.escape.first)
		j.escape.high, j.escape.first = 0, 0
	}
}

func (j *jsonText) settle() {
	if j.in {
		j.inner.settle()
	}
}

// finish ends a text that may be cut off within a string.
func (j *jsonText) finish() {
	if j.in {
		j.inner.finish()
		j.in = false
	}
}

// decided is the raw offset up to which nothing can change any more.
func (j *jsonText) decided() int {
	if j.in {
		return j.inner.decided()
	}
	return j.at
}
