package token

// The states of an HTML tag.
const (
	tagNone       = iota
	tagOpen       // behind <
	tagName       // in the name, which decides whether it is a tag at all
	tagEnd        // in an end tag, which has no attributes that matter
	tagAttributes // between them, or in one without quotes
	tagQuoted     // in a quoted value
)

// tag follows HTML tags (WHATWG HTML section 13.2.5), with one restriction: a
// name is letters, digits, colons and hyphens, or "a<b;" in code would be one.
type tag struct {
	state int
	quote byte // that ends the value
	equal bool // an equals sign came last: a quotation mark begins a value
	code  bool // opened in code
}

func (t *tag) attributes() bool { return t.state == tagAttributes || t.state == tagQuoted }

// step moves over one byte. It is true for the > that ends a tag.
func (t *tag) step(b byte, e event) (ends bool) {
	switch t.state {
	case tagNone:
		if b == '<' {
			*t = tag{state: tagOpen, code: e.code}
		}
	case tagOpen:
		switch {
		case isLetter(b):
			t.state = tagName
		case b == '/':
			t.state = tagEnd
		case b != '<':
			t.state = tagNone
		}
	case tagName:
		switch {
		case isSpace(b), b == '/':
			t.state = tagAttributes
		case b == '>':
			return t.end()
		case b == '<':
			t.state = tagOpen
		case !isLetter(b) && !isDigit(b) && b != ':' && b != '-':
			t.state = tagNone
		}
	case tagEnd:
		switch {
		case b == '>':
			return t.end()
		case b == '<':
			t.state = tagOpen
		case e.emptyLine:
			t.state = tagNone
		}
	case tagAttributes:
		return t.stepAttributes(b, e)
	case tagQuoted:
		if b == t.quote {
			t.state, t.equal = tagAttributes, false
			return true
		}
	}
	return false
}

// stepAttributes moves over one byte outside quotes. An empty line ends what was
// no tag but a stray "<b "; what follows in a real one is caught as a URL.
func (t *tag) stepAttributes(b byte, e event) (ends bool) {
	switch {
	case b == '>':
		return t.end()
	case e.emptyLine:
		t.state = tagNone
	case (b == '"' || b == '\'') && t.equal:
		t.state, t.quote = tagQuoted, b
	case b == '=':
		t.equal = true
	case !isSpace(b):
		t.equal = false
	}
	return false
}

func (t *tag) end() bool {
	*t = tag{}
	return true
}

// token moves over a token.
func (t *tag) token() {
	t.equal = false
	if t.state == tagOpen || t.state == tagName {
		t.state = tagNone
	}
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
