package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// readStrict reads a body of which no two parsers can have different opinions:
// one JSON value in UTF-8 and nothing behind it, no duplicate names, no
// unpaired surrogates (Go would silently make U+FFFD of them, and a text would
// not come back as it was), no numbers but integers, bounded depth and size.
// Objects become map[string]any, numbers json.Number.
//
// Errors name places by the words of the document and by indexes; a name that
// only the caller knows is not repeated.
func readStrict(body []byte, words words) (any, error) {
	if !utf8.Valid(body) {
		return nil, malformed("the body is not UTF-8")
	}
	if !json.Valid(body) {
		var whole json.RawMessage
		return nil, notJSON(json.Unmarshal(body, &whole)) // which tells where
	}
	if at, found := unpairedSurrogate(body); found {
		return nil, malformed(fmt.Sprintf("the body has an unpaired surrogate at byte %d", at))
	}
	return (&strictReader{body: body, words: words}).value(1)
}

func malformed(detail string) error {
	return edge(http.StatusBadRequest, vault.Errorf(vault.CodeInvalid, "%s", detail))
}

// notJSON tells where reading stopped. The text of the decoder's error quotes
// the character that it met, so that only its position is used.
func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return malformed(fmt.Sprintf("the body is not JSON: reading stopped at byte %d", syntax.Offset))
	}
	return malformed("the body is not JSON")
}

// strictReader walks a body that is known to be valid JSON: what it meets is
// what the grammar allows there, and it only has to tell things apart. Each
// string that it returns is a copy, so that none keeps the body in memory.
type strictReader struct {
	body  []byte
	at    int // next byte to read
	words words
	path  []string
	nodes int
}

// next skips white space and returns the byte behind it, without taking it.
func (r *strictReader) next() byte {
	for ; r.at < len(r.body); r.at++ {
		switch c := r.body[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0 // which valid JSON does not hold
}

func (r *strictReader) value(depth int) (any, error) {
	if r.nodes++; r.nodes > MaxNodes {
		return nil, beyond(limitNodes, fmt.Sprintf("the body has more than %d values", MaxNodes))
	}
	switch r.next() {
	case '{', '[':
		if depth > MaxDepth {
			return nil, beyond(limitDepth, fmt.Sprintf("the body is nested deeper than %d levels", MaxDepth))
		}
		if r.body[r.at] == '{' {
			return r.object(depth)
		}
		return r.array(depth)
	case '"':
		return r.text()
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	case 'n':
		return nil, r.literal("null")
	default:
		return r.number()
	}
}

func (r *strictReader) object(depth int) (any, error) {
	members := make(map[string]any)
	for more := r.enter('}'); more; more = r.more() {
		if r.next() != '"' {
			return nil, notJSON(nil)
		}
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, edge(http.StatusBadRequest, vault.Invalid(r.words.pointer(r.path), "has a field twice"))
		}
		if r.next() != ':' {
			return nil, notJSON(nil)
		}
		r.at++
		r.path = append(r.path, r.words.segment(name))
		if members[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
	}
	return members, nil
}

func (r *strictReader) array(depth int) (any, error) {
	items := []any{}
	for more := r.enter(']'); more; more = r.more() {
		r.path = append(r.path, strconv.Itoa(len(items)))
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		r.path = r.path[:len(r.path)-1]
	}
	return items, nil
}

// enter takes the opening bracket, and the closing one too where nothing is
// between them. It says whether something is.
func (r *strictReader) enter(closing byte) bool {
	if r.at++; r.next() != closing {
		return true
	}
	r.at++
	return false
}

// more takes the comma or the closing bracket behind a value.
func (r *strictReader) more() bool {
	comma := r.next() == ','
	r.at++
	return comma
}

// text takes a string.
func (r *strictReader) text() (string, error) {
	start := r.at
	for r.at++; r.at < len(r.body); r.at++ {
		switch r.body[r.at] {
		case '"':
			r.at++
			return string(r.body[start+1 : r.at-1]), nil
		case '\\':
			return r.escaped(start)
		}
	}
	return "", notJSON(nil)
}

// escaped takes a string that holds escapes, from its opening quote on.
func (r *strictReader) escaped(start int) (string, error) {
	for ; r.at < len(r.body); r.at++ {
		switch r.body[r.at] {
		case '"':
			r.at++
			var text string
			if err := json.Unmarshal(r.body[start:r.at], &text); err != nil {
				return "", notJSON(err)
			}
			return text, nil
		case '\\':
			r.at++ // and what it escapes
		}
	}
	return "", notJSON(nil)
}

func (r *strictReader) number() (any, error) {
	start := r.at
	for ; r.at < len(r.body); r.at++ {
		switch c := r.body[r.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+':
		case c == '.', c == 'e', c == 'E':
			return nil, vault.Invalid(r.words.pointer(r.path), "must be an integer without fraction or exponent")
		default:
			return numberOf(r.body[start:r.at])
		}
	}
	return numberOf(r.body[start:])
}

func numberOf(digits []byte) (any, error) {
	if len(digits) == 0 {
		return nil, notJSON(nil)
	}
	return json.Number(digits), nil
}

// literal takes one of the three words.
func (r *strictReader) literal(word string) error {
	if r.at += len(word); r.at > len(r.body) {
		return notJSON(nil)
	}
	return nil
}

func beyond(limit, detail string) error {
	e := vault.Errorf(vault.CodeInvalid, "%s", detail)
	e.Limit = limit
	return e
}

// The surrogates of UTF-16, and the length of an escape such as \ud83d.
const (
	highSurrogate = 0xD800
	lowSurrogate  = 0xDC00
	pastSurrogate = 0xE000
	escapeLen     = 6
)

// unpairedSurrogate finds an escaped surrogate without its other half, in
// valid JSON: there a backslash stands in strings only, and before something.
func unpairedSurrogate(body []byte) (at int, found bool) {
	for i := 0; i < len(body); {
		next := bytes.IndexByte(body[i:], '\\')
		if next < 0 {
			return 0, false
		}
		i += next
		unit, escaped := escapedUnit(body[i:])
		switch {
		case !escaped:
			i += 2 // a backslash and what it escapes
		case unit < highSurrogate || unit >= pastSurrogate:
			i += escapeLen
		case unit >= lowSurrogate:
			return i, true
		default:
			low, escaped := escapedUnit(body[i+escapeLen:])
			if !escaped || low < lowSurrogate || low >= pastSurrogate {
				return i, true
			}
			i += 2 * escapeLen
		}
	}
	return 0, false
}

func escapedUnit(b []byte) (uint64, bool) {
	if len(b) < escapeLen || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(b[2:escapeLen]), 16, 16)
	return unit, err == nil
}
