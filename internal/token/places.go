package token

// Places follows a text that somebody else scans piece by piece, and says where
// its tokens stand in the whole of it.
type Places struct{ at placer }

// NewPlaces stands at the beginning of a text.
func NewPlaces() *Places { return &Places{at: newPlacer()} }

// Text moves over text without tokens.
func (p *Places) Text(text string) { p.at.advance(text) }

// Token moves over a token, as it is written, and says where it stands.
func (p *Places) Token(t Token, written string) Place {
	return p.at.token(t, written[len(written)-1])
}
