package stream

import (
	"cmp"
	"slices"
	"strings"
)

// frame is one event of an event stream, or a line.
type frame struct {
	raw   string // with the line end that ends it
	bare  bool   // it is a line
	event string // what its event line says
	data  string // its data lines, joined
	lines []line // where they are
	eol   string // the line end of its first data line
}

// line is where a data line stands in the joined data and in the frame.
type line struct{ data, raw, length int }

// rawOf returns where a part of the data that is within one line stands.
func (f *frame) rawOf(from, to int) (int, int) {
	i, exact := slices.BinarySearchFunc(f.lines, from, func(l line, from int) int { return cmp.Compare(l.data, from) })
	if !exact {
		i-- // the one before begins at or before it
	}
	at := f.lines[i]
	return from - at.data + at.raw, to - at.data + at.raw
}

// framer cuts a stream into frames, however the stream was cut before. It keeps
// a frame that is not whole, up to MaxFrame bytes.
type framer struct {
	lines   bool   // each line is a frame
	buf     []byte // of a frame that is not whole
	midLine bool   // something stands in the line under way
	cr      bool   // a carriage return came last: a line feed would belong to it
}

// end returns how many bytes of the text are of the frame under way, and whether
// it is whole with them. Line ends are those of the WHATWG: LF, CRLF, CR. A frame
// that ends with a CR is whole without the LF behind it.
func (f *framer) end(text string) (n int, whole bool) {
	if f.lines {
		if n = strings.IndexByte(text, '\n'); n < 0 {
			return len(text), false
		}
		return n + 1, true
	}
	for at := 0; at < len(text); {
		if cr := f.cr; cr {
			f.cr = false
			if text[at] == '\n' {
				at++
				continue
			}
		}
		length := lineLength(text[at:])
		if length == len(text)-at {
			f.midLine = true
			return len(text), false
		}
		blank := length == 0 && !f.midLine
		at += length + 1
		f.midLine, f.cr = false, text[at-1] == '\r'
		if blank {
			return at, true
		}
	}
	return len(text), false
}

// lineLength is where the first line ends, without its end.
func lineLength(text string) int {
	n := strings.IndexByte(text, '\n')
	if n < 0 {
		n = len(text)
	}
	if cr := strings.IndexByte(text[:n], '\r'); cr >= 0 {
		return cr
	}
	return n
}

// reset forgets a frame that is over.
func (f *framer) reset() {
	if f.buf = f.buf[:0]; cap(f.buf) > longFrame {
		f.buf = nil
	}
}

// parse reads the fields of a frame.
func (f *framer) parse(raw string, room []line) frame {
	out := frame{raw: raw, lines: room[:0]}
	const mark = "\ufeff" // a byte order mark, at the beginning of the stream
	at := 0
	if strings.HasPrefix(raw, mark) {
		at = len(mark)
	}
	if f.lines {
		out.bare, out.data, out.eol = true, strings.TrimRight(raw[at:], "\r\n"), "\n"
		out.lines = append(out.lines, line{raw: at, length: len(out.data)})
		return out
	}
	for at < len(raw) {
		length := lineLength(raw[at:])
		out.field(raw, at, at+length)
		if at += length + 1; at < len(raw) && raw[at] == '\n' && raw[at-1] == '\r' {
			at++
		}
	}
	out.join()
	return out
}

// join puts the data lines together.
func (f *frame) join() {
	switch len(f.lines) {
	case 0:
		return
	case 1:
		f.data = f.raw[f.lines[0].raw:][:f.lines[0].length]
		return
	}
	var b strings.Builder
	b.Grow(len(f.raw))
	for i := range f.lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		l := &f.lines[i]
		l.data = b.Len()
		b.WriteString(f.raw[l.raw:][:l.length])
	}
	f.data = b.String()
}

// field reads one line.
func (f *frame) field(raw string, at, end int) {
	name, _, colon := strings.Cut(raw[at:end], ":")
	value := at + len(name)
	if colon {
		value++
	}
	if value < end && raw[value] == ' ' {
		value++
	}
	switch name {
	case "event":
		f.event = raw[value:end]
	case "data":
		if len(f.lines) == 0 {
			f.eol = endOf(raw[end:])
		}
		f.lines = append(f.lines, line{raw: value, length: end - value})
	}
}

// endOf is the line end that a text begins with.
func endOf(text string) string {
	switch {
	case strings.HasPrefix(text, "\r\n"):
		return "\r\n"
	case strings.HasPrefix(text, "\r"):
		return "\r"
	}
	return "\n"
}
