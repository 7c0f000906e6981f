package detect

import "strings"

// Bounds of an assignment, as gitleaks has them, a little wider where programs indent.
const (
	maxNameBefore = 40 // characters of a name before its keyword that are looked at
	maxNameRest   = 20 // "_production_api_key "
	maxClosing    = 4  // `"]) `
	maxOperator   = 4  // `:::=`
	maxOpening    = 16 // a line break, the indent, a quote
	maxTypeName   = 16 // `token: string = "`
)

// Byte classes of an assignment.
const (
	restByte = 1 << iota
	closingByte
	operatorByte
	openingByte
	spaceByte
)

var assignClass = func() (class [256]uint8) {
	put := func(chars string, as uint8) {
		for i := range len(chars) {
			class[chars[i]] |= as
		}
	}
	for c := range class {
		if isAlnum(byte(c)) {
			class[c] = restByte
		}
	}
	put("_.- \t", restByte)
	put("\"'`])\\ \t(", closingByte)
	put("=:>|?,+", operatorByte)
	put("\"'`\\ \t\r\n=([{", openingByte)
	put(" \t\r\n", spaceByte)
	return class
}()

// assigned returns where the value begins that is assigned to a name of which a keyword ends at at, or 0: the rest of
// the name, what closes it, an operator, what opens the value. The forms are those of programs, configurations,
// markup, headers and calls: `API_KEY="`, `"apiKey": "`, `<token>`, `setProperty("token", "`, `token := "`, `=> '`.
func (s *scan) assigned(at int) int {
	if s.secrets.nameEnd != at {
		s.secrets.nameEnd, s.secrets.valueStart = at, s.readAssignment(at)
	}
	return s.secrets.valueStart
}

func (s *scan) readAssignment(at int) int {
	i := s.nameRest(at)
	if c := s.byteAt(i); c == ')' || c == ']' { // "SHA256(auth)= ", "[type=token]": a name in quotes alone is closed so
		return 0
	}
	i = s.skipAssign(i, closingByte, maxClosing)
	op := i
	if i = s.skipAssign(op, operatorByte, maxOperator); i == op {
		return s.wordAssignment(at)
	}
	switch last := s.text[i-1]; {
	case last == '+' || last == '?': // only as a part of += and ?=
		return 0
	case last == ',' && strings.ContainsAny(s.text[at:op], " \t"): // of a sentence
		return 0
	}
	i = s.skipAssign(i, openingByte, maxOpening)
	if t := s.skipAssign(i, restByte, maxTypeName); s.typeName(i, t) && s.text[op] == ':' && s.byteAt(t) == '=' {
		i = s.skipAssign(t, openingByte, maxOpening)
	}
	if i == len(s.text) {
		return 0
	}
	return s.afterScheme(i)
}

// typeName says whether what stands between i and end is rather the name of a type than a value.
func (s *scan) typeName(i, end int) bool {
	return end > i && s.quoteBefore(i) == 0 && !strings.ContainsAny(s.text[i:end], "0123456789")
}

// nameRest returns the end of the rest of a name, and of what stands between it and the operator: a type, or more words of
// the name. Words with digits are none of these: "auth v0.5.0 h1:".
func (s *scan) nameRest(at int) int {
	end := s.skipAssign(at, restByte, maxNameRest)
	if n := strings.IndexAny(s.text[at:end], " \t"); n >= 0 && strings.ContainsAny(s.text[at+n:end], "0123456789") {
		return at + n
	}
	return end
}

func (s *scan) skipAssign(i int, class uint8, most int) int {
	for stop := min(len(s.text), i+most); i < stop && assignClass[s.text[i]]&class != 0; i++ {
	}
	return i
}

// wordAssignment takes "is" for an operator: "the token is 5eb...".
func (s *scan) wordAssignment(at int) int {
	for _, word := range []string{" is ", " is: ", " was "} {
		if strings.HasPrefix(s.text[at:], word) {
			return s.skipAssign(at+len(word), openingByte, maxOpening)
		}
	}
	return 0
}

// schemes of an Authorization header (RFC 7235) whose credentials are the secret.
var schemes = []string{"bearer ", "basic ", "token ", "apikey ", "api-token ", "bot ", "digest "}

// afterScheme skips the scheme of an Authorization header.
func (s *scan) afterScheme(i int) int {
	for _, scheme := range schemes {
		if s.foldedPrefix(i, scheme) {
			return s.skipAssign(i+len(scheme), openingByte, maxOpening)
		}
	}
	return i
}

// foldedPrefix says whether the text goes on at i with a prefix in lower case, whatever its case there.
func (s *scan) foldedPrefix(i int, prefix string) bool {
	if i+len(prefix) > len(s.text) {
		return false
	}
	for k := range len(prefix) {
		if lower(s.text[i+k]) != prefix[k] {
			return false
		}
	}
	return true
}

// valueEnds says whether a value may end at i: at the end of the text, white space, a quote, or what closes or separates in
// programs, configurations and URLs. Other characters go on with it: then it is longer than its rule says.
func (s *scan) valueEnds(i int) bool {
	if i >= len(s.text) {
		return true
	}
	switch c := s.text[i]; c {
	case '\\':
		return strings.IndexByte(`nrt"'\`, s.byteAt(i+1)) >= 0
	case '.', ':', '!', '?':
		next := s.byteAt(i + 1)
		return next <= ' ' || next == '"' || next == '\'' || next == '`'
	case ' ', '\t', '\r', '\n', '"', '\'', '`', ';', ',', ')', ']', '}', '<', '>', '&', '|', '*', hole:
		return true
	}
	return s.text[i] >= 0x80 && !s.gluedAfter(i)
}

// nameSays says whether a word of the name around a keyword is in a set. Words are divided by
// punctuation and by capitals: "userAccessTokenURL" is four words.
func (s *scan) nameSays(set map[string]bool, start, end int) bool {
	from, to := start, end
	for from > 0 && start-from < maxNameBefore && isNameByte(s.text[from-1]) {
		from--
	}
	for to < len(s.text) && to-end < maxNameRest && isNameByte(s.text[to]) {
		to++
	}
	var word [maxContextWord]byte
	n := 0
	for i := from; i < to; i++ {
		c := s.text[i]
		begins := isUpper(c) && i > from && (isLower(s.text[i-1]) || i+1 < to && isLower(s.text[i+1]))
		if begins || !isLower(c) && !isUpper(c) {
			if set[string(word[:n])] {
				return true
			}
			n = 0
		}
		if n < len(word) && (isLower(c) || isUpper(c)) {
			word[n] = lower(c)
			n++
		}
	}
	return set[string(word[:n])]
}

func isNameByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

// wordEnds says whether a keyword of a name that ends at i is the end of a word: "authToken" and "AUTH_KEY" hold the word
// auth, "author" does not. A plural is the same word.
func (s *scan) wordEnds(i int) bool {
	last, next := s.text[i-1], s.byteAt(i)
	if isLower(last) && next == 's' || isUpper(last) && next == 'S' {
		next = s.byteAt(i + 1)
	}
	return !isLower(next) && (!isUpper(last) || !isUpper(next))
}

// wordBegins is the same for its begin.
func (s *scan) wordBegins(i int) bool {
	before, first := s.byteBefore(i), s.text[i]
	return !isUpper(before) && (!isLower(before) || !isLower(first))
}
