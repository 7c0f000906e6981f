package audit

import (
	"strings"
	"time"
)

// A canonical reads a leaf that is in the one form that Leaf writes, and gives up
// at the first byte that is not: no white space, no escape, names in the order of
// the table, nothing empty, every string by its rule. What it accepts needs not be
// written again to be compared, which is half of the work of a verifier.
//
// It is a short cut and no judge: ParseLeaf reads whatever it refuses the long
// way, which finds the reason. That what it accepts is accepted there too, and is
// the same entry, is tested and fuzzed.
type canonical struct {
	s string // the leaf; strings of the entry are parts of it
	i int
}

func parseCanonical(leaf []byte) (Entry, bool) {
	c := canonical{s: string(leaf)}
	var e Entry
	if !c.take('{') {
		return e, false
	}
	for next := 0; ; {
		name, ok := c.name()
		if !ok {
			return e, false
		}
		// Names only ascend: one that is behind, and one that comes twice, is not
		// found any more.
		for next < len(fields) && fields[next].name != name {
			next++
		}
		if next == len(fields) || !c.field(&fields[next], &e) {
			return e, false
		}
		next++
		if c.take('}') {
			break
		}
		if !c.take(',') {
			return e, false
		}
	}
	return e, c.i == len(c.s) && e.validateWhole() == nil && e.complete() == nil
}

func (c *canonical) take(b byte) bool {
	if c.i < len(c.s) && c.s[c.i] == b {
		c.i++
		return true
	}
	return false
}

// name reads the name of a member and the colon after it.
func (c *canonical) name() (string, bool) {
	if !c.take('"') {
		return "", false
	}
	n := strings.IndexByte(c.s[c.i:], '"')
	if n < 0 {
		return "", false
	}
	name := c.s[c.i : c.i+n]
	c.i += n + 1
	return name, c.take(':')
}

func (c *canonical) field(f *field, e *Entry) (ok bool) {
	switch {
	case f.str != nil:
		*f.str(e), ok = c.text(f.rule)
	case f.num != nil:
		var n int
		n, ok = c.integer()
		*f.num(e), ok = n, ok && n != 0
	case f.list != nil:
		*f.list(e), ok = c.list(f.rule)
	case f.counts != nil:
		*f.counts(e), ok = c.counts(f.rule)
	case f.name == timeField:
		e.Time, ok = c.time()
	default:
		ok = c.client(&e.Client)
	}
	return ok
}

// text reads a string by a rule. No rule allows a quote or a backslash, so the
// string ends at the first byte that its rule does not allow.
func (c *canonical) text(r *rule) (string, bool) {
	if !c.take('"') {
		return "", false
	}
	start := c.i
	for c.i < len(c.s) && r.chars[c.s[c.i]] {
		c.i++
	}
	s := c.s[start:c.i]
	return s, len(s) >= r.min && len(s) <= r.max && c.take('"')
}

// integer reads digits without a leading zero. Sixteen of them hold MaxCount and
// cannot overflow.
func (c *canonical) integer() (int, bool) {
	start, n := c.i, 0
	for ; c.i < len(c.s) && c.s[c.i]-'0' <= 9; c.i++ {
		if c.i-start == 16 {
			return 0, false
		}
		n = n*10 + int(c.s[c.i]-'0')
	}
	digits := c.i - start
	return n, digits > 0 && (digits == 1 || c.s[start] != '0') && n <= MaxCount
}

func (c *canonical) list(r *rule) ([]string, bool) {
	if !c.take('[') {
		return nil, false
	}
	var list []string
	for {
		s, ok := c.text(r)
		if !ok || len(list) == MaxTokens {
			return nil, false
		}
		list = append(list, s)
		if c.take(']') {
			return list, true
		}
		if !c.take(',') {
			return nil, false
		}
	}
}

func (c *canonical) counts(r *rule) (map[string]int, bool) {
	if !c.take('{') {
		return nil, false
	}
	m, last := make(map[string]int), ""
	for {
		name, ok := c.text(r)
		// No name is empty, so the first is above last too.
		if !ok || name <= last || !c.take(':') || len(m) == MaxMap {
			return nil, false
		}
		if m[name], ok = c.integer(); !ok {
			return nil, false
		}
		last = name
		if c.take('}') {
			return m, true
		}
		if !c.take(',') {
			return nil, false
		}
	}
}

func (c *canonical) client(into *Client) bool {
	if !c.take('{') {
		return false
	}
	for next := 0; ; {
		name, ok := c.name()
		if !ok {
			return false
		}
		for next < len(clientParts) && clientParts[next].name != name {
			next++
		}
		if next == len(clientParts) {
			return false
		}
		p := &clientParts[next]
		next++
		if *p.str(into), ok = c.text(p.rule); !ok {
			return false
		}
		if c.take('}') {
			return true
		}
		if !c.take(',') {
			return false
		}
	}
}

// time reads exactly timeLayout. A day or hour that there is not comes out as
// another one, and is refused as such.
func (c *canonical) time() (time.Time, bool) {
	const quoted = len(timeLayout) + 2
	if len(c.s)-c.i < quoted || c.s[c.i] != '"' || c.s[c.i+quoted-1] != '"' {
		return time.Time{}, false
	}
	s := c.s[c.i+1 : c.i+quoted-1]
	c.i += quoted
	var numbers [7]int
	at := 0
	for i := range len(timeLayout) {
		switch d := s[i] - '0'; {
		case timeLayout[i] < '0' || timeLayout[i] > '9':
			if s[i] != timeLayout[i] {
				return time.Time{}, false
			}
			at++
		case d > 9:
			return time.Time{}, false
		default:
			numbers[at] = numbers[at]*10 + int(d)
		}
	}
	year, month, day := numbers[0], time.Month(numbers[1]), numbers[2]
	hour, minute, second := numbers[3], numbers[4], numbers[5]
	if month < time.January || month > time.December || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, numbers[6]*int(time.Microsecond), time.UTC)
	return t, t.Day() == day && t.Month() == month
}
