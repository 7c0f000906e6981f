package token

// Place says where in a text something stands. It decides what an injected
// prompt could do with a value that is put there.
type Place string

// The places.
const (
	PlaceProse Place = "prose"
	PlaceCode  Place = "code" // in a fenced block or between backticks
	PlaceURL   Place = "url"  // in something that a reader's software may fetch or open; also within code
)

// placer follows a text and knows the place of whatever comes next. It goes
// forward only, byte by byte, in bounded memory, so that a stream decides as the
// whole text does. Tokens are given to it as one symbol each: their brackets,
// and the spaces that a repaired one may hold, say nothing about the text.
type placer struct {
	indent bool // only white space and quotation marks (>) since the line began
	blank  bool // only white space since the line began
	code   code
	link   link
}

// newPlacer stands at the beginning of a text.
func newPlacer() placer { return placer{indent: true, blank: true} }

// advance moves over text without tokens.
func (p *placer) advance(text string) {
	for i := 0; i < len(text); {
		if p.calm() {
			n := p.link.word.cruise(text[i:])
			if i += n; n > 0 {
				p.code.escaped, p.link.prev = false, text[i-1]
				continue
			}
		}
		p.step(text[i])
		i++
	}
}

// calm says that nothing is under way that letters, spaces and commas could
// change, but for the word they make up. It only saves time: step would do.
func (p *placer) calm() bool {
	l := &p.link
	return !p.indent && p.code.run == 0 && !p.code.closing &&
		!l.run && l.dest.kind == destNone && l.ref == refNone && l.tag.state == tagNone
}

// step moves over one byte. Bytes beyond ASCII count as letters.
func (p *placer) step(b byte) {
	emptyLine := b == '\n' && p.blank
	wasCode := p.code.active()
	p.code.step(b, p.indent, emptyLine)
	if wasCode && !p.code.active() {
		p.link.codeEnds()
	}
	p.link.step(b, event{indent: p.indent, emptyLine: emptyLine, code: p.code.active()})
	switch {
	case b == '\n':
		p.indent, p.blank = true, true
	case isSpace(b):
	case b == '>':
		p.blank = false
	default:
		p.indent, p.blank = false, false
	}
}

// token returns the place of a token that stands here and moves behind it. last
// is its last byte in the text.
func (p *placer) token(t Token, last byte) Place {
	wasCode := p.code.active()
	p.code.settle()
	if wasCode && !p.code.active() {
		p.link.codeEnds()
	}
	place := PlaceProse
	switch {
	case p.link.active():
		place = PlaceURL
	case p.code.active():
		place = PlaceCode
	}
	p.code.token()
	p.link.token(t.Entity, last == ']')
	p.indent, p.blank = false, false
	return place
}

// isSpace knows the white space that ends a URL. Other spaces of Unicode do not:
// software differs there, and in doubt a URL goes on.
func isSpace(b byte) bool {
	return b == ' ' || b == '\n' || b == '\t' || b == '\r' || b == '\v' || b == '\f'
}
