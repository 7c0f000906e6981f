package authn

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// errAmbiguous is JSON that is invalid or that two parsers could read in two
// ways. The parser that signs and the one that verifies must not differ.
var errAmbiguous = errors.New("authn: JSON is invalid or ambiguous")

// object is a decoded JSON object. Its values are string, json.Number, bool,
// nil, []any and object.
type object map[string]any

// decodeObject decodes exactly one JSON object. It refuses what encoding/json
// lets pass: duplicate names, names that differ in case only, text that is not
// UTF-8 and lone surrogates (both would be replaced silently).
func decodeObject(data []byte) (object, error) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, errAmbiguous
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := decodeValue(decoder)
	if err != nil {
		return nil, err
	}
	decoded, ok := value.(object)
	if !ok {
		return nil, errAmbiguous
	}
	return decoded, nil
}

// decodeValue recurses once per level; the data are at most MaxTokenBytes and
// have passed json.Valid, so that the depth is bounded.
func decodeValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, errAmbiguous
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return decodeMembers(decoder)
		}
		return decodeElements(decoder)
	case string:
		// The replacement character is what a lone surrogate becomes.
		if strings.ContainsRune(t, unicode.ReplacementChar) {
			return nil, errAmbiguous
		}
		return t, nil
	default:
		return t, nil
	}
}

func decodeMembers(decoder *json.Decoder) (object, error) {
	members, seen := object{}, map[string]bool{}
	for decoder.More() {
		token, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok || seen[fold(name)] {
			return nil, errAmbiguous
		}
		seen[fold(name)] = true
		if members[name], err = decodeValue(decoder); err != nil {
			return nil, err
		}
	}
	return members, closeDelim(decoder)
}

func decodeElements(decoder *json.Decoder) ([]any, error) {
	elements := []any{}
	for decoder.More() {
		element, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return elements, closeDelim(decoder)
}

func closeDelim(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return errAmbiguous
	}
	return nil
}

// fold makes names equal that a parser which ignores case takes for one. Upper
// first: the long s and the Kelvin sign fold to s and k only that way round.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// isIdentifier holds for what may name somebody or something: 1 to
// MaxIdentifierBytes of printable text without a space at either end. It
// excludes control bytes and the invisible characters by which two names look
// the same.
func isIdentifier(s string) bool {
	if s == "" || len(s) > MaxIdentifierBytes || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	return !strings.ContainsFunc(s, unprintable)
}
