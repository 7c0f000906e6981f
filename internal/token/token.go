package token

import (
	"errors"
	"strings"
)

// Format is how a token is written.
type Format string

// The formats of tokens.
const (
	FormatLabel  Format = "label"  // in brackets, names what it stands for: for prompts
	FormatOpaque Format = "opaque" // one word without meaning: for databases
)

const (
	// MaxLabel bounds a label: the longest entity name of Presidio has 25
	// characters, and a stream holds back a whole candidate.
	MaxLabel = 32

	labelIDChars  = 8  // 40 bits: unique within one scope, never an authority
	opaqueIDChars = 26 // 130 bits, of which the first two are zero
	opaquePrefix  = "tok_"

	// maxIDChars bounds the symbols of any token with its check characters.
	maxIDChars = opaqueIDChars + checkChars

	// opaqueFirstMax is the largest first symbol of an opaque id: 26 symbols
	// have 130 bits, the id has 128.
	opaqueFirstMax = 7
)

// Errors of this package. None says anything about the text that was refused.
var (
	ErrFormat    = errors.New("token: unknown format")
	ErrLabel     = errors.New("token: not a valid label")
	ErrID        = errors.New("token: not a valid id")
	ErrSyntax    = errors.New("token: not in the form of a token")
	ErrCheck     = errors.New("token: check characters do not fit")
	ErrRandom    = errors.New("token: source of randomness failed")
	ErrCollision = errors.New("token: labels cannot be told apart by the check characters, rename one")
)

// Token is a parsed token. Entity is its label, and "" for opaque tokens. ID is
// without check characters: 8 capital symbols or 26 small ones.
type Token struct {
	Format Format
	Entity string
	ID     string
}

// unwritable is what String gives for a Token that nobody minted or parsed.
const unwritable = "(not a token)"

// String writes the token in its one form.
func (t Token) String() string {
	if t.validate() != nil {
		return unwritable
	}
	return string(t.append(nil))
}

// validate says whether the fields fit together.
func (t Token) validate() error {
	switch t.Format {
	case FormatLabel:
		if !ValidLabel(t.Entity) {
			return ErrLabel
		}
		return validID(t.ID, labelIDChars, false)
	case FormatOpaque:
		if t.Entity != "" {
			return ErrLabel
		}
		return validID(t.ID, opaqueIDChars, true)
	default:
		return ErrFormat
	}
}

// validID checks the characters of an id in its one spelling.
func validID(id string, length int, small bool) error {
	if len(id) != length {
		return ErrID
	}
	for i := range len(id) {
		if _, ok := symbolOf(id[i], small); !ok {
			return ErrID
		}
	}
	if small && id[0] > '0'+opaqueFirstMax {
		return ErrID
	}
	return nil
}

// symbolOf reads one strict character: small letters in opaque tokens, capitals
// in all others.
func symbolOf(b byte, small bool) (byte, bool) {
	if small {
		if b >= 'A' && b <= 'Z' {
			return 0, false
		}
		if b >= 'a' && b <= 'z' {
			b -= 'a' - 'A'
		}
	}
	return canonical[b], canonical[b] != noSymbol
}

// symbols returns the values of a valid token's id and check characters, as
// they are written.
func (t Token) symbols(room *[maxIDChars]byte) []byte {
	small := t.Format == FormatOpaque
	n := len(t.ID)
	for i := range n {
		room[i], _ = symbolOf(t.ID[i], small)
	}
	mix := mixOf(t.Entity)
	if small {
		mix = mixOf(opaqueMix)
	}
	p, q := parity(room[:n])
	room[n], room[n+1] = p^mix[0], q^mix[1]
	return room[:n+checkChars]
}

// append writes a valid token.
func (t Token) append(dst []byte) []byte {
	var room [maxIDChars]byte
	symbols := t.symbols(&room)
	if t.Format == FormatOpaque {
		dst = append(dst, opaquePrefix...)
		for _, s := range symbols {
			dst = append(dst, lower(crockford[s]))
		}
		return dst
	}
	dst = append(dst, '[')
	dst = append(dst, t.Entity...)
	dst = append(dst, '_')
	for _, s := range symbols {
		dst = append(dst, crockford[s])
	}
	return append(dst, ']')
}

// Parse reads a token in its one form: Parse(s).String() == s, or an error.
func Parse(s string) (Token, error) {
	t, ok := split(s)
	if !ok {
		return Token{}, ErrSyntax
	}
	if err := t.validate(); err != nil {
		return Token{}, err
	}
	// Everything but the check characters was taken over from s, so this
	// compares them.
	if string(t.append(nil)) != s {
		return Token{}, ErrCheck
	}
	return t, nil
}

// split cuts a token into its parts by their fixed lengths, without a look at
// the characters.
func split(s string) (Token, bool) {
	if id, ok := strings.CutPrefix(s, opaquePrefix); ok {
		if len(id) != opaqueIDChars+checkChars {
			return Token{}, false
		}
		return Token{Format: FormatOpaque, ID: id[:opaqueIDChars]}, true
	}
	const tail = 1 + labelIDChars + checkChars + 1 // underscore to closing bracket
	underscore := len(s) - tail
	if underscore < 1 || s[0] != '[' || s[underscore] != '_' || s[len(s)-1] != ']' {
		return Token{}, false
	}
	id := s[underscore+1 : underscore+1+labelIDChars]
	return Token{Format: FormatLabel, Entity: s[1:underscore], ID: id}, true
}

// FromID puts a token together from an id that was stored. Opaque tokens do not
// say what they stand for: the entity is left out of them.
func FromID(f Format, entity, id string) (Token, error) {
	if f == FormatOpaque {
		entity = ""
	}
	t := Token{Format: f, Entity: entity, ID: id}
	if err := t.validate(); err != nil {
		return Token{}, err
	}
	return t, nil
}

// ValidLabel says whether s may stand in a token: [A-Z][A-Z0-9_]*, at most
// MaxLabel characters, underscores single and never last, so that escaped and
// replaced underscores can be read back.
func ValidLabel(s string) bool {
	if s == "" || len(s) > MaxLabel || s[0] < 'A' || s[0] > 'Z' || s[len(s)-1] == '_' {
		return false
	}
	for i := range len(s) {
		switch b := s[i]; {
		case b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case b == '_' && s[i-1] != '_':
		default:
			return false
		}
	}
	return true
}
