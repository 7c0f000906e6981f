package payload

import "strings"

// unsearched says why a string at a place with such a deed is not searched, or
// "" where it is. What is not as it should be at its place is searched.
func unsearched(d deed, text string) string {
	if isDataURL(text) {
		return WhyDataURL
	}
	switch {
	case d == deedStructure && isIdentifier(text):
		return WhyStructure
	case d == deedMedia && isBase64(text):
		return WhyMedia
	case d == deedBinary && isBase64(text):
		return WhyBinary
	}
	return ""
}

// byte classes of the strings that are not searched.
const (
	letters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digitBytes = "0123456789"
)

var (
	identifierBytes = byteSet(letters + digitBytes + "_-.:/+=#")
	base64Bytes     = byteSet(letters + digitBytes + "+/-_=\r\n")
)

func byteSet(of string) (set [256]bool) {
	for i := range len(of) {
		set[of[i]] = true
	}
	return set
}

func within(set *[256]bool, text string) bool {
	for i := range len(text) {
		if !set[text[i]] {
			return false
		}
	}
	return true
}

// isIdentifier says whether a string could be a name of the API itself: one
// word without spaces, no address of anything, no number as people have them.
func isIdentifier(text string) bool {
	if len(text) > MaxIdentifier || !within(&identifierBytes, text) || strings.Contains(text, "//") {
		return false
	}
	digits := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c-'0' <= 9:
			digits++
		case c|0x20-'a' < 26:
			return true
		}
	}
	return digits < NumberDigits
}

// isBase64 says whether a string is of the two alphabets of RFC 4648, with the
// line ends of RFC 2045.
func isBase64(text string) bool { return within(&base64Bytes, text) }

// isDataURL knows data URLs in base64 (RFC 2397). Others hold text.
func isDataURL(text string) bool {
	rest, ok := strings.CutPrefix(text, "data:")
	if !ok {
		return false
	}
	kind, data, ok := strings.Cut(rest, ";base64,")
	return ok && len(kind) <= MaxIdentifier && !strings.ContainsAny(kind, " ,\"") && isBase64(data)
}

// mayNest says whether a string could be an object or an array. Anything else
// that is JSON is a text: it has no structure that a value could break.
func mayNest(text string) bool {
	text = strings.Trim(text, " \t\r\n") // the white space of JSON
	if len(text) < 2 {
		return false
	}
	first, last := text[0], text[len(text)-1]
	return first == '{' && last == '}' || first == '[' && last == ']'
}
