package audit

import (
	"slices"
	"strconv"
)

// The few shapes of RFC 8785 that an entry is made of. Objects with fixed
// names are written by appendEntry, which is sorted by construction.

// appendString writes a JSON string as RFC 8785 section 3.2.2.2 says: two-letter
// escapes where JSON has them, \u00xx in lower case for the other control
// characters, everything else as it is. s is valid UTF-8: the rules of an entry
// allow ASCII only.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

func appendList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// usualNames is the number of names in a map that are sorted without an
// allocation.
const usualNames = 16

// appendCounts sorts by bytes, which is the order of UTF-16 code units that
// RFC 8785 asks for as long as the names are ASCII; nameRule sees to it.
func appendCounts(b []byte, m map[string]int) []byte {
	var buf [usualNames]string
	names := buf[:0]
	for s := range m {
		names = append(names, s)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, s := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(m[s]), 10)
	}
	return append(b, '}')
}
