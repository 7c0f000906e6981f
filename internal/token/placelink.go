package token

// link follows everything in a text that may become a link or be fetched: bare
// URLs, destinations of Markdown, attributes of HTML. The three are followed
// side by side, since each can be opened inside what only looks like another.
type link struct {
	prev byte // the byte before; ']' also after a token that ends so

	run   bool // inside a URL that goes on to the next white space
	quote byte // and that this quotation mark ends, which stands before it
	dest  destination
	ref   int // how far a reference definition has come
	tag   tag
	word  word
}

// event is what the line structure says about a byte.
type event struct {
	indent    bool // nothing but white space and > before it in its line
	emptyLine bool // it ends an empty line
	code      bool // it stands in code
}

// The states of a reference definition, "[x]: destination".
const (
	refNone = iota
	refOpen
	refLabel
	refColon // the label is closed, a colon must follow
)

func (l *link) active() bool { return l.run || l.dest.kind != destNone || l.tag.attributes() }

// step moves over one byte.
func (l *link) step(b byte, e event) {
	if l.run && (isSpace(b) || b == l.quote && b != 0) {
		l.run = false
		l.word.reset(b)
	}
	if l.tag.step(b, e) {
		l.run = false
	}
	l.dest.step(b, e)
	if b == '(' && l.prev == ']' && l.dest.kind != destInline {
		l.dest = destination{kind: destInline, fresh: true, code: e.code}
	}
	l.reference(b, e)
	if !l.run && l.word.step(b, l.prev) {
		l.run, l.quote = true, l.word.lead
	}
	l.prev = b
}

// reference follows a definition at the beginning of a line. A footnote, "[^1]:",
// is none.
func (l *link) reference(b byte, e event) {
	switch {
	case e.emptyLine:
		l.ref = refNone
	case b == '[' && e.indent:
		l.ref = refOpen
	case l.ref == refOpen && b == '^', l.ref == refLabel && b == '[' && l.prev != '\\':
		l.ref = refNone
	case l.ref == refOpen:
		l.ref = refLabel
	case l.ref == refLabel && b == ']' && l.prev != '\\':
		l.ref = refColon
	case l.ref == refColon:
		if b == ':' && l.dest.kind == destNone {
			l.dest = destination{kind: destReference, fresh: true}
		}
		l.ref = refNone
	}
}

// token moves over a token. A token is no label of a definition: restored, it
// has no brackets.
func (l *link) token(entity string, bracket bool) {
	l.tag.token()
	l.dest.token()
	switch l.ref {
	case refOpen:
		l.ref = refLabel
	case refColon:
		l.ref = refNone
	}
	if !l.run && l.word.token(entity) {
		l.run, l.quote = true, 0
	}
	l.prev = 0
	if bracket {
		l.prev = ']'
	}
}

// codeEnds closes what was opened in code and would not be a link there: a tag
// or a destination without its end. What touches the closing backtick still
// counts, for software that knows no backticks.
func (l *link) codeEnds() {
	if l.tag.code && l.tag.state == tagAttributes {
		l.tag, l.run, l.quote = tag{}, true, 0
	}
	if l.dest.code && l.dest.kind == destInline {
		l.dest, l.run, l.quote = destination{}, true, 0
	}
}

// The kinds of destination.
const (
	destNone      = iota
	destInline    // "](...)": to its closing parenthesis or the end of the paragraph
	destReference // "[x]: ...": to the white space behind it
)

// destination follows the target of a Markdown link or image (CommonMark 0.31
// sections 4.7 and 6.3). Inline, white space does not end it, though by
// CommonMark it does: other renderers read on. A URL in it ends like any other,
// at white space and not at the parenthesis: other software knows no Markdown.
type destination struct {
	kind    int
	fresh   bool // nothing but white space so far
	angle   bool // between < and >
	escaped bool // behind a backslash
	depth   int  // parentheses open inside
	code    bool // opened in code
}

// step moves over one byte.
func (d *destination) step(b byte, e event) {
	switch {
	case d.kind == destNone:
	case e.emptyLine:
		*d = destination{}
	case isSpace(b):
		d.escaped = false
		d.angle = d.angle && b != '\n'
		if d.kind == destReference && !d.fresh && !d.angle {
			*d = destination{}
		}
	case d.escaped:
		d.escaped = false
	case b == '\\':
		d.escaped, d.fresh = true, false
	case d.angle:
		if d.angle = b != '>'; !d.angle && d.kind == destReference {
			*d = destination{}
		}
	case b == '<' && d.fresh:
		d.angle, d.fresh = true, false
	case b == '(':
		d.depth++
		d.fresh = false
	case b == ')' && d.depth > 0:
		d.depth--
	case b == ')' && d.kind == destInline:
		*d = destination{}
	default:
		d.fresh = false
	}
}

// token moves over a token.
func (d *destination) token() { d.fresh, d.escaped = false, false }
