package audit

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// timeLayout is RFC 3339 in UTC with exactly six decimals: one text for one
// instant, and sorting the text sorts the time.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// usualLeaf is what a usual entry takes, so that most leaves are built in one
// allocation.
const usualLeaf = 768

// Leaf returns the bytes that are hashed and stored: the entry in the
// canonical JSON of RFC 8785. The entry must be complete (see Finalise) and
// fit into MaxLeaf bytes and MaxTokens items per list.
func (e Entry) Leaf() ([]byte, error) { return e.leaf() }

func (e *Entry) leaf() ([]byte, error) {
	if err := e.validate(MaxTokens); err != nil {
		return nil, err
	}
	if err := e.complete(); err != nil {
		return nil, err
	}
	b := appendEntry(make([]byte, 0, usualLeaf), e)
	if len(b) > MaxLeaf {
		return nil, fmt.Errorf("%w: %d bytes in one leaf, at most %d", ErrTooLarge, len(b), MaxLeaf)
	}
	return b, nil
}

// ParseLeaf reads a leaf and accepts only the bytes that Leaf would write:
// ParseLeaf(b).Leaf() is b, or ParseLeaf fails.
func ParseLeaf(b []byte) (Entry, error) {
	if len(b) > MaxLeaf {
		return Entry{}, fmt.Errorf("%w: %d bytes in one leaf, at most %d", ErrTooLarge, len(b), MaxLeaf)
	}
	if e, ok := parseCanonical(b); ok {
		return e, nil
	}
	return parseLong(b)
}

// parseLong is ParseLeaf for a leaf of an allowed length, and says what is wrong.
func parseLong(b []byte) (Entry, error) {
	e, err := decodeEntry(b)
	if err != nil {
		return Entry{}, err
	}
	again, err := e.Leaf()
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(again, b) {
		return Entry{}, ErrCanonical
	}
	return e, nil
}

// DecodeEntry reads the JSON of a complete entry whatever its white space, key
// order and escapes, as it arrives when the leaf travelled inside another
// document. It is otherwise as strict as ParseLeaf: no unknown or repeated
// field, no null, integers only. Leaf of the result is the leaf that was sent.
func DecodeEntry(b []byte) (Entry, error) {
	e, err := decodeEntry(b)
	if err != nil {
		return Entry{}, err
	}
	if err := e.validate(MaxTokens); err != nil {
		return Entry{}, err
	}
	return e, e.complete()
}

// MarshalJSON returns the leaf, so that an entry inside an answer is the entry
// that was hashed.
func (e Entry) MarshalJSON() ([]byte, error) { return e.Leaf() }

// UnmarshalJSON is DecodeEntry.
func (e *Entry) UnmarshalJSON(b []byte) error {
	decoded, err := DecodeEntry(b)
	if err != nil {
		return err
	}
	*e = decoded
	return nil
}

// appendEntry writes the fields in the order of the table, leaving out the
// empty ones. It checks nothing: the caller has validated e.
func appendEntry(b []byte, e *Entry) []byte {
	b = append(b, '{')
	for i := range fields {
		b = fields[i].append(b, e)
	}
	return append(b, '}')
}

func (f *field) empty(e *Entry) bool {
	switch {
	case f.str != nil:
		return *f.str(e) == ""
	case f.num != nil:
		return *f.num(e) == 0
	case f.list != nil:
		return len(*f.list(e)) == 0
	case f.counts != nil:
		return len(*f.counts(e)) == 0
	case f.name == timeField:
		return e.Time.IsZero()
	default:
		return e.Client == Client{}
	}
}

// append writes name and value of the field, or nothing where it is empty.
func (f *field) append(b []byte, e *Entry) []byte {
	switch {
	case f.str != nil:
		if s := *f.str(e); s != "" {
			return appendString(f.begin(b), s)
		}
	case f.num != nil:
		if n := *f.num(e); n != 0 {
			return strconv.AppendInt(f.begin(b), int64(n), 10)
		}
	case f.list != nil:
		if list := *f.list(e); len(list) > 0 {
			return appendList(f.begin(b), list)
		}
	case f.counts != nil:
		if m := *f.counts(e); len(m) > 0 {
			return appendCounts(f.begin(b), m)
		}
	case f.name == timeField:
		if !e.Time.IsZero() {
			return appendTime(f.begin(b), e.Time)
		}
	default:
		if e.Client != (Client{}) {
			return appendClient(f.begin(b), &e.Client)
		}
	}
	return b
}

// begin writes the name, and a comma before it unless the object just opened:
// no value ends with the bracket that opens one.
func (f *field) begin(b []byte) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(b, f.label...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"')
}

func appendClient(b []byte, c *Client) []byte {
	b = append(b, '{')
	start := len(b)
	for _, p := range clientParts {
		s := *p.str(c)
		if s == "" {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = appendString(b, p.name)
		b = append(b, ':')
		b = appendString(b, s)
	}
	return append(b, '}')
}
