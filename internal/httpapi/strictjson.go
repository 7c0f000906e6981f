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
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, notJSON(err)
	}
	if at, found := unpairedSurrogate(body); found {
		return nil, malformed(fmt.Sprintf("the body has an unpaired surrogate at byte %d", at))
	}
	r := &strictReader{decoder: json.NewDecoder(bytes.NewReader(body)), words: words}
	r.decoder.UseNumber()
	return r.value(1)
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

// strictReader walks the tokens of a body that is known to be valid JSON.
type strictReader struct {
	decoder *json.Decoder
	words   words
	path    []string
	nodes   int
}

func (r *strictReader) value(depth int) (any, error) {
	if r.nodes++; r.nodes > MaxNodes {
		return nil, beyond(limitNodes, fmt.Sprintf("the body has more than %d values", MaxNodes))
	}
	token, err := r.decoder.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	switch t := token.(type) {
	case json.Delim:
		if depth > MaxDepth {
			return nil, beyond(limitDepth, fmt.Sprintf("the body is nested deeper than %d levels", MaxDepth))
		}
		if t == '{' {
			return r.object(depth)
		}
		return r.array(depth)
	case json.Number:
		if bytes.ContainsAny([]byte(t), ".eE") {
			return nil, vault.Invalid(r.words.pointer(r.path), "must be an integer without fraction or exponent")
		}
		return t, nil
	default:
		return t, nil // nil, bool or string
	}
}

func (r *strictReader) object(depth int) (any, error) {
	members := make(map[string]any)
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, isName := token.(string)
		if !isName {
			return nil, notJSON(nil)
		}
		if _, twice := members[name]; twice {
			return nil, edge(http.StatusBadRequest, vault.Invalid(r.words.pointer(r.path), "has a field twice"))
		}
		r.path = append(r.path, r.words.segment(name))
		if members[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
	}
	return members, r.end()
}

func (r *strictReader) array(depth int) (any, error) {
	items := []any{}
	for r.decoder.More() {
		r.path = append(r.path, strconv.Itoa(len(items)))
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		r.path = r.path[:len(r.path)-1]
	}
	return items, r.end()
}

// end takes the closing delimiter.
func (r *strictReader) end() error {
	if _, err := r.decoder.Token(); err != nil {
		return notJSON(err)
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
