package payload

import (
	"strings"
	"unicode/utf8"
)

// hex4 reads four hexadecimal digits.
func hex4(text string, at int) (rune, bool) {
	if len(text)-at < 4 {
		return 0, false
	}
	var r rune
	for i := at; i < at+4; i++ {
		c := text[i]
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// half is one half of a surrogate pair that stands without the other.
type half uint8

const (
	whole half = iota
	firstHalf
	secondHalf
)

func halfOf(r rune) half {
	switch {
	case r >= 0xd800 && r < 0xdc00:
		return firstHalf
	case r >= 0xdc00 && r < 0xe000:
		return secondHalf
	}
	return whole
}

// escapeAt reads the escape at raw[at], which the scanner has accepted: its
// width and what it stands for. Half a pair stands for U+FFFD.
func escapeAt(raw string, at int) (width int, r rune, h half) {
	switch c := raw[at+1]; c {
	case 'b':
		return 2, '\b', whole
	case 'f':
		return 2, '\f', whole
	case 'n':
		return 2, '\n', whole
	case 'r':
		return 2, '\r', whole
	case 't':
		return 2, '\t', whole
	case 'u':
	default:
		return 2, rune(c), whole
	}
	r, _ = hex4(raw, at+2)
	h = halfOf(r)
	if h == firstHalf {
		if second, ok := escapedUnit(raw, at+6); ok && halfOf(second) == secondHalf {
			return 12, (r-0xd800)<<10 + (second - 0xdc00) + 0x10000, whole
		}
	}
	if h != whole {
		r = utf8.RuneError
	}
	return 6, r, h
}

// escapedUnit reads \uXXXX at raw[at] as one unit of UTF-16.
func escapedUnit(raw string, at int) (rune, bool) {
	if !strings.HasPrefix(raw[at:], `\u`) {
		return 0, false
	}
	return hex4(raw, at+2)
}

// decode returns what the inside of a string stands for.
func decode(raw string) string {
	var b strings.Builder
	b.Grow(len(raw))
	for at := 0; at < len(raw); {
		run := strings.IndexByte(raw[at:], '\\')
		if run < 0 {
			run = len(raw) - at
		}
		if run > 0 {
			b.WriteString(raw[at : at+run])
			at += run
			continue
		}
		width, r, _ := escapeAt(raw, at)
		b.WriteRune(r)
		at += width
	}
	return b.String()
}

// appendEscaped writes text as the inside of a JSON string with as few escapes
// as RFC 8259 asks for, in the spelling of RFC 8785 section 3.2.2.2.
func appendEscaped(b []byte, text string) []byte {
	const digits = "0123456789abcdef"
	for len(text) > 0 {
		n := plain(text)
		b = append(b, text[:n]...)
		if n == len(text) {
			break
		}
		switch c := text[n]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		text = text[n+1:]
	}
	return b
}

// cursor walks the inside of a string and knows which byte of it belongs to
// which byte of what it stands for.
type cursor struct {
	raw         string
	at, decoded int
	literal     bool // a fault: escapes are taken for what they look like
	halved      bool // the last unit was the first half of a pair, alone
}

// to goes forward to a decoded offset, which is where a character begins. It
// looks no further than that, so that many small steps cost what one great one
// does.
func (c *cursor) to(decoded int) {
	for c.decoded < decoded {
		ahead := c.raw[c.at:min(len(c.raw), c.at+decoded-c.decoded)]
		run := strings.IndexByte(ahead, '\\')
		if run < 0 || c.literal {
			run = len(ahead)
		}
		if run > 0 {
			c.at, c.decoded, c.halved = c.at+run, c.decoded+run, false
			continue
		}
		width, r, h := escapeAt(c.raw, c.at)
		c.at, c.decoded, c.halved = c.at+width, c.decoded+utf8.RuneLen(r), h == firstHalf
	}
}

// joins says whether the text at c.at would make a character together with
// what stood before, if nothing were between.
func (c *cursor) joins(before bool) bool {
	r, ok := escapedUnit(c.raw, c.at)
	return before && ok && halfOf(r) == secondHalf
}
