package audit

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A decoder reads the JSON of one entry. It is written by hand because
// encoding/json takes the last of two equal keys and matches names without
// regard to case: either would let two different texts be one entry.
type decoder struct {
	b []byte
	i int
}

func (d *decoder) syntax(what string) error {
	return fmt.Errorf("%w: byte %d: %s", ErrSyntax, d.i, what)
}

func (d *decoder) space() {
	for d.i < len(d.b) && (d.b[d.i] == ' ' || d.b[d.i] == '\t' || d.b[d.i] == '\n' || d.b[d.i] == '\r') {
		d.i++
	}
}

// next skips white space and the byte c, or leaves the place and returns false.
func (d *decoder) next(c byte) bool {
	d.space()
	if d.i < len(d.b) && d.b[d.i] == c {
		d.i++
		return true
	}
	return false
}

func decodeEntry(b []byte) (Entry, error) {
	d := decoder{b: b}
	var e Entry
	// One bit per field. The table has fewer than 64 lines: a test pins it.
	var seen uint64
	err := d.object(func(name []byte) error {
		i, ok := fieldIndex[string(name)]
		if !ok {
			return schemaError("entry", "has a field that is not in the list")
		}
		if seen&(1<<i) != 0 {
			return schemaError(fields[i].name, "appears twice")
		}
		seen |= 1 << i
		return d.field(&fields[i], &e)
	})
	if err != nil {
		return Entry{}, err
	}
	d.space()
	if d.i != len(b) {
		return Entry{}, d.syntax("something follows the entry")
	}
	return e, nil
}

func (d *decoder) field(f *field, e *Entry) (err error) {
	switch {
	case f.str != nil:
		*f.str(e), err = d.text()
	case f.num != nil:
		*f.num(e), err = d.integer()
	case f.list != nil:
		*f.list(e), err = d.list()
	case f.counts != nil:
		*f.counts(e), err = d.counts(f.name)
	case f.name == timeField:
		e.Time, err = d.time()
	default:
		err = d.client(&e.Client)
	}
	return err
}

// object calls member after each name and colon; member reads the value and
// must not keep the name.
func (d *decoder) object(member func(name []byte) error) error {
	if !d.next('{') {
		return d.syntax("an object is expected")
	}
	if d.next('}') {
		return nil
	}
	for {
		s, err := d.raw()
		if err != nil {
			return err
		}
		if !d.next(':') {
			return d.syntax("a colon is expected")
		}
		if err := member(s); err != nil {
			return err
		}
		if d.next('}') {
			return nil
		}
		if !d.next(',') {
			return d.syntax("a comma or the end of an object is expected")
		}
	}
}

func (d *decoder) text() (string, error) {
	b, err := d.raw()
	return string(b), err
}

// raw reads a string; where nothing is escaped it is a part of the input.
func (d *decoder) raw() ([]byte, error) {
	if !d.next('"') {
		return nil, d.syntax("a string is expected")
	}
	start := d.i
	for ; d.i < len(d.b); d.i++ {
		switch c := d.b[d.i]; {
		case c == '"':
			d.i++
			return d.b[start : d.i-1], nil
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return nil, d.syntax("a control character in a string")
		}
	}
	return nil, d.syntax("a string without an end")
}

// escaped reads the rest of a string that holds an escape. Broken surrogates
// and bytes that are not UTF-8 become U+FFFD there, which no rule allows.
func (d *decoder) escaped(start int) ([]byte, error) {
	for ; d.i < len(d.b); d.i++ {
		switch d.b[d.i] {
		case '\\':
			d.i++
		case '"':
			d.i++
			var s string
			if err := json.Unmarshal(d.b[start-1:d.i], &s); err != nil {
				return nil, d.syntax("a malformed string")
			}
			return []byte(s), nil
		}
	}
	return nil, d.syntax("a string without an end")
}

func (d *decoder) integer() (int, error) {
	d.space()
	start := d.i
	for d.i < len(d.b) && d.b[d.i] >= '0' && d.b[d.i] <= '9' {
		d.i++
	}
	digits := d.b[start:d.i]
	// 16 digits hold MaxCount and cannot overflow 64 bits; the schema has the
	// exact bound.
	if len(digits) == 0 || len(digits) > 16 || digits[0] == '0' && len(digits) > 1 {
		return 0, d.syntax("a whole number is expected")
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || n > math.MaxInt {
		return 0, d.syntax("a whole number is expected")
	}
	return int(n), nil
}

func (d *decoder) list() ([]string, error) {
	if !d.next('[') {
		return nil, d.syntax("a list is expected")
	}
	if d.next(']') {
		return nil, nil
	}
	var list []string
	for {
		s, err := d.text()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
		if d.next(']') {
			return list, nil
		}
		if !d.next(',') {
			return nil, d.syntax("a comma or the end of a list is expected")
		}
	}
}

func (d *decoder) counts(field string) (map[string]int, error) {
	var m map[string]int
	err := d.object(func(s []byte) error {
		if _, ok := m[string(s)]; ok {
			return schemaError(field, "a name appears twice")
		}
		n, err := d.integer()
		if m == nil {
			m = make(map[string]int)
		}
		m[string(s)] = n
		return err
	})
	return m, err
}

func (d *decoder) client(c *Client) error {
	var seen [len(clientParts)]bool
	return d.object(func(s []byte) error {
		for i := range clientParts {
			p := &clientParts[i]
			if p.name != string(s) {
				continue
			}
			if seen[i] {
				return schemaError(clientField+"."+p.name, "appears twice")
			}
			seen[i] = true
			v, err := d.text()
			*p.str(c) = v
			return err
		}
		return schemaError(clientField, "has a field that is not in the list")
	})
}

func (d *decoder) time() (time.Time, error) {
	s, err := d.text()
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.IsZero() {
		return time.Time{}, schemaError(timeField, "must be RFC 3339")
	}
	return t.UTC(), nil
}
